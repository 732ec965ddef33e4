"""Repositories from strangers: nothing of theirs runs on the host, is followed, or breaks the cache."""

import io
import os
import subprocess
import sys
import tarfile
import textwrap
import zipfile

import pytest

from debug_gym.errors import TaskError
from debug_gym.sandbox import checkout_cache
from debug_gym.sandbox.interpreters import interpreter
from debug_gym.task import ArchiveSource, DirectorySource, Environment, GitSource


@pytest.fixture
def archive(tmp_path):
    """``archive(("p/a.py", "text"), ("p/b", "link", "target"), ("p/c", "hard", "p/a.py"))``: a tar file."""

    def make(*members):
        path = tmp_path / "archive.tar"
        with tarfile.open(path, "w") as file:
            for name, *rest in members:
                entry = tarfile.TarInfo(name)
                if len(rest) == 2:
                    entry.type = tarfile.SYMTYPE if rest[0] == "link" else tarfile.LNKTYPE
                    entry.linkname = rest[1]
                    file.addfile(entry)
                else:
                    data = rest[0].encode()
                    entry.size = len(data)
                    file.addfile(entry, io.BytesIO(data))
        return ArchiveSource(path=path)

    return make


def _configuration(mark):
    return f'[core]\n\trepositoryformatversion = 0\n\tfsmonitor = touch {mark};\n[filter "x"]\n\tclean = touch {mark}; cat\n'


@pytest.mark.parametrize("where", ["", "sub/"])
def test_the_git_configuration_of_a_repository_is_not_obeyed(archive, tmp_path, where):
    mark = tmp_path / "mark"
    source = archive(
        ("p/a.py", "x = 1\n"),
        ("p/.gitattributes", "*.py filter=x\n"),
        (f"p/{where}.git/config", _configuration(mark)),
        (f"p/{where}.git/HEAD", "ref: refs/heads/main\n"),
        (f"p/{where}.git/objects/x", ""),
        (f"p/{where}.git/refs/x", ""),
    )
    base = checkout_cache.prepare(source)
    assert not mark.exists()
    assert "fsmonitor" not in (base.path / ".git/config").read_text()
    assert not (base.path / "sub/.git").exists()


def test_a_git_file_of_a_folder_is_not_followed(tmp_path):
    (tmp_path / "a.py").write_text("")
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    base = checkout_cache.prepare(DirectorySource(path=tmp_path, exclude=()))
    assert (base.path / ".git").is_dir()


@pytest.mark.parametrize("field", ["url", "commit"])
def test_git_takes_no_options_from_a_task(tmp_path, field):
    mark = tmp_path / "mark"
    source = {"url": str(tmp_path), "commit": "main", field: f"--upload-pack=touch {mark};"}
    with pytest.raises(TaskError, match="option"):
        checkout_cache.prepare(GitSource(**source))
    assert not mark.exists()


def test_links_to_files_of_the_host_are_not_read(tmp_path):
    secret = tmp_path / "secret.py"
    secret.write_text("import secret_module\nSECRET = 'correct horse'\n")
    os.mkfifo(tmp_path / "pipe")
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "a.py").write_text("import real_module\n")
    (repository / "b.py").symlink_to(secret)
    (repository / "c.py").symlink_to(tmp_path / "pipe")  # whoever reads it waits for ever
    base = checkout_cache.prepare(DirectorySource(path=repository))
    assert base.imports == ("real_module",)
    compiled = [path.name.split(".")[0] for path in base.path.rglob("*.pyc")]
    assert compiled == ["a"]


def test_an_archive_with_links(archive):
    source = archive(("p/a.py", "x = 1\n"), ("p/soft", "link", "a.py"), ("p/b.py", "hard", "p/a.py"))
    base = checkout_cache.prepare(source)
    assert (base.path / "soft").readlink().name == "a.py"
    assert (base.path / "b.py").read_text() == "x = 1\n"


