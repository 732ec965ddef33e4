"""The first sandbox of a process: what is found out about an interpreter is found out once."""

import json
import sys
from pathlib import Path

import pytest

from debug_gym.cache import cache_folder
from debug_gym.sandbox.namespace import NamespaceBackend
from debug_gym.sandbox.server.notes import Notes


def children():
    """Processes that this one has started."""
    return {
        pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()
    }


def test_one_interpreter_is_warmed_and_what_plugins_import_is_kept(make_task, tmp_path, monkeypatch):
    monkeypatch.setenv("DEBUG_GYM_CACHE", str(tmp_path))
    task = make_task({"a.py": "import pydantic\n"})
    before = children()
    backend = NamespaceBackend()
    with backend.start(task) as sandbox:
        assert len(children() - before) == 1
        assert sandbox.exec("python -c 'import pydantic'").exit_code == 0
    backend.close()
    kept = [json.loads(path.read_text()) for path in (cache_folder() / "interpreters").glob("*.json")]
    assert any("xdist.plugin" in notes.get("used by plugins", ()) for notes in kept)


def test_notes_outlive_a_process_and_no_upgrade(tmp_path, monkeypatch):
    Notes(str(tmp_path)).keep("unfit", ["gui"])
    assert Notes(str(tmp_path)).get("unfit") == ["gui"]
    more = tmp_path / "site-packages"
    more.mkdir()
    (more / "new-1.0.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(more)])
    assert Notes(str(tmp_path)).get("unfit") is None


@pytest.mark.parametrize("content", ["", "[]", "{torn"])
def test_notes_that_are_damaged_are_no_notes(tmp_path, content):
    Notes(str(tmp_path)).keep("unfit", ["gui"])
    (file,) = tmp_path.glob("*.json")
    file.write_text(content)
    assert Notes(str(tmp_path)).get("unfit") is None


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    notes = Notes(str(tmp_path / "file" / "below"))
    notes.keep("unfit", ["gui"])
    assert notes.get("unfit") == ["gui"]
