"""Files that support the tests do not count, wherever they lie; files of the package do."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debug_gym.judge import judge
from debug_gym.judge.support import support_files
from debug_gym.sandbox import Changes, FileEntry
from debug_gym.task import DirectorySource, Task, Tests

HELPER = "def check(a, b):\n    assert a == b\n"
CALC = "def double(x):\n    return x + 2\n"


class Files(dict):
    """A repository in memory."""

    text = dict.get

    def mentions(self, word):
        return [path for path, text in self.items() if re.search(rf"\b{word}\b", text)]


def support(files, *changed, gold=None):
    return support_files(changed or files, Files(files), gold)


@pytest.mark.parametrize(
    ("helper", "test", "statement"),
    [
        ("tests/helpers.py", "tests/test_a.py", "from tests.helpers import check"),
        ("tests/__init__.py", "tests/test_a.py", "from . import check"),
        ("tests/deep/tools.py", "tests/unit/test_a.py", "from ..deep.tools import check"),
        ("test/utils.py", "test/test_a.py", "from utils import check"),
        ("pkg/test/utils.py", "pkg/test/test_a.py", "from .utils import check"),
        ("src/pkg/testing.py", "checks/test_a.py", "from pkg.testing import check"),
        ("helpers.py", "test_a.py", "import helpers"),
        ("checks/asserts.py", "checks/test_a.py", "import asserts"),
        ("qa/checks.py", "test_a.py", "import importlib\nc = importlib.import_module('qa.checks')"),
        ("qa/checks.py", "test_a.py", "c = __import__('qa.checks', fromlist=['check'])"),
        ("qa/checks.py", "test_a.py", "exec(open('qa/checks.py').read())"),
        ("qa/checks.py", "test_a.py", "import os, runpy\nrunpy.run_path(os.path.join('qa', 'checks.py'))"),
        ("qa/checks.py", "conftest.py", "pytest_plugins = ['qa.checks']"),
        ("qa/checks.py", "conftest.py", "pytest_plugins = 'qa.checks'"),
    ],
)
def test_what_only_tests_import_supports_them(helper, test, statement):
    files = {helper: HELPER, test: statement, "calc.py": CALC, "pkg/__init__.py": ""}
    assert support(files) == {helper, test}
    module = helper.removesuffix(".py").removesuffix("/__init__").removeprefix("src/").replace("/", ".")
    assert helper not in support({**files, "pkg/main.py": f"import {module}\n"})


CHECKERS = {
    "def same(a, b):\n    if a != b:\n        raise AssertionError(a)\n": "same(1, 2)",
    "class Same:\n    def __init__(self, a):\n        self.a = a\n    def to(self, b):\n        assert self.a == b\n": (
        "Same(1).to(2)"
    ),
}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", "[pytest]\naddopts = -q -p qa.plug\n"),
        ("pyproject.toml", '[tool.pytest.ini_options]\naddopts = ["-pqa.plug"]\n'),
        ("setup.cfg", "[tool:pytest]\naddopts =\n    -p qa.plug\n"),
    ],
)
def test_a_plugin_that_settings_load_supports_the_tests(file, text):
    files = {"qa/plug.py": "import pytest\n", file: text, "test_a.py": ""}
    assert support(files, "qa/plug.py") == {"qa/plug.py"}
    assert not support({**files, file: text.replace("qa.plug", "qa.other")}, "qa/plug.py")


@pytest.mark.parametrize("place", ["compare.py", "shop/compare.py", "shop/devtools/__init__.py"])
@pytest.mark.parametrize("checker", CHECKERS)
def test_what_tests_call_only_for_that_it_may_fail_supports_them(place, checker):
    module = place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    test = f"from {module} import *\n\ndef test_a():\n    {CHECKERS[checker]}\n"
    files = {place: checker, "shop/__init__.py": "", "test_a.py": test}
    assert support(files, place) == {place}
    name = CHECKERS[checker].partition("(")[0]
    taken = test.replace(
        f"from {module} import *", f"{name} = __import__('importlib').import_module('{module}').{name}"
    )
    assert support({**files, "test_a.py": taken}, place) == {place}
    assert support({**files, "shop/main.py": f"import {module}\n"}, place) == set()
    for call in (f"x = {CHECKERS[checker]}", f"with pytest.raises(AssertionError): {CHECKERS[checker]}"):
        assert support({**files, "test_a.py": f"{test}    {call}\n"}, place) == set(), "it is tested itself"


def test_a_function_that_refuses_its_input_may_be_what_is_to_be_fixed():
    files = {
        "shop/rules.py": "def demand(n):\n    if n < 0:\n        raise ValueError(n)\n",
        "test_a.py": "import pytest\nfrom shop import rules\n\ndef test_a():\n    rules.demand(1)\n",
    }
    assert support(files, "shop/rules.py") == set()
    assert support(files, "shop/rules.py", gold="--- a/shop/rules.py\n+++ b/shop/rules.py\n") == set()
    assert support(files, "shop/rules.py", gold="--- a/shop/a.py\n+++ b/shop/a.py\n") == {"shop/rules.py"}


def test_support_files_of_support_files_are_support_files():
    files = {
        "kit/helper_a.py": "import helper_b\nassert 1\n",
        "kit/helper_b.py": HELPER,
        "kit/test_a.py": "import helper_a\n",
    }
    assert support(files) == {*files}


@pytest.mark.parametrize(
    "files",
    [
        {"calc.py": CALC, "test_calc.py": "from calc import double\n"},
        {"calc.py": f"{CALC}    assert x\n", "test_calc.py": "from calc import double\n"},
        {"helpers.py": CALC, "test_helpers.py": "from helpers import double\n"},
        {"pkg/test/client.py": HELPER, "pkg/main.py": "from pkg.test import client\n"},
        {"pkg/testing.py": HELPER},
    ],
)
def test_the_package_is_no_support(files):
    assert support(files) <= {"test_calc.py", "test_helpers.py"}


def test_what_the_gold_patch_changes_is_no_support():
    files = {"helpers.py": HELPER, "test_a.py": "import helpers\n"}
    gold = "--- a/helpers.py\n+++ b/helpers.py\n@@ -1 +1 @@\n-x\n+y\n"
    assert support(files, "helpers.py") == {"helpers.py"}
    assert support(files, "helpers.py", gold=gold) == set()


@given(
    root=st.sampled_from(["", "src/", "pkg/", "a/b/", "lib/python/"]),
    below=st.sampled_from(["", "unit/", "unit/deep/", "data.d/"]),
    name=st.from_regex(r"[a-z_]{1,12}", fullmatch=True),
)
def test_by_default_nothing_in_a_folder_of_tests_may_change_and_sources_may(root, below, name):
    task = Task(id="a", problem="", source=DirectorySource(path="/"))
    assert not task.is_editable(f"{root}tests/{below}{name}.py")
    assert not task.is_editable(f"test/{below}{name}.py")
    assert not task.is_editable(f"{root}{below}test_{name}.py")
    in_order = "conftest", "sitecustomize", "usercustomize", "tests"
    tests = name.startswith("test_") or name.endswith("_test") or name in in_order
    assert task.is_editable(f"{root}{below}{name}.py") != tests


def test_a_folder_that_a_task_takes_out_is_out_with_all_that_lies_in_it():
    task = Task(id="a", problem="", source=DirectorySource(path="/"), editable=("*.py", "!kit/a/", "!spec/"))
    paths = ["kit/a/b/c.py", "x/kit/a/c.py", "spec/c.py", "x/spec/d/c.py", "kit/c.py", "c.py"]
    assert [path for path in paths if task.is_editable(path)] == ["x/kit/a/c.py", "kit/c.py", "c.py"]


@pytest.mark.parametrize(
    ("helper", "line"), [("tests/helpers.py", "from tests.helpers"), ("kit/checks.py", "from kit.checks")]
)
def test_an_emptied_helper_resolves_nothing(make_task, backend, helper, line):
    test = f"{line} import check\nfrom calc import double\n\n\ndef test_three():\n    check(double(3), 6)\n"
    files = {"calc.py": CALC, helper: HELPER, "tests/__init__.py": "", "kit/__init__.py": ""}
    tests = Tests(hidden={"tests/test_hidden.py": test}, fail_to_pass=("tests/test_hidden.py::test_three",))
    task = make_task(files, tests=tests)
    emptied = FileEntry(data=b"def check(a, b):\n    pass\n")
    verdict = judge(task, Changes(files={helper: emptied}), backend)
    assert not verdict.resolved
    assert verdict.rejected[0].startswith(f"{helper}: ")
