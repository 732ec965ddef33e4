"""Tiny models and PEFT adapters, made on the spot."""

import os
import warnings

os.environ.setdefault("TRITON_INTERPRET", "1")  # read when Triton is first imported, by torch perhaps

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import Qwen2Config, Qwen2ForCausalLM

from debug_gym.lora import ExpertLibrary

torch.set_num_threads(1)  # threads that wait for each other are slow on a busy machine
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def make_model(hidden=32, layers=2, vocab=96, **more):
    """The same weights for the same arguments."""
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=vocab,
        hidden_size=hidden,
        intermediate_size=3 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        **more,
    )
    return Qwen2ForCausalLM(config).eval()


def make_adapter(folder, seed, base="tiny/base", model=None, **config):
    """An adapter as PEFT saves it, with random A and B."""
    options = {"r": 4, "lora_alpha": 8, "target_modules": list(TARGETS), "init_lora_weights": False, **config}
    model = model or make_model()
    model.name_or_path = base
    torch.manual_seed(100 + seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PEFT looks for the base's configuration on the Hub
        peft = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **options))
        peft.save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def one_seed(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    torch.manual_seed(0)


@pytest.fixture
def model():
    return make_model()


@pytest.fixture(scope="session")
def adapters(tmp_path_factory):
    """Six of them, alike but for their weights."""
    root = tmp_path_factory.mktemp("adapters")
    return [make_adapter(root / f"e{i}", i) for i in range(6)]


@pytest.fixture(scope="session")
def library(adapters, tmp_path_factory):
    """Read only: the six adapters."""
    made = ExpertLibrary.create(tmp_path_factory.mktemp("library") / "six", base="tiny/base")
    for folder in adapters:
        made.add(folder)
    return made


@pytest.fixture
def tokens():
    torch.manual_seed(1)
    return torch.randint(3, 96, (3, 11))
