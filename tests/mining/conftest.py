"""A small shop with a history: commits that are bugs, and such that are none."""

import subprocess

import pytest

MIT = "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy of this\n"
CART = """\
from shop.money import cents


class Cart:
    def __init__(self, items=()):
        self.items = list(items)
        self.seen = []

    def add(self, name, price):
        self.items.append((name, price))
        self.seen.append(name)

    def total(self):
        return cents(sum(price for _, price in self.items))


def cheapest(cart):
    return min(cart.items, key=price_of)[0]


def price_of(item):
    return item[1]
"""
MONEY = """\
def cents(amount):
    whole = scaled(amount)
    return whole


def scaled(amount):
    if amount is None:
        return 0
    return int(amount * 100 + 0.5)
"""
TEST_CART = """\
from shop.cart import Cart, cheapest


def test_total():
    assert Cart([("tea", 1.5), ("pot", 3)]).total() == 450


def test_nothing():
    assert Cart().total() == 0


def test_cheapest():
    assert cheapest(Cart([("tea", 4), ("pot", 3)])) == "pot"


def test_copies():
    mine = [("tea", 1)]
    Cart(mine).add("pot", 2)
    assert mine == [("tea", 1)]


def test_names():
    cart = Cart()
    cart.add("pot", 2)
    assert cart.seen == ["pot"]
"""
FILES = {
    "LICENSE": MIT,
    "shop/__init__.py": "",
    "shop/cart.py": CART,
    "shop/money.py": MONEY,
    "tests/test_cart.py": TEST_CART,
}


class Repository:
    """A git repository in a folder."""

    def __init__(self, root):
        self.root = root
        self.git("init", "-q", "-b", "main")
        self.commit("Start", FILES)

    def git(self, *arguments):
        variables = {"GIT_CONFIG_GLOBAL": "/dev/null", "PATH": "/usr/bin:/bin"}
        for who in ("AUTHOR", "COMMITTER"):
            variables |= {f"GIT_{who}_NAME": "a", f"GIT_{who}_EMAIL": "a@localhost"}
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=variables, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def text(self, path):
        return (self.root / path).read_text()

    def commit(self, message, files):
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    return Repository(folder)
