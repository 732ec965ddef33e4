"""QuixBugs from a package of somebody else's, as its page shows it, on data of its format."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from debug_gym.benchmarks.quixbugs import HELPERS, QuixBugs

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/benchmarks/quixbugs.md").read_text()
CASES = [[[1, 2], 3], [[0, 0], 0], [[-1, 1], 0], [[2, 2], 4], [[5, -7], -2]]
IMPORTS = """\
import pytest
{more}
if pytest.use_correct:
    from correct_python_programs.{name} import {name}
else:
    from python_programs.{name} import {name}

"""
FILES = {
    "conftest.py": "import pytest\n\npytest.use_correct = False\n",
    "json_testcases/add.json": "".join(f"{json.dumps(case)}\n" for case in CASES),
    "python_programs/add.py": "def add(a, b):\n    return a - b\n\n\n# Adds.\n",
    "correct_python_programs/add.py": "\ndef add(a, b):\n    return a + b\n",
    "python_programs/last.py": "def last(node):\n    return node\n",
    "correct_python_programs/last.py": "def last(node):\n    return last(node.next) if node.next else node\n",
    "python_testcases/load_testdata.py": (
        "import json\nfrom pathlib import Path\n\n\ndef load_json_testcases(name):\n"
        "    path = Path(__file__).parent.parent / f'json_testcases/{name}.json'\n"
        "    return [json.loads(line) for line in path.open()]\n"
    ),
    "python_testcases/node.py": "class Node:\n    def __init__(self, next=None):\n        self.next = next\n",
    "python_testcases/test_add.py": IMPORTS.format(
        name="add", more="from load_testdata import load_json_testcases"
    )
    + "@pytest.mark.parametrize('data,expected', load_json_testcases(add.__name__))\n"
    "def test_add(data, expected):\n    assert add(*data) == expected\n",
    "python_testcases/test_last.py": IMPORTS.format(name="last", more="from node import Node")
    + "def test1():\n    end = Node()\n    assert last(Node(Node(end))) is end\n\n\n"
    "def test2():\n    end = Node()\n    assert last(end) is end\n",
    "java_programs/ADD.java": "class ADD {}\n",
}


def write(folder, files):
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


@pytest.fixture
def data(tmp_path):
    write(tmp_path / "QuixBugs", FILES)
    return tmp_path


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The page's code and entry point, installed as a package of its own."""
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (points,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    site = tmp_path / "site"
    points = points.replace(
        '[project.entry-points."debug_gym.benchmarks"]', "[debug_gym.benchmarks]"
    ).replace('"', "")
    write(
        site,
        {
            "their_package.py": code,
            "their_package-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: their-package\nVersion: 1\n",
            "their_package-1.dist-info/entry_points.txt": points,
        },
    )
    monkeypatch.setenv("PYTHONPATH", f"{site}:{os.environ.get('PYTHONPATH', '')}")


def test_the_page_shows_the_loader():
    assert (ROOT / "benchmarks/quixbugs.py").read_text() in PAGE


@pytest.mark.usefixtures("package")
def test_a_package_of_somebody_elses_is_validated(data, tmp_path):
    words = ["validate", "their-quixbugs", "--write-tests", "--write-controls", "--repeats=1"]
    command = [sys.executable, "-m", "debug_gym", *words, "--data-dir", str(data), "-o", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "2/2 tasks are sound" in done.stdout) == (0, True), done.stdout + done.stderr
    tests = QuixBugs(data).task("add").tests  # the ids are kept by the benchmark's name and version
    assert len(tests.fail_to_pass) == 4
    assert tests.pass_to_pass == ("python_testcases/test_add.py::test_add[data1-0]",)
    assert tests.controls


def test_the_agent_sees_half_of_the_cases(data):
    benchmark = QuixBugs(data)
    assert benchmark.ids() == ["add", "last"]
    add, last = benchmark.tasks.values()
    cases = "json_testcases/add.json"
    assert [json.loads(line) for line in add.source.files[cases].splitlines()] == [*CASES[:2], *CASES[2::2]]
    assert add.tests.hidden[cases] == FILES[cases]
    assert set(last.source.files) == {"python_programs/last.py", "python_testcases/test_last.py", *HELPERS}
    assert "return a - b" in add.source.files["python_programs/add.py"]
