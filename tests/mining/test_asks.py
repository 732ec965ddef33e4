"""Tests that ask for a feature, and tests that show a bug: all fail without the change and pass with it."""

import sys

import pytest

from debug_gym.mining.asks import Fix, Report, reports
from debug_gym.mining.base import Ground
from debug_gym.task import Environment

BROKEN = """\
import argparse


class Cart(dict):
    def __init__(self):
        self.items_seen = 0

    def total(self):
        return self._total


def main(words):
    parser = argparse.ArgumentParser()
    if "-v" in words:
        parser.add_argument("--limit")
        parser.add_argument("-v", action="store_true")
    return parser.parse_args(words)


def code(words):
    try:
        main(words)
    except SystemExit as error:
        return error.code
    return 0


def load(amount):
    return amount


def find(name):
    return None


def call(function):
    return function(value=1)


def named(name):
    return name
"""
FIXED = """\
import argparse


class Cart(dict):
    def __init__(self):
        self.items_seen = 0
        self._total = 0

    def total(self):
        return self._total

    def clear_all(self):
        return 0

    def get(self, key, default=""):
        return super().get(key, default)


def main(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit")
    parser.add_argument("-v", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(words)


def code(words):
    try:
        main(words)
    except SystemExit as error:
        return error.code
    return 0


def load(amount, strict=False):
    if strict and amount < 0:
        raise ValueError("negative")
    return amount


def find(name):
    return name


def call(function):
    return function(1)


def named(name):
    return tidy(name)


def tidy(text, name=""):
    return text.strip()


def euros(amount):
    return amount
"""
TESTS = """\
import subprocess
import sys

import pytest

from shop import api


def test_feature_option():
    assert api.main(["--json"]).json


def test_feature_option_of_which_nothing_is_said():
    assert api.code(["--json"]) == 0


def test_feature_asked_by_getattr():
    assert getattr(api, "euros", None)(3) == 3


def test_feature_keyword_where_another_error_is_expected():
    with pytest.raises(ValueError, match="negative"):
        api.load(-1, strict=True)


def test_feature_keyword_in_the_text_of_an_exception():
    with pytest.raises(Exception, match="negative"):
        api.load(-1, strict=True)


def test_feature_imported_elsewhere():
    subprocess.run([sys.executable, "-c", "from shop.api import euros"], check=True)


def test_feature_imported_in_silence():
    done = subprocess.run([sys.executable, "-c", "from shop.api import euros"], capture_output=True)
    assert done.returncode == 0


def test_feature_imported():
    from shop.api import euros

    assert euros(1) == 1


def test_feature_method():
    assert api.Cart().clear_all() == 0


def test_bug_none_in_place_of_a_text():
    assert api.find("a").upper() == "A"


def test_bug_attribute_that_is_not_set():
    assert api.Cart().total() == 0


def test_bug_option_that_is_known_and_refused():
    assert api.main(["--limit", "3"]).limit == "3"


def test_bug_keyword_that_the_code_gives():
    assert api.call(lambda given: given) == 1


def test_bug_method_that_was_inherited():
    assert api.Cart().get("a") == ""


def test_bug_with_the_name_of_another_function_s_new_argument():
    assert api.named(name=" a") == "a"
"""


@pytest.fixture(scope="module")
def failed(tmp_path_factory, backend):
    """What each test asks for, by its name."""
    folder = tmp_path_factory.mktemp("ground") / "shop"
    for path, text in {"shop/__init__.py": "", "shop/api.py": BROKEN, "tests/test_api.py": TESTS}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    environment = Environment(python=sys.executable, variables={"PYTHONPATH": "."})
    ground = Ground("shop", folder, environment, backend)
    before, after = ground.run({}), ground.run({"shop/api.py": FIXED})
    assert not after.failed, after.output
    fix = Fix({"shop/api.py": BROKEN}, {"shop/api.py": FIXED})
    said = reports(before.output, before.messages)
    return {test.partition("::")[2]: fix.asked(test, TESTS, said[test]) for test in before.failed}


NAMES = [line.split("(")[0][4:] for line in TESTS.splitlines() if line.startswith("def test_")]


@pytest.mark.parametrize("name", NAMES)
def test_both_kinds_are_told_apart(failed, name):
    asked = failed[name]
    assert bool(asked) == name.startswith("test_feature"), asked


@pytest.mark.parametrize(
    ("message", "asks"),
    [
        ("AttributeError: 'Cart' object has no attribute 'clear_all'", True),
        ("AttributeError: 'NoneType' object has no attribute 'upper'", False),
        ("TypeError: find() missing 1 required positional argument: 'kind'", True),
        ("fixture 'shop' not found", True),
        ("assert 1 == 2", False),
    ],
)
def test_where_only_the_reason_is_known_a_missing_name_asks_for_a_feature(message, asks):
    fix = Fix({"m.py": "a = 1\n"}, {"m.py": "a = 2\n"})
    assert bool(fix.asked("t.py::test_a", "def test_a():\n    pass\n", Report(message))) == asks
