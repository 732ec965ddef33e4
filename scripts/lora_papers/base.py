"""The base model: it copies sequences, and finds facts of a document that it reads. Trained once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lora_papers import world
from torch import Tensor
from torch.nn import functional
from transformers import Qwen2Config, Qwen2ForCausalLM

NOISE = 0.5
"""Share of the symbols that are copied wrongly at last: the base copies, but holds other rules possible."""


@dataclass(frozen=True)
class Size:
    """How much is done."""

    base_steps: int
    noisy_steps: int = 150
    """Updates at last of the base, with noise in what it copies."""
    hidden: int = 64
    tasks: int = 3
    """Of each family."""
    families: int = 3
    examples: int = 6
    """Of each task."""
    steps: int = 60
    """Updates of an expert."""
    light_steps: int = 15
    joint_examples: int = 48
    """Of each task from which skills are learned jointly."""
    joint_steps: int = 150
    """Updates of skills that are learned jointly."""
    few_steps: int = 30
    """Updates for a new task of few examples."""
    few: int = 4
    new_tasks: int = 2
    documents: int = 1
    tested: int = 64
    """Sequences, or documents, of each measurement."""


SIZES = {
    "small": Size(base_steps=1400),
    "tiny": Size(
        base_steps=20, noisy_steps=2, hidden=32, tasks=2, families=2, examples=8, steps=4, light_steps=2,
        joint_examples=8, joint_steps=4, few_steps=3, new_tasks=1, documents=1, tested=8,
    ),
}  # fmt: skip


def base(size: Size, folder: Path) -> Any:
    """The base of that size, trained where ``folder`` does not have it yet; on a GPU where there is one."""
    if not (folder / "config.json").exists():
        _train(size, folder)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Qwen2ForCausalLM.from_pretrained(folder).to(device).eval().requires_grad_(False)


def _train(size: Size, folder: Path) -> None:
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=world.VOCABULARY,
        hidden_size=size.hidden,
        intermediate_size=2 * size.hidden,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=256,
        tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 20.0},  # near tokens are easy to tell apart
    )
    model: Any = Qwen2ForCausalLM(config)
    _learn(model, size.base_steps, 3e-3, 0.0, seed=0)
    _learn(model, size.noisy_steps, 1e-3, NOISE, seed=1)
    model.save_pretrained(folder)


def _learn(model: Any, steps: int, rate: float, noise: float, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps + 1, pct_start=0.05)
    for _ in range(steps):
        x = torch.randint(world.SYMBOLS, (32, world.LENGTH), generator=random)
        copied = world.rewriting(x, torch.arange(world.SYMBOLS))
        if noise:
            other = torch.randint(world.SYMBOLS, x.shape, generator=random)
            wrong = torch.rand(x.shape, generator=random) < noise
            copied[:, world.LENGTH + 2 :] = torch.where(wrong, other, x)
        asked, start = _reading(32, random)
        logits, answers = _answers(model, asked, start)
        loss = loss_after(model, copied, world.LENGTH + 2)
        loss = loss + functional.cross_entropy(logits.flatten(0, 1), answers.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()


def loss_after(model: Any, ids: Tensor, start: int) -> Tensor:
    """Mean negative log-likelihood (nats) of the tokens from ``start`` on."""
    logits = model(input_ids=ids).logits[:, start - 1 : -1]
    return functional.cross_entropy(logits.flatten(0, 1).float(), ids[:, start:].flatten())


@torch.no_grad()
def reading(model: Any, count: int, seed: int) -> float:
    """Share of the questions about documents in context that are answered rightly."""
    ids, start = _reading(count, torch.Generator().manual_seed(seed))
    logits, answers = _answers(model, ids.to(model.device), start)
    return float((logits.argmax(-1) == answers).float().mean())


def _reading(count: int, random: torch.Generator) -> tuple[Tensor, int]:
    keys, values = world.documents(count, world.FACTS, random)
    at = torch.randint(world.FACTS, (count, 12), generator=random)
    ask = world.ASK + torch.randint(2, at.shape, generator=random)
    document = world.written(keys, values)
    asked = world.questions(keys.gather(1, at), values.gather(1, at), ask)
    return torch.cat([document, asked], 1), document.shape[1]


def _answers(model: Any, ids: Tensor, start: int) -> tuple[Tensor, Tensor]:
    """Logits for the values that are asked for, and the values."""
    at = torch.arange(start + 1, ids.shape[1] - 1, 3, device=ids.device)
    return model(input_ids=ids).logits[:, at].float(), ids[:, at + 1]
