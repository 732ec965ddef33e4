"""Commits of git repositories: fetched once and kept; or read from a copy on disk."""

import subprocess
import tarfile
import zipfile

import pytest

from debug_gym.benchmarks.data import repository
from debug_gym.errors import ConfigError, HostError, TaskError


def run_git(folder, *words):
    identity = ["-c", "user.name=x", "-c", "user.email=x@localhost"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def upstream(tmp_path, monkeypatch):
    """A repository with two commits, and the id of the first."""
    monkeypatch.setenv("DEBUG_GYM_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "upstream"
    folder.mkdir()
    run_git(folder, "init", "-q", "-b", "main")
    for text in ("broken", "fixed"):
        (folder / "a.py").write_text(text)
        run_git(folder, "add", ".")
        run_git(folder, "commit", "-qm", text)
    return folder, run_git(folder, "rev-parse", "HEAD~1")


def test_a_commit_without_its_history(upstream):
    folder, first = upstream
    found = repository(str(folder), first)
    assert found.commit == first
    assert [path.name for path in found.path.iterdir()] == ["a.py"]
    assert (found.path / "a.py").read_text() == "broken"


def test_a_branch_stays_what_it_was_and_needs_no_network(upstream):
    folder, _ = upstream
    found = repository(str(folder), "main")
    assert found.commit == run_git(folder, "rev-parse", "HEAD")
    folder.rename(folder.with_name("gone"))
    assert repository(str(folder), "main") == found
    assert (found.path / "a.py").read_text() == "fixed"


def test_no_network_is_one_sentence(upstream, tmp_path):
    with pytest.raises(HostError, match=r"cannot be fetched .* --data-dir PATH"):
        repository(str(tmp_path / "nowhere"), "main")
    assert repository(str(upstream[0]), "main"), "nothing half-made is left"


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
@pytest.mark.parametrize("below", [True, False])
def test_a_copy_on_disk(upstream, tmp_path, kind, below):
    copies = tmp_path / "copies"
    copies.mkdir()
    path = copies / ("upstream" if kind == "folder" else f"upstream-main.{kind}")
    if kind == "folder":
        path.mkdir()
        (path / "a.py").write_text("copied")
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("upstream-main/a.py", "copied")
    else:
        (tmp_path / "a.py").write_text("copied")
        with tarfile.open(path, "w:gz") as archive:
            archive.add(tmp_path / "a.py", "upstream-main/a.py")
    found = repository("https://localhost:9/x/upstream.git", "main", data_dir=copies if below else path)
    assert (found.path / "a.py").read_text() == "copied"


def test_a_copy_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="put upstream, a copy of"):
        repository("https://localhost:9/x/upstream", "main", data_dir=tmp_path / "nowhere")


def test_a_damaged_archive(tmp_path, monkeypatch):
    monkeypatch.setenv("DEBUG_GYM_CACHE", str(tmp_path / "cache"))
    (tmp_path / "upstream.zip").write_bytes(b"PK no")
    with pytest.raises(TaskError, match="cannot unpack"):
        repository("https://localhost:9/x/upstream", "main", data_dir=tmp_path / "upstream.zip")
