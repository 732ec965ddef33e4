"""Tiny models that can talk, and engines around them."""

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from debug_gym.lora import ExpertLibrary
from debug_gym.lora.serve.engine import Engine, EngineSettings
from debug_gym.lora.serve.served import ServedModels
from tests.lora.conftest import make_adapter, make_model

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ENDLESS = {"type": "object", "properties": {"a": {"type": "string", "minLength": 9000}}, "required": ["a"]}
"""A schema for answers that go on until they are cut off, whatever the model would rather do."""
ENDLESS_FORMAT = {"type": "json_schema", "json_schema": {"name": "endless", "schema": ENDLESS}}
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def make_tokenizer(template=CHATML, control=()):
    """Bytes, a few words, and control tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=[*CONTROL, *control],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["the cat sat on the mat and the tool called the path"], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=template
    )


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """On a busy machine more threads than free processors make torch many times slower."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tokenizer():
    return make_tokenizer()


@pytest.fixture(scope="session")
def vocabulary(tokenizer):
    return len(tokenizer)


@pytest.fixture(scope="session")
def talker(vocabulary):
    """A model whose vocabulary is the tokenizer's."""
    return make_model(vocab=vocabulary, max_position_embeddings=2048)


@pytest.fixture(scope="session")
def talkers_library(tmp_path_factory, vocabulary):
    """Three experts of it."""
    root = tmp_path_factory.mktemp("talkers")
    library = ExpertLibrary.create(root / "library", base="tiny/talker")
    for number, name in enumerate(("ants", "bees", "cats")):
        model = make_model(vocab=vocabulary, max_position_embeddings=2048)
        library.add(make_adapter(root / name, number, base="tiny/talker", model=model), name=name)
    return library


@pytest.fixture
def engine(talker, tokenizer):
    """``engine(max_batch=4, ...)``: a running engine; without arguments on the tiny model."""
    running = []

    def start(model=None, library=None, routers=(), **settings):
        served = ServedModels(model or talker, library, routers)
        running.append((Engine(served, tokenizer, EngineSettings(**settings)), served))
        return running[-1][0]

    yield start
    for made, served in running:
        made.close()
        served.detach()
