"""Tracing and ranking: which lines the failing tests have to themselves."""

import ast
import math
import subprocess
import sys
from pathlib import Path

import pytest

from debug_gym.agents.repair import tracer
from debug_gym.agents.repair.bench import WorkbenchError
from debug_gym.agents.repair.localise import Spectrum, Suspicion, ochiai, unpack
from debug_gym.agents.repair.source import Source


@pytest.fixture
def trace(tmp_path):
    """Run the tracer as a sandbox does, by a Python of its own, and read what it wrote."""

    def run(files, *arguments, seconds=60, seconds_per_test=20):
        folder = tmp_path / "work"
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text.encode() if isinstance(text, str) else text)
        target = tmp_path / "result"
        command = [
            sys.executable,
            Path(tracer.__file__),
            target,
            str(seconds),
            str(seconds_per_test),
            *arguments,
        ]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=90)
        return unpack(target.read_text())

    return run


def test_counts_failing_and_passing_tests_by_line(trace):
    code = "def f(x):\n    if x > 2:\n        return 'big'\n    return 'small'\n"
    tests = (
        "from f import f\n"
        "def test_big(): assert f(3) == 'large'\n"
        "def test_small(): assert f(1) == 'small'\n"
        "def test_zero(): assert f(0) == 'small'\n"
    )
    found = trace({"f.py": code, "test_f.py": tests})
    assert found.lines["f.py"] == {2: (1, 2), 3: (1, 0)}
    assert found.files["f.py"] == code
    assert found.outcomes["test_f.py::test_big"] == "failed"
    assert found.failing == 1
    assert found.raised == {"test_f.py::test_big": [("test_f.py", 2)]}
    assert found.types["f.py"][1]["x"] == {"int"}


def test_sees_threads_fixtures_and_where_exceptions_come_from(trace):
    code = "def work():\n    return 1\ndef fail():\n    raise KeyError('x')\ndef ready():\n    return 2\n"
    tests = (
        "import threading, pytest\nfrom code_ import work, fail, ready\n"
        "@pytest.fixture\ndef prepared(): return ready()\n"
        "def test_all(prepared):\n    t = threading.Thread(target=work); t.start(); t.join()\n    fail()\n"
    )
    found = trace({"code_.py": code, "test_a.py": tests})
    assert found.lines["code_.py"] == {2: (1, 0), 4: (1, 0), 6: (1, 0)}
    assert found.raised["test_a.py::test_all"] == [("code_.py", 4), ("test_a.py", 7)]


def test_a_hung_test_ends_and_the_others_run(trace):
    tests = (
        "import time, loop\n"
        "def test_hangs(): loop.forever()\n"
        "def test_ok(): assert loop.one() == 1\n"
        "def test_skipped():\n    import pytest\n    pytest.skip()\n"
    )
    code = "def forever():\n    while True:\n        pass\ndef one():\n    return 1\n"
    found = trace({"loop.py": code, "test_loop.py": tests}, seconds_per_test=0.5)
    assert list(found.outcomes.values()) == ["failed", "passed", "skipped"]
    assert found.lines["loop.py"][2] == (1, 0)


def test_what_was_seen_is_kept_when_the_time_is_up(trace):
    tests = "import stuck\ndef test_ok(): assert stuck.one() == 1\ndef test_stuck(): stuck.never()\n"
    code = (
        "import time\ndef one():\n    return 1\n"
        "def never():\n    while True:\n        try:\n            time.sleep(9)\n        except BaseException:\n            pass\n"
    )
    for seconds in (2, 8, 40):  # a busy machine needs longer to get to the test that is stuck
        found = trace({"stuck.py": code, "test_s.py": tests}, seconds=seconds, seconds_per_test=0.5)
        if "test_s.py::test_stuck" in found.outcomes:
            break
    assert found.outcomes == {"test_s.py::test_ok": "passed", "test_s.py::test_stuck": "failed"}
    assert found.lines["stuck.py"][5] == (1, 0)


def test_an_import_that_fails_counts_as_a_failing_test(trace):
    found = trace({"broken.py": "x = 1\ny = x / 0\n", "test_b.py": "import broken\ndef test_b(): pass\n"})
    assert found.outcomes == {"test_b.py": "error"}
    assert found.lines["broken.py"] == {1: (1, 0), 2: (1, 0)}


