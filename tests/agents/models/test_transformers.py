"""A real server with a real, very small, language model: ``transformers serve``, asked by our model and agent.

The model is a Qwen2 of one layer. Its attention and its MLP are zero, so that the next token depends on the
last one alone, and its head knows one sentence by heart: after the prompt two tool calls, then the end.
"""

import importlib.util
import itertools
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from debug_gym.agents.models.openai import OpenAIModel
from debug_gym.cli import main
from debug_gym.store.records import Run

NEEDED = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "fastapi", "uvicorn", "accelerate")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
    pytest.mark.slow,
    pytest.mark.timeout(300),
]

CALLS = [{"name": "listdir", "arguments": {}}, {"name": "view", "arguments": {"path": "calc.py"}}]
SPOKEN = [f"<tool_call>{json.dumps(call)}</tool_call>" for call in CALLS]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{{ '<|im_start|>assistant\n' }}"
)
TOOLS = [{"type": "function", "function": {"name": call["name"], "parameters": {}}} for call in CALLS]
ASK = [{"role": "user", "content": "Where is the mistake?"}]


def make_tokenizer(folder):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([Path(__file__).read_text()], trainer)
    tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    tokenizer.add_tokens(SPOKEN)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|im_end|>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "chat_template": TEMPLATE}))
    return tokenizer


def make_model(folder):
    """A model folder as ``save_pretrained`` writes it."""
    import numpy as np
    from safetensors.numpy import save_file

    tokenizer = make_tokenizer(folder)
    size = tokenizer.get_vocab_size()
    end = tokenizer.token_to_id("<|im_end|>")
    config = {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": size, "hidden_size": size,
        "intermediate_size": 2, "num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": 1,
        "head_dim": 2, "max_position_embeddings": 32768, "tie_word_embeddings": False, "dtype": "float32",
        "eos_token_id": end, "pad_token_id": end, "bos_token_id": None,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": end, "pad_token_id": end}))
    head = np.random.default_rng(0).normal(0, 0.01, (size, size))
    sentence = [tokenizer.encode("\n").ids[-1], *map(tokenizer.token_to_id, SPOKEN), end]
    for token, following in itertools.pairwise(sentence):
        head[following, token] = 1.0
    layer = "model.layers.0"
    weights = {
        "model.embed_tokens.weight": np.eye(size), "model.norm.weight": np.ones(size), "lm_head.weight": head,
        f"{layer}.input_layernorm.weight": np.ones(size),
        f"{layer}.post_attention_layernorm.weight": np.ones(size),
        f"{layer}.self_attn.o_proj.weight": np.zeros((size, 2)),
        f"{layer}.mlp.gate_proj.weight": np.zeros((2, size)), f"{layer}.mlp.up_proj.weight": np.zeros((2, size)),
        f"{layer}.mlp.down_proj.weight": np.zeros((size, 2)),
    }  # fmt: skip
    for name in "qkv":
        weights[f"{layer}.self_attn.{name}_proj.weight"] = np.zeros((2, size))
        weights[f"{layer}.self_attn.{name}_proj.bias"] = np.zeros(2)
    float32 = {name: np.ascontiguousarray(value, dtype="float32") for name, value in weights.items()}
    save_file(float32, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The model's name and the server's address."""
    folder = tmp_path_factory.mktemp("model")
    make_model(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (folder / "serve.log").open("w")
    program = "import sys; from transformers.cli.transformers import main; sys.exit(main())"
    options = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    process = subprocess.Popen(
        [sys.executable, "-c", program, "serve", str(folder), *options],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        deadline = time.monotonic() + 240
        while not healthy(port):
            said = (folder / "serve.log").read_text()[-2000:]
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.2)
        yield str(folder), f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()
        log.close()


def healthy(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("api", ["chat", "responses"])
def test_calls_and_token_counts_of_a_real_model(served, api, stream):
    name, url = served
    reply = OpenAIModel(name, base_url=url, api=api, stream=stream).reply(ASK, TOOLS)
    called = [call.parse() for call in reply.tool_calls]
    assert [{"name": call.name, "arguments": call.arguments} for call in called] == CALLS
    assert reply.usage.input_tokens > 10
    assert reply.usage.output_tokens in (2, 3)  # with or without the token that ends the reply
    assert reply.usage.estimates == 0


def test_a_reply_that_is_cut_at_its_token_limit(served):
    name, url = served
    reply = OpenAIModel(name, base_url=url, stream=True, max_tokens=1).reply(ASK, TOOLS)
    assert [call.name for call in reply.tool_calls] == ["listdir"]


def test_a_run_with_a_real_model(served, tmp_path, monkeypatch):
    name, url = served
    folder = tmp_path / "calc"
    folder.mkdir()
    (folder / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (folder / "test_calc.py").write_text(
        "from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n"
    )
    command = [
        "debug-gym",
        "run",
        "repo",
        "--path",
        str(folder),
        "--agent",
        "llm",
        "-m",
        name,
        "--base-url",
        url,
    ]
    options = ["--max-steps", "5", "-k", "2", "-w", "2", "--output", str(tmp_path / "run")]
    monkeypatch.setattr(sys, "argv", [*command, *options])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    run = Run.open(tmp_path / "run")
    results = run.results()
    assert [(result.status, result.ending) for result in results] == [("unresolved", "step limit")] * 2
    steps = run.trajectory(results[0].task).steps
    assert [step.call.name for step in steps] == ["listdir", "view", "listdir", "view", "listdir"]
    assert "calc.py" in steps[0].observation.text
    assert "return a - b" in steps[1].observation.text
    assert results[0].usage["input_tokens"] > 0
