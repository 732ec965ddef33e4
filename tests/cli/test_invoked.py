import sys
from pathlib import Path

from debug_gym.cli.invoked import command


def script(folder):
    folder.mkdir(parents=True)
    path = folder / "debug-gym"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_what_people_are_told_to_type_can_be_typed(tmp_path, monkeypatch):
    mine = script(tmp_path / ".venv" / "bin")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(mine), "run"])
    monkeypatch.setenv("PATH", "/usr/bin")
    assert command() == ".venv/bin/debug-gym"
    monkeypatch.setenv("PATH", str(mine.parent))
    assert command() == "debug-gym"
    other = script(tmp_path / "other")
    monkeypatch.setenv("PATH", str(other.parent))
    assert command() == ".venv/bin/debug-gym"


def test_as_a_module(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/debug_gym/__main__.py"])
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.chdir(Path(sys.executable).parent)
    assert command() == f"{Path(sys.executable).name} -m debug_gym"
