"""docs/local-models.md, from its first line to its last: commands print what it says, examples run."""

import copy
import json
import re
import shlex
from pathlib import Path

import pytest
import torch
from transformers import GraniteConfig, GraniteForCausalLM
from typer.testing import CliRunner

from debug_gym.cli import app

from .conftest import make_adapter
from .tiny_tokenizer import WORDS, make_tokenizer

PAGE = Path(__file__).parents[2] / "docs" / "local-models.md"
BLOCK = re.compile(r"^```(python|console|json)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ debug-gym (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A tiny base, three adapters of it, and data of two tasks."""
    monkeypatch.chdir(tmp_path)
    small = {"hidden_size": 32, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
    torch.manual_seed(0)  # Granite, as AutoTokenizer takes a tokenizer of this model as it is
    model = GraniteForCausalLM(GraniteConfig(vocab_size=96, num_key_value_heads=2, **small))
    model.save_pretrained("base")
    make_tokenizer().save_pretrained("base")
    for at, name in enumerate(("dates", "parsers", "run-7")):
        make_adapter(tmp_path / "outputs" / name, at, base="base", model=copy.deepcopy(model))
    lines = []
    for step, task in ((2, "double"), (3, "triple")):
        for at in range(1, 9):
            turns = zip(("user", "assistant"), (WORDS[at], WORDS[step * at]), strict=True)
            lines.append(
                json.dumps({"task": task, "messages": [{"role": r, "content": c} for r, c in turns]})
            )
    Path("data.jsonl").write_text("\n".join(lines))


def print_as_shown(text):
    for arguments, shown in COMMAND.findall(text):
        result = CliRunner().invoke(app, shlex.split(arguments), catch_exceptions=False)
        assert result.exit_code == 0
        assert re.sub(r"loss \d\.\d+", "loss 4.5", result.stdout) == shown


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore")
def test_the_page_is_true(place):
    names = {"__name__": "example"}
    for kind, text in BLOCK.findall(PAGE.read_text()):
        if kind == "python":
            exec(compile(text, f"{PAGE.name}: an example", "exec"), names)
        elif kind == "console" and "debug-gym library" in text:
            print_as_shown(text)
        elif kind == "json":
            assert "messages" in json.loads(text)
