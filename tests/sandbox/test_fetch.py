"""Each kind of source: what is fetched of it, and what is refused."""

import subprocess
import tarfile

import pytest

from debug_gym.errors import TaskError
from debug_gym.sandbox.fetch import fetch
from debug_gym.task import ArchiveSource, FilesSource, GitSource, ImageSource, Task, Tests

FIXED = "def add(a, b):\n    return a + b\n"
BROKEN = FIXED.replace("+", "-")
BUG = "--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a + b\n+    return a - b\n"


@pytest.fixture
def repository(tmp_path):
    """A git repository whose package lies in a subfolder."""
    folder = tmp_path / "repository"
    for path, text in {
        "lib/calc/calc.py": FIXED,
        "lib/calc/docs/index.md": "# Calc\n",
        "lib/calc/data/a.bin": "x",
        "lib/other.py": "",
        "README.md": "",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "lib/link").symlink_to("/etc")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        identity = ["-c", "user.name=x", "-c", "user.email=x@localhost"]
        subprocess.run(["git", *identity, *command], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(params=["git", "archive"])
def source(request, repository, tmp_path):
    """``source(**fields)``: the repository as a git source, or as an archive."""

    def make(**fields):
        if request.param == "git":
            return GitSource(url=str(repository), commit="HEAD", **fields)
        path = tmp_path / "x.tar"
        with tarfile.open(path, "w") as archive:
            archive.add(repository, "x")
        return ArchiveSource(path=path, **fields)

    return make


def fetched(source, tmp_path):
    """Path to content of what is fetched."""
    target = tmp_path / "fetched"
    fetch(source, target)
    files = (path for path in target.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(target).as_posix(): path.read_bytes().decode() for path in files}


def test_a_subfolder(source, tmp_path):
    files = fetched(source(subfolder="lib/calc"), tmp_path)
    assert sorted(files) == ["calc.py", "data/a.bin", "docs/index.md"]
    assert [path.name for path in tmp_path.glob("fetched*")] == ["fetched"]


def test_what_is_included_and_excluded(source, tmp_path):
    files = fetched(source(subfolder="lib/calc", include=("*.py", "docs/"), exclude=("index.*",)), tmp_path)
    assert list(files) == ["calc.py"]
    assert not (tmp_path / "fetched/docs").exists()


def test_only_what_is_excluded_is_missing(source, tmp_path):
    assert sorted(fetched(source(exclude=("lib/calc/",)), tmp_path)) == ["README.md", "lib/other.py"]


def test_a_patch_puts_the_bug_in(source, tmp_path):
    assert fetched(source(subfolder="lib/calc", bug_patch=BUG), tmp_path)["calc.py"] == BROKEN
    assert not (tmp_path / "fetched/.git").exists()


def test_a_fix_is_applied_backwards(source, tmp_path):
    fix = BUG.replace("-    return a + b\n+    return a - b", "-    return a - b\n+    return a + b")
    files = fetched(source(subfolder="lib/calc", bug_patch=fix, reverse=True), tmp_path)
    assert files["calc.py"] == BROKEN


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"subfolder": "lib/missing"}, "has no folder lib/missing"),
        ({"subfolder": "lib/link"}, "has no folder lib/link"),
        ({"include": ("*.rs",)}, "is empty"),
        ({"bug_patch": BUG}, "the bug's patch does not apply: .*calc.py"),
        ({"bug_patch": BUG.replace("/calc.py", "/../../out.py")}, "the bug's patch does not apply"),
    ],
)
def test_what_cannot_be_had_is_one_sentence(source, tmp_path, fields, message):
    with pytest.raises(TaskError, match=message):
        fetched(source(**fields), tmp_path)
    assert not (tmp_path / "out.py").exists()


@pytest.mark.parametrize("path", ["/etc", "../up", "a/../../b", "a//b", "."])
def test_paths_that_leave_the_repository_are_refused(path):
    with pytest.raises(ValueError, match="not a plain path"):
        GitSource(url="x", commit="y", subfolder=path)
    with pytest.raises(ValueError, match="not a plain path"):
        FilesSource(files={path: ""})
    with pytest.raises(ValueError, match="not a plain path"):
        Tests(hidden={path: ""})


def test_files_text_and_binary(tmp_path):
    source = FilesSource(files={"a/b.py": "é\r\n", "data.bin": b"\xff\x00"})
    assert FilesSource.model_validate_json(source.model_dump_json()) == source
    fetch(source, tmp_path / "fetched")
    assert (tmp_path / "fetched/a/b.py").read_bytes() == "é\r\n".encode()
    assert (tmp_path / "fetched/data.bin").read_bytes() == b"\xff\x00"


def test_content_is_text_wherever_it_can_be():
    files = FilesSource.model_validate_json(
        '{"files": {"a": {"base64": "aGk="}, "b": {"base64": "/w=="}}}'
    ).files
    assert files == {"a": "hi", "b": b"\xff"}
    assert FilesSource(files={"a": b"hi"}).files == {"a": "hi"}
    for wrong in ({"base64": "?"}, {"base32": "x"}, 3, "\ud800"):
        with pytest.raises(ValueError, match=r"files\.a"):
            FilesSource(files={"a": wrong})


def test_a_file_where_a_folder_is_needed(tmp_path):
    with pytest.raises(TaskError, match="a/b cannot be written"):
        fetch(FilesSource(files={"a": "", "a/b": ""}), tmp_path / "fetched")


def test_an_image_is_left_to_sandboxes_that_can_start_it(backend):
    task = Task(id="a", problem="", source=ImageSource(image="swebench/x:latest"))
    with pytest.raises(
        TaskError, match="lies in the image swebench/x:latest, which this sandbox cannot start"
    ):
        backend.start(task)


@pytest.mark.parametrize(
    "command",
    [
        "A=b pytest",
        "cd src",
        "export X=1",
        "'' x",
        "PYTHONPATH=src python -m pytest",
        "pytest | tee log",
        "pytest > log 2>&1",
        "make && pytest",
        "pytest; true",
    ],
)
def test_a_command_that_cannot_be_run_is_refused_when_the_task_is_made(command):
    import shlex

    with pytest.raises(ValueError, match="test command"):
        Tests(command=shlex.split(command))
    assert Tests(command=("./a=b/run",)).command
