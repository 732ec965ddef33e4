"""One library, tested in every style: real fixes of any shape are resolved, and nothing else is."""

import pytest

from debug_gym.judge import judge
from debug_gym.judge.controls.make import make_controls
from debug_gym.sandbox import Changes, FileEntry
from debug_gym.task import Tests

CORE = '''\
"""Numbers in brief."""


def mean(values):
    """The arithmetic mean."""
    return float(sum(values) // len(values))


def describe(values):
    return f"mean {mean(values):.2f}, largest {max(values)}"
'''
FILES = {
    "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["src"]\naddopts = "--doctest-modules"\n',
    "src/tally/__init__.py": "from tally.core import describe, mean\n",
    "src/tally/core.py": CORE,
    "src/tally/words.py": 'def last(text):\n    """\n    >>> last("a b")\n    \'b\'\n    """\n    return text.split()[-1]\n',
    "data/numbers.txt": "1\n2\n",
    "tests/unit/__init__.py": "",
    "tests/unit/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef pair():\n    return [1, 2]\n",
    "tests/unit/test_visible.py": "from tally import mean\n\n\ndef test_even():\n    assert mean([2, 4]) == 3\n",
}
pytestmark = pytest.mark.timeout(300)

STYLES = """\
import asyncio
import json
import unittest
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tally import core, describe, mean

from .wanted import HALF

HERE = Path(__file__).parent
LIMIT = 7.5
CASES = json.loads((HERE / "cases.json").read_text())


@pytest.mark.parametrize("values, want", [pytest.param([1, 2], 1.5, id="two"), ([1, 2, 4, 3], 2.5)])
def test_table(values, want):
    assert mean(values) == want


@pytest.fixture
def expected():
    return "mean 0.50, largest 1"


def test_fixture(expected):
    assert describe([0, 1]) == expected


def test_shared_fixture(pair):
    assert mean(pair) == 1.5


class TestMean:
    def test_module_constant(self):
        assert mean([7, 8]) == LIMIT

    def test_constant_of_another_module(self):
        assert mean([0, 1]) == HALF


class Classic(unittest.TestCase):
    def test_several(self):
        for values in ([3, 4], [2, 5]):
            with self.subTest(values=values):
                self.assertEqual(mean(values), 3.5)
        self.assertAlmostEqual(mean([5, 6]), 5.5)


class Later(unittest.IsolatedAsyncioTestCase):
    async def test_awaited(self):
        await asyncio.sleep(0)
        self.assertEqual(mean([9, 10]), 9.5)


def test_loop():
    async def work():
        return mean([11, 12])

    assert asyncio.run(work()) == 11.5


@settings(max_examples=20, deadline=None, database=None)
@given(st.integers(0, 1000))
def test_property(number):
    assert mean([number, number + 1]) == number + 0.5


def test_folder_and_output(tmp_path, capsys):
    path = tmp_path / "numbers.txt"
    path.write_text("13\\n14\\n")
    print(mean([int(line) for line in path.open()]))
    assert capsys.readouterr().out == "13.5\\n"


def test_close():
    assert mean([1, 2, 2]) == pytest.approx(1.6666667, abs=0.01)


def test_raises():
    with pytest.raises(ZeroDivisionError):
        mean([])


def test_patched(monkeypatch):
    monkeypatch.setattr(core, "mean", lambda values: 0.25)
    assert describe([1]) == "mean 0.25, largest 1"


def test_snapshot():
    assert describe([15, 16]) == (HERE / "snapshot.txt").read_text().strip()


def test_cases():
    assert mean(CASES["values"]) == CASES["expected"]


def test_current_folder():
    assert mean([int(line) for line in Path("data/numbers.txt").open()]) == 1.5


def test_names_in_order():
    seen = []
    seen.append("first")
    seen.append("second")
    assert (mean([17, 18]), seen) == (17.5, ["first", "second"])
"""
HIDDEN = {
    "tests/unit/test_styles.py": STYLES,
    "tests/unit/wanted.py": "HALF = 0.5\n",
    "tests/unit/snapshot.txt": "mean 15.50, largest 16\n",
    "tests/unit/cases.json": '{"values": [19, 20], "expected": 19.5}\n',
}
NAMES = (
    "test_table[two]",
    "test_table[values1-2.5]",
    "test_fixture",
    "test_shared_fixture",
    "TestMean::test_module_constant",
    "TestMean::test_constant_of_another_module",
    "Classic::test_several",
    "Later::test_awaited",
    "test_loop",
    "test_property",
    "test_folder_and_output",
    "test_close",
    "test_snapshot",
    "test_cases",
    "test_current_folder",
    "test_names_in_order",
)
TESTS = Tests(
    hidden=HIDDEN,
    fail_to_pass=tuple(f"tests/unit/test_styles.py::{name}" for name in NAMES),
    pass_to_pass=(
        "tests/unit/test_styles.py::test_raises",
        "tests/unit/test_styles.py::test_patched",
        "tests/unit/test_visible.py::test_even",
        "src/tally/words.py::tally.words.last",
    ),
    timeout=20,
)
DIVISION = "float(sum(values) // len(values))"


