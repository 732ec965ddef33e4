import subprocess

import pytest

from debug_gym.diff import reverse_patch, unified_diff

FIVE = "one\ntwo\nthree\nfour\nfive\n"
DIFFS = [
    (FIVE, FIVE.replace("three", "3")),
    (FIVE * 10, FIVE * 4 + "new\n" + FIVE * 6),
    (FIVE * 10, "first\n" + FIVE * 10 + "last\n"),
    (FIVE * 10, FIVE * 3),
    ("one\ntwo", "one\ntwo\n"),
    ("one\ntwo\n", "one\n2"),
    ("one\ntwo", "1\ntwo"),
    ("one\r\ntwo\r\n", "one\r\n2\r\n"),
    ("a\rb\nc\n", "a\rb\nd\n"),
    ("a\fb\nc\n", "a\fb\nd\n"),
    (FIVE, ""),
    ("", FIVE),
    ("--- x\n+++ y\n@@ -1 +1 @@\n", "--- z\n+++ y\n@@ -1 +1 @@\n"),
    ("".join(f"{n}\n" for n in range(6000)), "".join(f"x{n}\n" for n in range(6000))),
    ("a\nb\n" + "x\n" * 6000 + "c\n", "a\nb\n" + "y\n" * 7000 + "c\n"),
]


@pytest.mark.parametrize(("old", "new"), DIFFS)
def test_git_applies_the_diff(tmp_path, old, new):
    (tmp_path / "file.txt").write_bytes(old.encode())
    diff = unified_diff(old, new, "a/file.txt", "b/file.txt")
    git = ["git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "-"]
    subprocess.run(git, cwd=tmp_path, input=diff.encode(), check=True)
    held = (tmp_path / "file.txt").read_bytes() if (tmp_path / "file.txt").exists() else b""
    assert held == new.encode()


def test_equal_texts_have_no_diff():
    assert unified_diff(FIVE, FIVE, "a/a.py", "b/a.py") == ""


@pytest.mark.parametrize(("old", "new"), DIFFS)
def test_a_reversed_diff_takes_it_back(tmp_path, old, new):
    (tmp_path / "file.txt").write_bytes(new.encode())
    diff = reverse_patch(unified_diff(old, new, "a/file.txt", "b/file.txt"))
    git = ["git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "-"]
    subprocess.run(git, cwd=tmp_path, input=diff.encode(), check=True)
    assert (tmp_path / "file.txt").read_bytes() == old.encode()


def test_a_reversed_diff_of_gits_takes_all_of_it_back(tmp_path):
    def git(*words, stdin=""):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
        done = subprocess.run(command, cwd=tmp_path, input=stdin, check=True, capture_output=True, text=True)
        return done.stdout

    git("init", "--quiet")
    (tmp_path / "gone.py").write_text("x = 1\n")
    (tmp_path / "old name.py").write_text(FIVE * 3)
    (tmp_path / "run.sh").write_text("echo 1\n")
    git("add", "-A")
    git("commit", "--quiet", "-m", "Before")
    (tmp_path / "gone.py").unlink()
    (tmp_path / "old name.py").rename(tmp_path / "new.py")
    (tmp_path / "new.py").write_text(FIVE * 3 + "-- six\n")
    (tmp_path / "made.py").write_text("y = 2")
    (tmp_path / "run.sh").chmod(0o755)
    git("add", "-A")
    git("apply", "--index", "-", stdin=reverse_patch(git("diff", "--cached", "-M", "HEAD")))
    assert git("status", "--porcelain") == ""
