"""No answer lies where an agent can read it."""

import bz2
import gzip
import io
import lzma
import shutil
import subprocess
import zipfile
import zlib

import pytest

from debug_gym.checks.leaks import answers_in_reach
from debug_gym.sandbox.registry import shared_backend
from debug_gym.task import Tests

FIX = "    answer = compute_the_right_answer(left, right)\n    remember_for_later(answer)\n    return answer or nothing_at_all\n"
GOLD = "--- a/a.py\n+++ b/a.py\n@@ -1 +1,3 @@\n-    pass\n" + "".join(
    f"+{line}\n" for line in FIX.splitlines()
)
HIDDEN = "def test_answer():\n    assert compute_the_right_answer(2, 3) == 5\n"


@pytest.fixture(scope="module")
def backend():
    return shared_backend("namespace")


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, None),
        ({"b.py": "def f():\n    return answer or nothing_at_all\n"}, None),  # one line is no answer
        ({"backup/a.py.orig": FIX}, "the agent can read the gold patch in /workspace/backup/a.py.orig"),
    ],
)
def test_what_lies_in_the_workspace(make_task, backend, files, problem):
    task = make_task({"a.py": "    pass\n", **files}, gold_patch=GOLD, tests=Tests(hidden={"t.py": HIDDEN}))
    found = answers_in_reach([task], backend, everywhere=False)
    where = [line for line in found["example"] if not line.endswith("/.git (git objects)")]
    assert where == ([problem] if problem else [])


def test_what_the_repository_has_at_the_same_place_is_no_answer(make_task, backend):
    """A patch that copies lines within its file, and a hidden file that is the visible one, or longer."""
    copied = FIX + FIX.replace("answer", "result")
    gold = "--- a/a.py\n+++ b/a.py\n@@ -1,4 +1,7 @@\n" + "".join(f"+{line}\n" for line in FIX.splitlines())
    longer = f"{HIDDEN}\n\ndef test_nothing():\n    assert True\n"
    files = {"a.py": copied, "t.py": HIDDEN, "u.py": HIDDEN.replace("answer", "answers")}
    hidden = {"t.py": HIDDEN, "u.py": longer.replace("answer", "answers")}
    task = make_task(files, gold_patch=gold, tests=Tests(hidden=hidden))
    assert answers_in_reach([task], backend, everywhere=False) == {"example": []}


FUNCTION = "".join(
    f"def compute_part_number_{n}(left, right):\n    return left * {n} + right\n\n\n" for n in range(6)
)


def test_a_patch_that_moves_lines_to_another_file_is_not_in_the_file_it_takes_them_from(make_task, backend):
    gold = "".join(
        f"--- {'a/old.py' if sign == '-' else '/dev/null'}\n+++ {'/dev/null' if sign == '-' else 'b/new.py'}\n"
        f"@@ -1,{24 if sign == '-' else 0} +1,{0 if sign == '-' else 24} @@\n"
        + "".join(f"{sign}{line}\n" for line in FUNCTION.splitlines())
        for sign in "-+"
    )
    task = make_task({"old.py": FUNCTION}, gold_patch=gold)
    assert answers_in_reach([task], backend, everywhere=False) == {"example": []}


def test_a_patch_that_lies_in_the_workspace_is_found_however_long_it_is(make_task, backend):
    gold = "--- a/a.py\n+++ b/a.py\n@@ -1 +1,24 @@\n-    pass\n"
    gold += "".join(f"+{line}\n" for line in FUNCTION.splitlines())
    task = make_task({"a.py": "    pass\n", "fix.patch": gold}, gold_patch=gold)
    found = answers_in_reach([task], backend, everywhere=False)["example"]
    assert "the agent can read the gold patch in /workspace/fix.patch" in found


@pytest.mark.parametrize(
    ("extra", "leaks"), [("def test_more(): assert f(1)\n", 0), ("", 1), ("# a note on what is here\n", 1)]
)
def test_hidden_tests_that_extend_those_in_sight_under_another_name_are_no_leak(
    make_task, backend, extra, leaks
):
    seen = "".join(
        f"def test_{n}():\n    assert compute_the_right_answer({n}, 3) == {n + 3}\n" for n in range(9)
    )
    task = make_task({"test_seen.py": seen}, tests=Tests(hidden={"test_kept.py": f"{seen}{extra}"}))
    found = answers_in_reach([task], backend, everywhere=False)["example"]
    assert len([line for line in found if "test_seen.py" in line]) == leaks
    assert leaks or not found


def _zipped(text):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", text)
    return file.getvalue()


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("old/a.py.gz", gzip.compress(FIX.encode())),
        ("old/a.zip", _zipped(FIX)),
        ("old.tar.xz", lzma.compress(bz2.compress(FIX.encode()))),
        ("build/cache.bin", zlib.compress(FIX.encode())),
    ],
)
def test_compressed_answers_are_found(make_task, backend, path, data):
    task = make_task({"a.py": "    pass\n", path: data}, gold_patch=GOLD)
    (problem,) = answers_in_reach([task], backend, everywhere=False)["example"]
    assert problem == f"the agent can read the gold patch in /workspace/{path}"


def test_an_archive_with_a_password_holds_nothing_that_could_be_read(make_task, backend):
    archive = bytearray(_zipped(FIX))
    archive[archive.index(b"PK\x01\x02") + 8] |= 1  # the flag of the directory's entry: encrypted
    archive[6] |= 1  # and of the file's own header
    task = make_task({"a.py": "    pass\n", "old/a.zip": bytes(archive)}, gold_patch=GOLD)
    assert answers_in_reach([task], backend, everywhere=False) == {"example": []}


def test_commits_that_hold_the_answer_are_found(make_task, backend, tmp_path):
    """A repository in the repository, under a name that nothing strips: its objects are packed."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(tmp_path)]
    (tmp_path / "a.py").write_text(FIX)
    for words in (["init", "-q"], ["add", "a.py"], ["commit", "-qm", "fix"], ["gc", "-q"]):
        subprocess.run([*git, *words], check=True)
    task = make_task({"a.py": "    pass\n"}, gold_patch=GOLD)
    shutil.copytree(tmp_path / ".git", task.source.path / "mirror.git")
    (problem,) = answers_in_reach([task], backend, everywhere=False)["example"]
    assert problem == "the agent can read the gold patch in /workspace/mirror.git (git objects)"


def test_a_task_without_answers_has_nothing_to_find(make_task, backend):
    assert answers_in_reach([make_task({"a.py": ""})], backend) == {"example": []}
