"""docs/local-models.md: the commands of an agent on a local model, and of a server, do what it says."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from debug_gym.cli import main
from debug_gym.store.records import Run

from .test_command import base, command  # noqa: F401 - fixtures

PAGE = (Path(__file__).parents[3] / "docs" / "local-models.md").read_text()


def commands(start):
    """The page's lines that begin so."""
    return [shlex.split(line) for line in re.findall(rf"^{re.escape(start)}.*$", PAGE, re.MULTILINE)]


@pytest.fixture
def place(base, talkers_library, calc, monkeypatch):  # noqa: F811
    """The folders that the page speaks of."""
    monkeypatch.chdir(calc.parent)
    shutil.copytree(base, "base")
    shutil.copytree(talkers_library.folder, "experts")
    return calc.parent


def test_the_agents_command(place, monkeypatch):
    (line,) = commands("debug-gym run repo")
    monkeypatch.setattr(sys, "argv", [*line, "--tools", "listdir,view", "--output", "run"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    (result,) = Run.open(place / "run").results()
    assert result.usage["output_tokens"] > 0


def test_the_servers_command_and_its_client(place, command):  # noqa: F811
    (line,) = commands("debug-gym serve")
    assert line == ["debug-gym", "serve", "experts", "--base", "base", "--port", "8000"]
    _, url = command("--name", "base")
    (code,) = re.findall(r"^```python no-run\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    code = code.replace("http://127.0.0.1:8000/v1", url)
    for shown, here in (("dates", "ants"), ("money", "bees"), ("parsers", "cats")):
        assert f'"{shown}"' in code
        code = code.replace(f'"{shown}"', f'"{here}"')
    assert url in code
    names = {}
    exec(compile(code, "local-models.md", "exec"), names)
    names["client"].close()
