"""What importing costs: the gym never loads torch, the library never loads transformers or PEFT."""

import subprocess
import sys

import pytest

EXTRAS = ("openai", "tiktoken", "docker", "mcp", "textual", "ray")
"""Packages that others pin: an environment that holds them in other versions, or none, still has a gym."""


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("debug_gym", (*EXTRAS, "torch", "transformers", "peft", "safetensors")),
        ("debug_gym.cli", (*EXTRAS, "torch", "transformers", "peft")),
        ("debug_gym.lora", ("transformers", "peft", "triton", "huggingface_hub")),
    ],
)
def test_importing_loads_no_more_than_it_must(module, absent):
    script = f"import sys, {module}; print([name for name in {absent} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("module", "missing", "extra"),
    [
        ("debug_gym.lora", "torch", "local"),
        ("debug_gym.lora.train", "peft", "local"),
        ("debug_gym.agents.models.openai", "openai", "llm"),
        ("debug_gym.sandbox.docker", "docker", "docker"),
    ],
)
def test_without_the_extra_a_sentence_names_it(module, missing, extra):
    done = without(missing, f"import {module}")
    assert "MissingExtraError" in done.stderr and f"debug-gym[{extra}]" in done.stderr


def test_the_gym_plays_without_any_extra():
    done = without(
        *EXTRAS,
        "import gymnasium, debug_gym",
        "env = gymnasium.make('debug_gym/Nightmares-v0')",
        "print(env.reset(seed=0)[0] != '', env.step({'tool': 'listdir', 'arguments': {}})[1])",
        "env.close()",
    )
    assert done.stdout == "True 0.0\n"


def test_tokens_are_estimated_without_tiktoken():
    done = without(
        "tiktoken",
        "from debug_gym.agents.models.tokens import count_tokens",
        "print(count_tokens('x' * 9, 'm'))",
    )
    assert done.stdout == "3\n"


def without(*words):
    """Run lines of Python (those with a space) in a new process in which packages (the others) are not installed."""
    hidden = "".join(f"sys.modules[{word!r}] = None\n" for word in words if " " not in word)
    script = "import sys\n" + hidden + "\n".join(word for word in words if " " in word)
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False
    )
