"""The base model of a library: loaded from a folder or from the Hugging Face Hub."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from debug_gym.errors import ConfigError

DTYPES = ("auto", "float32", "bfloat16", "float16")


def load_base(base: str | Path, *, device: str | None = None, dtype: str = "auto") -> tuple[Any, Any]:
    """A causal language model, which requires no gradients, and its tokenizer.

    Args:
        base: a folder as ``save_pretrained`` writes it, or a name on the Hugging Face Hub.
        device: as torch calls it; None: a GPU where there is one.
        dtype: one of ``DTYPES``; ``auto``: the one in which the model was saved, on a CPU float32.

    Raises:
        ConfigError: it cannot be loaded, or not there.
    """
    try:
        where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError as error:
        raise ConfigError(f"torch knows no device {device!r}") from error
    if dtype not in DTYPES:
        raise ConfigError(f"dtype is {dtype!r}, but must be one of {', '.join(DTYPES)}")
    kind = "float32" if dtype == "auto" and where.type == "cpu" else dtype
    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
        with _quiet():
            model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=kind, attn_implementation="sdpa")
    except (OSError, ValueError, KeyError, ImportError) as error:
        why = str(error).strip().splitlines()[0]
        raise ConfigError(f"the model {base} cannot be loaded: {why}") from error
    try:
        return model.to(where).eval().requires_grad_(False), tokenizer
    except RuntimeError as error:
        raise ConfigError(f"the model {base} cannot be moved to {where}: {error}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bar of transformers among the lines of a run."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
