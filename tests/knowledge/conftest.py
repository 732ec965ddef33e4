"""A small repository, and a tiny model that can be asked about it."""

import textwrap

import pytest
import torch

from debug_gym.knowledge.learn import LearningSettings, lesson
from tests.lora.conftest import make_adapter, make_model
from tests.lora.serve.conftest import make_tokenizer

FILES = {
    "README.md": "# Shop\n\nSells things. It has no stock.\n\n## Usage\n\nCall `total`. Or do not.\n",
    "shop/cart.py": '''
        """Carts."""

        LIMIT = 20


        class Cart:
            """What somebody wants to buy. One for each person."""

            def __init__(self, owner, items=()):
                self.items = list(items)

            def add(self, item):
                """Put an item in."""
                if len(self.items) >= LIMIT:
                    raise ValueError("the cart is full")
                self.items.append(item)


        def total(cart, rate=0.2):
            return taxed(sum(cart.items), rate)


        def taxed(amount, rate):
            return amount * (1 + rate)
        ''',
    "build/lib.py": "x = 1\n",
    ".hidden/secret.py": "x = 1\n",
    "broken.py": "def f(:\n",
    "odd.py": "PATTERN = '\\d'\n",
    "blob.py": b"\xff\xfe\x00",
    "docs/stock.rst": "Stock\n=====\n\nIt is kept elsewhere. Nobody knows where.\n",
    "run.sh": "echo one\n\necho two\n",
}
SETTINGS = LearningSettings(
    chunk=400, rank=4, max_steps=8, batch=4, checkpoint_every=2, log_every=1, learning_rate=1e-2,
    max_length=1024, cpu=True,
)  # fmt: skip


def make_repository(root):
    for path, text in FILES.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        content = text if isinstance(text, bytes) else textwrap.dedent(text).lstrip("\n").encode()
        file.write_bytes(content)
    return root


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def repository(tmp_path):
    return make_repository(tmp_path / "shop-repository")


@pytest.fixture(scope="session")
def tokenizer():
    return make_tokenizer()


def make_base(tokenizer):
    """Random, but with opinions: a layer's weights are large enough to tell tokens apart."""
    return make_model(vocab=len(tokenizer), max_position_embeddings=2048, initializer_range=0.2)


@pytest.fixture
def model(tokenizer):
    return make_base(tokenizer)


@pytest.fixture
def taught(repository, tokenizer, tmp_path):
    return lesson(repository, tokenizer, SETTINGS, tmp_path / "work")


@pytest.fixture
def adapters(tmp_path):
    """Two of another tiny base."""
    return [make_adapter(tmp_path / f"e{at}", at) for at in range(2)]
