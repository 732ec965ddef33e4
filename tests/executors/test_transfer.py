import os
import shutil

import pytest

from debug_gym.errors import TaskError
from debug_gym.executors import transfer
from debug_gym.sandbox.fetch import fetch
from debug_gym.task import DirectorySource, Task


@pytest.fixture
def sender():
    ours = transfer.Sender()
    yield ours
    ours.close()


def task(folder):
    return Task(id="t", problem="", source=DirectorySource(path=folder))


def make(folder):
    (folder / "empty").mkdir(parents=True)
    (folder / "a.py").write_text("x = 1\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("a.py")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("[core]\n")
    return folder


def test_a_repository_arrives_as_it_was(sender, tmp_path):
    here = task(make(tmp_path / "here"))
    digest = sender.pack(here)
    assert not transfer.has(digest)
    transfer.store(digest, sender.read(digest))
    assert transfer.has(digest)
    there = tmp_path / "there"
    fetch(transfer.unpacked(here, digest).source, there)
    assert sorted(path.name for path in there.iterdir()) == ["a.py", "empty", "link", "run.sh"]
    assert (there / "a.py").read_text() == "x = 1\n"
    assert os.access(there / "run.sh", os.X_OK)
    assert not os.access(there / "a.py", os.X_OK)
    assert os.readlink(there / "link") == "a.py"


def test_the_digest_tells_contents_apart_and_nothing_else(sender, tmp_path):
    one = sender.pack(task(make(tmp_path / "one")))
    shutil.copytree(tmp_path / "one", tmp_path / "two", symlinks=True)
    os.utime(tmp_path / "two" / "a.py", (1, 1))
    assert sender.pack(task(tmp_path / "two")) == one
    (tmp_path / "two" / "a.py").write_text("x = 2\n")
    assert sender.pack(task(tmp_path / "two")) == one  # packed once
    shutil.copytree(tmp_path / "two", tmp_path / "three", symlinks=True)
    assert sender.pack(task(tmp_path / "three")) != one


def test_a_missing_repository_is_named(sender, tmp_path):
    with pytest.raises(TaskError, match="does not exist"):
        sender.pack(task(tmp_path / "nothing"))


def test_the_cache_keeps_the_newest(monkeypatch, tmp_path):
    monkeypatch.setenv("DEBUG_GYM_CACHE", str(tmp_path))
    monkeypatch.setattr(transfer, "KEPT", 2)
    for number, digest in enumerate("abc"):
        transfer.store(digest, b"")
        os.utime(tmp_path / "archives" / f"{digest}.tar.gz", (number, number))
    transfer.store("d", b"")
    assert [transfer.has(digest) for digest in "abcd"] == [False, False, True, True]