FIXED = CORE.replace(DIVISION, "sum(values) / len(values)")


def changing(*deleted, **files):
    """Changed modules of the package."""
    entries = {f"src/tally/{name}.py": FileEntry(data=text.encode()) for name, text in files.items()}
    return Changes(files=entries, deleted=deleted)


GOLD = changing(core=FIXED)
PACKAGE = {
    "src/tally/core/__init__.py": f"from .ratio import of\n\n\n{CORE.replace(DIVISION, 'of(values)')}",
    "src/tally/core/ratio.py": "def of(values):\n    return sum(values) / len(values)\n",
}
FIXES = {
    "another module, another library": changing(
        core=f"from tally.fractions import middle\n\n\n{CORE.replace(DIVISION, 'middle(values)')}",
        fractions="import statistics\n\n\ndef middle(values):\n    try:\n        return statistics.fmean(values)\n"
        "    except statistics.StatisticsError:\n        raise ZeroDivisionError('no values') from None\n",
    ),
    "rounded, in the style of another system": changing(
        core=CORE.replace(DIVISION, "round(sum(values) / len(values), 12)").replace("\n", "\r\n")
    ),
    "a package in place of the module": Changes(
        files={path: FileEntry(data=text.encode()) for path, text in PACKAGE.items()},
        deleted=("src/tally/core.py",),
    ),
}


@pytest.fixture(scope="module")
def task(make_task, backend):
    plain = make_task(FILES, tests=TESTS)
    controls = make_controls(plain, GOLD, backend)
    return plain.model_copy(update={"tests": TESTS.model_copy(update={"controls": controls})})


def test_most_styles_have_controls_that_bound_forging(task):
    sharp = {control.test.rpartition("::")[2] for control in task.tests.controls if control.sharp}
    assert sharp >= {
        "test_table[two]",
        "test_fixture",
        "test_module_constant",
        "test_several",
        "test_awaited",
        "test_loop",
        "test_folder_and_output",
        "test_close",
        "test_snapshot",
        "test_cases",
        "test_current_folder",
    }
    assert {control.path for control in task.tests.controls} >= {
        f"tests/unit/{name}" for name in ("snapshot.txt", "cases.json")
    }


def test_the_unfixed_code_is_no_fix(task, backend):
    verdict = judge(task, Changes(), backend)
    assert not verdict.resolved
    assert (verdict.fail_to_pass, verdict.pass_to_pass) == (0.0, 1.0)
    assert verdict.cheating == ()


@pytest.mark.parametrize("fix", FIXES.values(), ids=FIXES)
def test_every_real_fix_is_resolved(task, backend, fix):
    verdict = judge(task, fix, backend)
    assert verdict.resolved, verdict.reason
    assert verdict.odds < 1e-4