def test_selects_tests_as_the_command_does(trace):
    files = {
        "a.py": "def f():\n    return 1\n",
        "test_a.py": "import a\ndef test_x(): assert a.f() == 2\ndef test_y(): a.f()\n",
    }
    found = trace(files, "-k", "test_x")
    assert list(found.outcomes) == ["test_a.py::test_x"]


def test_files_that_are_not_utf_8_are_left_alone(trace):
    code = b"# -*- coding: latin-1 -*-\nname = '\xe9'\ndef f():\n    return name\n"
    found = trace({"old.py": code, "test_o.py": "import old\ndef test_o(): assert old.f() == 'e'\n"})
    assert "old.py" not in found.files
    assert "test_o.py" in found.files


def test_runs_no_code_of_the_objects_that_it_looks_at(trace):
    code = (
        "class Shy:\n    def __init__(self):\n        self.seen = [1]\n"
        "    def __getattribute__(self, name):\n        raise RuntimeError(name)\n"
        "class Lazy:\n    @property\n    def __dict__(self):\n        raise RuntimeError\n"
        "def f():\n    shy, lazy, one = object.__new__(Shy), Lazy(), iter([1])\n    return one\n"
    )
    found = trace({"shy.py": code, "test_s.py": "import shy\ndef test_s(): assert shy.f() is None\n"})
    assert found.outcomes == {"test_s.py::test_s": "failed"}
    assert found.types["shy.py"][10] == {"shy": {"Shy"}, "lazy": {"Lazy"}, "one": {"iterator"}}


def test_the_tracer_is_python_3_8():
    ast.parse(Path(tracer.__file__).read_text(), feature_version=(3, 8))


def test_damage_is_noticed():
    with pytest.raises(WorkbenchError, match="damaged"):
        unpack("ABC")


def test_ochiai_by_hand():
    assert ochiai(2, 0, 2) == 1.0
    assert ochiai(1, 3, 1) == 0.5
    assert ochiai(0, 5, 2) == 0.0
    assert ochiai(1, 1, 2) == pytest.approx(1 / math.sqrt(2 * 2))


CODE = """\
LIMIT = 3
OTHER = 4


def check(x):
    if x > LIMIT:
        return True
    return False


def report(x):
    return check(
        x,
    )
"""


@pytest.fixture
def rated():
    """How suspicious the statement in a line of CODE is, from given counts."""

    def rate(lines, line, *, raised=(), problem=""):
        outcomes = {"t1": "failed", "t2": "passed"}
        spectrum = Spectrum({"a.py": CODE}, {"a.py": lines}, outcomes, raised={"t1": list(raised)})
        source = Source("a.py", CODE)
        suspicion = Suspicion(spectrum, {"a.py": source}, problem)
        node = next(item for item in source.nodes if getattr(item, "lineno", 0) == line)
        return suspicion.of(source, node)

    return rate


def test_a_statement_over_several_lines_is_rated_by_its_most_suspicious(rated):
    assert rated({11: (1, 1), 12: (1, 0)}, 12) == 1.0


def test_a_function_is_rated_by_its_body(rated):
    assert rated({6: (1, 3), 7: (1, 0)}, 5) == 1.0
    assert rated({6: (1, 3), 7: (1, 0)}, 6) == 0.5


def test_what_runs_at_import_is_rated_by_its_uses(rated):
    assert rated({6: (1, 0)}, 1) == pytest.approx(0.8)
    assert rated({6: (1, 0)}, 2) == 0.0


def test_tracebacks_and_the_problems_words_raise_suspicion(rated):
    plain = rated({7: (1, 3)}, 7)
    assert rated({7: (1, 3)}, 7, raised=[("a.py", 7)]) > plain
    assert rated({7: (1, 3)}, 7, problem="Since Monday check() returns nonsense.") > plain
    assert rated({7: (1, 3)}, 7, problem="Reports are unchecked.") == plain


def test_the_top_lines_are_in_order():
    spectrum = Spectrum({}, {"a.py": {1: (1, 3), 2: (1, 0)}, "tests.py": {1: (1, 0)}}, {"t": "failed"})
    source = Source("a.py", "x = 1\ny = 2\n")
    assert Suspicion(spectrum, {"a.py": source}).top(5) == [("a.py", 2, 1.0), ("a.py", 1, 0.5)]
