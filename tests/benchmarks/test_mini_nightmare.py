"""The programs of mini-nightmare as tasks, and the edits that fix them."""

import pytest

from debug_gym.benchmarks.mini_nightmare import MiniNightmare
from debug_gym.benchmarks.mini_nightmare.fixes import FIXES, Edit, edited
from debug_gym.checks.validate import validate_all
from debug_gym.errors import ConfigError

LINES = [
    "class Cat:",
    "    hunger = 0",
    *["    # nothing of interest"] * 22,
    "    def step(self):",  # the 25th: the fix is for the line after the next
    "        self.hunger += 5",
    "        if self.hunger > 10:",
    "            return 'meow'",
    "        return 'loud meow' if self.hunger > 20 else 'purr'",
]
TEST = (
    "from purr_code import Cat\n\n\ndef test_step():\n    cat = Cat()\n    said = [cat.step() for _ in range(5)]\n"
    "    assert said == ['purr', 'purr', 'meow', 'meow', 'loud meow']\n"
)
PANDAS_TEST = (
    "from pandas_dataframe_code import load\n\n\ndef test_load():\n    assert list(load()) == ['fare']\n"
)
PANDAS = "import pandas\n\n\ndef load():\n    return pandas.read_csv('https://example.org/table.csv')\n"


@pytest.fixture
def data(tmp_path):
    """A folder like ``data/mini_nightmare``, with a program that has its bug where the real one has it."""
    programs = {"purr": ("\n".join(LINES), TEST), "pandas_dataframe": (PANDAS, PANDAS_TEST)}
    for name, (code, test) in programs.items():
        folder = tmp_path / "mini_nightmare" / name
        folder.mkdir(parents=True)
        (folder / f"{name}_code.py").write_text(code)
        (folder / "test.py").write_text(test)
        (folder / ".debugignore").write_text("exps/\n")
    (tmp_path / "mini_nightmare/mini_nightmare.md").write_text("Hint: the condition of line 27.\n")
    return tmp_path


def test_a_program_is_a_sound_task(data, backend):
    benchmark = MiniNightmare(data_dir=data)
    assert benchmark.ids() == ["purr"]
    task = benchmark.task("purr")
    assert set(task.source.files) == {"purr_code.py", "test.py"}
    assert not task.is_editable("test.py")
    (found,) = validate_all([task], backend, repeats=2)
    assert found.problems == ()


def test_the_table_that_a_program_downloads_is_a_file(data, tmp_path, backend):
    pytest.importorskip("pandas")
    (tmp_path / "table.csv").write_text("fare\n1.5\n")
    benchmark = MiniNightmare(data_dir=data, titanic=tmp_path / "table.csv")
    assert benchmark.ids() == ["pandas_dataframe", "purr"]
    (data / "mini_nightmare/pandas_dataframe/pandas_dataframe_code.py").write_text(PANDAS + "\n" * 10)
    with backend.start(benchmark.task("pandas_dataframe")) as sandbox:
        assert sandbox.run_tests(timeout=60).success


def test_edits_do_not_depend_on_their_order():
    code = "a\nb\nc"
    edits = (Edit(3, 3, "C\n"), Edit(1, 0, "first\n", 1), Edit(2, 2))
    assert edited(code, edits) == edited(code, edits[::-1]) == "    first\na\nC\n"
    assert len(FIXES) == 10


def test_a_folder_with_something_else(tmp_path):
    with pytest.raises(ConfigError, match="holds no copy of mini-nightmare"):
        MiniNightmare(data_dir=tmp_path).ids()