@pytest.mark.parametrize(
    "members",
    [
        [("p/../../outside", "x")],
        [("/outside", "x")],
        [("p/out", "link", "../.."), ("p/out/outside", "x")],
        [("p/out", "link", "/etc/hostname"), ("p/copy", "hard", "p/out")],
        [("p/a", "x"), ("p/a/b", "x")],
        [("p/" + "d/" * 1500 + "f.py", "x")],
        [("p/" + "d/" * 150 + "f.py", "x")],
    ],
)
def test_an_archive_that_reaches_out_or_too_deep_is_refused(archive, tmp_path, members):
    with pytest.raises(TaskError):
        checkout_cache.prepare(archive(("p/a.py", ""), *members))
    assert not list(tmp_path.rglob("outside"))
    assert not list((checkout_cache.cache_folder() / "bases").glob("staging-*"))


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08broken", b"PK\x05\x06"])
def test_a_broken_archive_is_said(tmp_path, content):
    path = tmp_path / "archive.tar"
    path.write_bytes(content)
    with pytest.raises(TaskError):
        checkout_cache.prepare(ArchiveSource(path=path))


def test_a_zip_keeps_links_and_programs(tmp_path):
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name, mode, text in (("p/run", 0o100755, "#!/bin/sh\n"), ("p/link", 0o120777, "run")):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            file.writestr(entry, text)
    base = checkout_cache.prepare(ArchiveSource(path=path))
    assert os.access(base.path / "run", os.X_OK)
    assert os.readlink(base.path / "link") == "run"


def test_different_repositories_never_share_a_base(tmp_path):
    """Names and contents that run into each other would give the same digest."""
    for number, (link, name) in enumerate((("1", "zz"), ("1z", "z"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "x").symlink_to(link)
        (folder / name).write_text("")
    one, other = (checkout_cache.prepare(DirectorySource(path=tmp_path / name)) for name in ("0", "1"))
    assert one.path != other.path


# -- the cache -------------------------------------------------------------------------------------


def test_a_base_in_use_is_not_swept_and_a_swept_one_is_made_again(backend, make_task, monkeypatch):
    monkeypatch.setattr(checkout_cache, "KEPT", 1)
    tasks = [make_task({"a.py": f"x = {number}\n"}) for number in range(4)]
    with backend.start(tasks[0]) as used:
        for task in tasks:
            backend.start(task).close()
        assert used.exec("cat a.py").output == "x = 0\n"
        assert used.changes().paths == ()
    for task in tasks:
        with backend.start(task) as sandbox:
            assert sandbox.exec("cat a.py").output == task.source.path.joinpath("a.py").read_text()


def test_two_processes_prepare_the_same_base_at_once(make_task):
    task = make_task({f"m{number}.py": "x = 1\n" for number in range(50)})
    code = """
        import sys
        from pathlib import Path
        from debug_gym.sandbox import checkout_cache
        from debug_gym.task import DirectorySource
        print(checkout_cache.prepare(DirectorySource(path=Path(sys.argv[1]))).path)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(task.source.path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    paths = {process.communicate()[0] for process in running}
    assert len(paths) == 1
    assert all(process.returncode == 0 for process in running)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_read_only_cache_is_said(make_task, monkeypatch, tmp_path):
    (tmp_path / "bases").mkdir(mode=0o555)
    monkeypatch.setenv("DEBUG_GYM_CACHE", str(tmp_path))
    with pytest.raises(TaskError, match="DEBUG_GYM_CACHE"):
        checkout_cache.prepare(make_task({"a.py": "never seen before\n"}).source)


def test_a_forked_copy_of_the_gym_can_prepare(make_task):
    """Even if another thread was preparing at that moment."""
    source = make_task({"a.py": "forked\n"}).source
    with checkout_cache._lock:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = int(not checkout_cache.prepare(source).path.exists())
            finally:
                os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_repository_of_many_modules(backend, make_task):
    """More names than fit into a datagram."""
    task = make_task({f"a_module_with_quite_a_long_name_of_its_own_{n}.py": "" for n in range(5000)})
    with backend.start(task) as sandbox:
        assert sandbox.exec("ls | wc -l").output == "5001\n"


# -- the interpreter -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("no program", "cannot be run"),
        ("#!/bin/sh\nkill -9 $$\n", "exit code -9"),
        ("#!/bin/sh\necho no licence >&2; exit 3\n", "no licence"),
        ("#!/bin/sh\necho 2 7\n", r"Python 2\.7"),
        ("#!/bin/sh\necho 3 5\n", r"Python 3\.5"),
        ("#!/bin/sh\nexit 0\n", "not a Python"),
    ],
)
def test_an_interpreter_that_is_none_is_said(tmp_path, script, message):
    path = tmp_path / "python"
    path.write_text(script)
    path.chmod(0o755)
    with pytest.raises(TaskError, match=message):
        interpreter(Environment(python=str(path)))
