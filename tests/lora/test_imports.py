"""What importing costs: the gym never loads torch, the library never loads transformers or PEFT."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("debug_gym", ("torch", "transformers", "peft", "safetensors")),
        ("debug_gym.cli", ("torch", "transformers", "peft")),
        ("debug_gym.lora", ("transformers", "peft", "triton", "huggingface_hub")),
    ],
)
def test_importing_loads_no_more_than_it_must(module, absent):
    script = f"import sys, {module}; print([name for name in {absent} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("module", "missing"), [("debug_gym.lora", "torch"), ("debug_gym.lora.train", "peft")]
)
def test_without_the_extra_a_sentence_names_it(module, missing):
    script = f"import sys; sys.modules[{missing!r}] = None; import {module}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "MissingExtraError" in done.stderr and "debug-gym[local]" in done.stderr
