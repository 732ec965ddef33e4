"""A tiny transformer, made from nothing: its tokenizer, its chat template, and what it reads before it acts.

It reads functions of ``sprouts`` as they should be, of another seed than those that it will be judged on: no
bug, no fix and no tool call. So it knows words and how such code is built, as a base model does, and nothing
of acting.
"""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from debug_gym.benchmarks.base import Benchmark
from debug_gym.diff import edits
from debug_gym.task import FilesSource, Task

CHAT = """\
{%- if tools %}<|im_start|>system
{% for tool in tools %}{{ tool.function.name }} {% endfor %}<|im_end|>
{% endif -%}
{%- for message in messages if message.content or message.tool_calls %}<|im_start|>{{ message.role }}
{{ message.content or '' }}
{%- for call in message.tool_calls or [] %}<tool_call>
{{ {'name': call.function.name, 'arguments': call.function.arguments} | tojson }}
</tool_call>{% endfor %}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
READING = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|im_start|>assistant\n",
    "fields": {
        "tool_calls": {
            "open": "<tool_call>",
            "close_pattern": r"</tool_call>\s*",
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close_pattern": r"<\\|im_end\\|>\s*", "content": "text"},
    },
}
"""How transformers reads a reply of ``CHAT``."""
END, PAD = "<|im_end|>", "<|pad|>"


def functions(benchmark: Benchmark, names: Iterable[str]) -> list[str]:
    """The files of tasks as they should be, each once."""
    return sorted({_fixed(benchmark.task(name)) for name in names})


def _fixed(task: Task) -> str:
    (edit,) = edits(task.gold_patch or "")
    assert isinstance(task.source, FilesSource)
    lines = task.source.files[edit.path].splitlines(keepends=True)
    lines[edit.start - 1 : edit.end] = [edit.content]
    return "".join(lines)


def make_tokenizer(texts: Iterable[str], vocabulary: int = 700) -> PreTrainedTokenizerFast:
    """Byte-level BPE in which a word is the same token wherever it stands."""
    tokenizer = Tokenizer(models.BPE())
    words = pre_tokenizers.Split(Regex(r"\w+|\s+|[^\w\s]+"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = [PAD, "<|im_start|>", END]
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary, initial_alphabet=alphabet, special_tokens=special, show_progress=False
        ),
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, eos_token=END)
    fast.add_tokens(["<tool_call>", "</tool_call>"])
    fast.chat_template, fast.response_template = CHAT, READING
    return fast


def make_model(tokenizer: Any, seed: int, width: int = 96, layers: int = 2) -> Qwen2ForCausalLM:
    """About a quarter of a million weights."""
    torch.manual_seed(seed)
    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=2 * width,
            num_hidden_layers=layers,
            num_attention_heads=4,
            num_key_value_heads=4,
            tie_word_embeddings=True,
            max_position_embeddings=2048,
            initializer_range=0.1,  # the usual 0.02 is for wide models
            rope_parameters={"rope_type": "default", "rope_theta": 500.0},  # texts are short
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=None,
        )
    )


def read(model: Any, tokenizer: Any, texts: Sequence[str], steps: int, seed: int) -> float:
    """Train on all tokens of the texts; returns the loss in the end."""
    rows = [tokenizer(f"{text}{END}", add_special_tokens=False)["input_ids"] for text in texts]
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.01, betas=(0.9, 0.98))
    draw, order, loss = random.Random(seed), [], 0.0
    model.train()
    for step in range(steps):
        if len(order) < 32:
            order = draw.sample(range(len(rows)), len(rows))
        ids = [torch.tensor(rows[order.pop()]) for _ in range(32)]
        batch = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=-100)
        for group in optimizer.param_groups:
            group["lr"] = 5e-3 * min(1, (step + 1) / 50) * max(0.1, 1 - step / steps)
        out = model(input_ids=batch.clamp(min=0), labels=batch)
        out.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        loss = out.loss.item()
    model.eval()
    return loss


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """As ``from_pretrained`` reads it; a folder that is there is whole."""
    scratch = folder.with_name(folder.name + ".new")
    model.save_pretrained(scratch)
    tokenizer.save_pretrained(scratch)
    scratch.rename(folder)
