"""Where repositories come from: folders, archives, git commits."""

import subprocess
import tarfile
import time
import zipfile

import pytest

from debug_gym.errors import TaskError
from debug_gym.sandbox import checkout_cache
from debug_gym.task import ArchiveSource, DirectorySource, GitSource, Task


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg/__init__.py").write_text("import json, numpy\n")
    (folder / "main.py").write_text("from pkg import x\n    import yaml\n")
    (folder / ".venv").mkdir()
    (folder / ".venv/secret.py").write_text("")
    return folder


def _git(folder, *arguments):
    identity = ["-c", "user.name=x", "-c", "user.email=x@localhost"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def _log(base):
    command = ["git", "-c", f"safe.directory={base.path}", "log", "--all", "--format=%s"]
    return subprocess.run(
        command, cwd=base.path, capture_output=True, text=True, check=True
    ).stdout.splitlines()


def test_a_folder(repository):
    base = checkout_cache.prepare(DirectorySource(path=repository))
    assert (base.path / "main.py").exists()
    assert not (base.path / ".venv").exists()
    assert base.names == ("main", "pkg")
    assert base.imports == ("numpy", "yaml")
    assert len(_log(base)) == 1


def test_the_same_content_is_one_base_and_the_cache_is_used(repository, tmp_path):
    import shutil

    forked = tmp_path / "forked"
    shutil.copytree(repository, forked)
    first = checkout_cache.prepare(DirectorySource(path=repository))
    assert checkout_cache.prepare(DirectorySource(path=forked)).path == first.path
    (forked / "main.py").write_text("changed = 1\n")
    assert checkout_cache.prepare(DirectorySource(path=forked, exclude=(".venv",))).path != first.path


def test_folders_of_runs_and_wildcards_are_left_out(repository):
    run = repository / "pkg" / "out"
    (run / "trajectories").mkdir(parents=True)
    for name in (".lock", "config.json", "results.jsonl"):
        (run / name).touch()
    (repository / "old.bak").touch()
    base = checkout_cache.prepare(DirectorySource(path=repository, exclude=("*.bak",)))
    assert (base.path / "pkg").is_dir()
    assert not (base.path / "pkg" / "out").exists()
    assert not (base.path / "old.bak").exists()


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_an_archive(repository, tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(repository / "main.py", "top/main.py")
    else:
        with tarfile.open(path, "w:gz") as archive:
            archive.add(repository / "main.py", "top/main.py")
    base = checkout_cache.prepare(ArchiveSource(path=path))
    assert (base.path / "main.py").read_text() == (repository / "main.py").read_text()


def test_an_archive_that_tries_to_get_out(tmp_path, repository):
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(repository / "main.py", "top/../../evil.py")
    with pytest.raises(TaskError, match="evil"):
        checkout_cache.prepare(ArchiveSource(path=path))


def test_a_git_commit_comes_without_its_history(repository):
    _git(repository, "init", "-q")
    _git(repository, "add", "main.py")
    _git(repository, "commit", "-qm", "broken")
    first = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True
    )
    (repository / "main.py").write_text("fixed = 1\n")
    _git(repository, "commit", "-qam", "the fix")
    base = checkout_cache.prepare(GitSource(url=str(repository), commit=first.stdout.strip()))
    assert "fixed" not in (base.path / "main.py").read_text()
    assert _log(base) == ["The repository as it was found"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (DirectorySource(path="/no/such/folder"), "does not exist"),
        (ArchiveSource(path="/no/such/file.tar"), "cannot unpack"),
        (GitSource(url="/no/such/repository", commit="main"), "git fetch failed"),
    ],
)
def test_a_missing_source_is_one_sentence(source, words):
    with pytest.raises(TaskError, match=words):
        checkout_cache.prepare(source)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(TaskError, match=f"is empty: {tmp_path}$"):
        checkout_cache.prepare(DirectorySource(path=tmp_path))


def test_a_folder_that_is_rewritten_in_the_same_process_is_looked_at_again(repository, backend):
    source = DirectorySource(path=repository)
    task = Task(id="a", problem="", source=source)
    with backend.start(task) as begun:
        for text in ("first = 1\n", "other = 1\n"):  # as long as the one before
            (repository / "main.py").write_text(text)
            time.sleep(0.1)
            assert (checkout_cache.prepare(source).path / "main.py").read_text() == text
            with backend.start(task) as fresh:
                assert fresh.read("main.py").decode() == text
        with begun.fork() as forked:  # goes on with the files with which it was begun
            assert "from pkg" in forked.read("main.py").decode()


def test_a_source_with_a_state_is_looked_at_once(repository):
    before = checkout_cache.prepare(DirectorySource(path=repository, state="1"))
    (repository / "main.py").write_text("changed = 1\n")
    assert checkout_cache.prepare(DirectorySource(path=repository, state="1")) == before
    assert checkout_cache.prepare(DirectorySource(path=repository, state="2")) != before


def test_an_episode_is_judged_on_the_files_with_which_it_was_begun(calc, backend):
    from debug_gym.env import DebugGymEnv

    env = DebugGymEnv(task=Task(id="a", problem="", source=DirectorySource(path=calc)), sandbox=backend)
    env.reset()
    (calc / "calc.py").write_text("def add(a, b):\n    return a + b\n")
    time.sleep(0.1)
    assert not env.judge().resolved
    env.reset()
    assert env.judge().resolved  # now there is nothing to fix
    env.close()


def test_the_past_of_ones_own_repository_is_kept_on_request(repository, tmp_path):
    def run(folder, *arguments):
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@b"]
        done = subprocess.run(
            ["git", "-C", folder, *who, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout

    run(repository, "init", "-q")
    run(repository, "add", "-A")
    run(repository, "commit", "-qm", "The first price")
    (repository / "later.py").write_text("x = 1\n")
    base = checkout_cache.prepare(DirectorySource(path=repository, history=True)).path
    assert run(base, "log", "--format=%an %s").splitlines() == [
        "debug-gym The repository as it was found",
        "Ada The first price",
    ]
    assert run(base, "status", "--short") == ""
    assert str(repository) not in "".join(
        path.read_text(errors="replace") for path in (base / ".git").rglob("*") if path.is_file()
    )
    plain = checkout_cache.prepare(DirectorySource(path=repository)).path
    assert run(plain, "log", "--format=%s").splitlines() == ["The repository as it was found"]
    with pytest.raises(TaskError, match="history=true is for a git repository"):
        checkout_cache.prepare(DirectorySource(path=tmp_path, history=True))
