import subprocess

import pytest

from debug_gym.sandbox import Changes
from debug_gym.sandbox.base import FileEntry
from debug_gym.store.patch import make_patch


def apply(folder, before, patch):
    """Apply a patch with git to files in a folder; what the folder holds then."""
    for name, data in before.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    done = subprocess.run(
        ["git", "apply", "-"], cwd=folder, input=patch.encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a\nb\nc\n", b"a\nB\nc\n"),
        (b"a\nb", b"a\nb\n"),
        (b"a\nb\n", b"a\nb"),
        (b"", b"a\n"),
        (b"a\n", b""),
        (b"a\r\nb\r\n", b"a\r\nB\r\n"),
        (b"a\x0cb\n", b"a\x0cc\n"),
        ("x = 'é\u2028ü'\n".encode(), "x = 'è\u2028ü'\n".encode()),
        (b"--- a\n+++ b\n", b"--- b\n+++ a\n"),
    ],
)
def test_a_patched_file_has_the_changed_bytes(tmp_path, old, new):
    patch, omitted = make_patch(Changes(files={"m.py": FileEntry(new)}), ["m.py"], {"m.py": old}.get)
    assert omitted == ()
    assert apply(tmp_path, {"m.py": old}, patch) == {"m.py": new}


@pytest.mark.parametrize("name", ["pkg/new.py", "with space.py", "naïve.py", 'quo"te.py', "tab\there.py"])
def test_files_are_created_changed_and_deleted_by_any_name(tmp_path, name):
    created, _ = make_patch(Changes(files={name: FileEntry(b"a\n")}), [name], {}.get)
    assert apply(tmp_path, {}, created) == {name: b"a\n"}
    changed, _ = make_patch(Changes(files={name: FileEntry(b"b\n")}), [name], {name: b"a\n"}.get)
    assert apply(tmp_path, {}, changed) == {name: b"b\n"}
    deleted, _ = make_patch(Changes(deleted=(name,)), [name], {name: b"b\n"}.get)
    assert apply(tmp_path, {}, deleted) == {}


def test_an_empty_new_file_and_the_executable_bit_are_kept(tmp_path):
    changes = Changes(files={"empty.py": FileEntry(b""), "run.py": FileEntry(b"x\n", mode=0o755)})
    patch, _ = make_patch(changes, changes.paths, {}.get)
    assert apply(tmp_path, {}, patch) == {"empty.py": b"", "run.py": b"x\n"}
    assert (tmp_path / "run.py").stat().st_mode & 0o100


def test_only_the_given_paths_are_shown():
    changes = Changes(files={"a.py": FileEntry(b"1\n"), "b.py": FileEntry(b"2\n")})
    patch, _ = make_patch(changes, ["b.py"], {}.get)
    assert "b.py" in patch
    assert "a.py" not in patch


def test_an_unchanged_file_gives_nothing():
    assert make_patch(Changes(files={"a.py": FileEntry(b"1\n")}), ["a.py"], {"a.py": b"1\n"}.get) == ("", ())


@pytest.mark.parametrize("data", [b"\xff\xfe\n", b"a\0b\n"])
def test_what_is_no_text_is_left_out_and_named(data):
    changes = Changes(files={"a.py": FileEntry(data), "b.py": FileEntry(b"2\n")})
    patch, omitted = make_patch(changes, changes.paths, {}.get)
    assert omitted == ("a.py: not UTF-8 text",)
    assert "b.py" in patch


def test_a_file_that_cannot_be_read_is_left_out_and_named():
    def original(path):
        raise PermissionError(f"{path}: leads out of the workspace")

    patch, omitted = make_patch(Changes(files={"a.py": FileEntry(b"1\n")}), ["a.py"], original)
    assert (patch, omitted) == ("", ("a.py: a.py: leads out of the workspace",))
