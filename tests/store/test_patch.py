import subprocess

import pytest

from debug_gym.sandbox import Changes, FileEntry
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
        (
            "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"),
            "# -*- coding: latin-1 -*-\nx = 'ü'\n".encode("latin-1"),
        ),
        (bytes(range(256)) * 40, bytes(reversed(range(256))) * 41),
        (b"a\n", b"a\0\n"),
        (b"\xff", b"text\n"),
    ],
)
def test_a_patched_file_has_the_changed_bytes(tmp_path, old, new):
    patch, omitted = make_patch(Changes(files={"m.py": FileEntry(new)}), ["m.py"], {"m.py": old}.get)
    assert omitted == ()
    assert apply(tmp_path, {"m.py": old}, patch) == {"m.py": new}


@pytest.mark.parametrize("data", [b"a\n", b"b\n", b"\xff\n"])
@pytest.mark.parametrize("executable", [True, False])
def test_whether_a_file_can_be_executed_is_part_of_a_patch(tmp_path, data, executable):
    (tmp_path / "run").write_bytes(b"a\n")
    (tmp_path / "run").chmod(0o644 if executable else 0o755)
    changed = Changes(files={"run": FileEntry(data, 0o755 if executable else 0o644)})
    patch, _ = make_patch(changed, changed.paths, {"run": b"a\n"}.get, () if executable else ["run"])
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=patch.encode(), check=True)
    assert (tmp_path / "run").read_bytes() == data
    assert bool((tmp_path / "run").stat().st_mode & 0o100) == executable
    gone, _ = make_patch(Changes(deleted=("run",)), ["run"], {"run": data}.get, ["run"] if executable else ())
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=gone.encode(), check=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "name", ["pkg/new.py", "with space.py", "naïve.py", 'quo"te.py', "tab\there.py", "\udcff.py"]
)
@pytest.mark.parametrize("end", [b"\n", b"\xff\n"])
def test_files_are_created_changed_and_deleted_by_any_name(tmp_path, name, end):
    a, b = b"a" + end, b"b" + end
    created, _ = make_patch(Changes(files={name: FileEntry(a)}), [name], {}.get)
    assert apply(tmp_path, {}, created) == {name: a}
    changed, _ = make_patch(Changes(files={name: FileEntry(b)}), [name], {name: a}.get)
    assert apply(tmp_path, {}, changed) == {name: b}
    deleted, _ = make_patch(Changes(deleted=(name,)), [name], {name: b}.get)
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


def test_a_file_becomes_a_link(tmp_path):
    changes = Changes(files={"a.py": FileEntry(None, link="b.py"), "new.py": FileEntry(None, link="b.py")})
    patch, omitted = make_patch(changes, changes.paths, {"a.py": b"1\n"}.get)
    assert omitted == ()
    assert set(apply(tmp_path, {"a.py": b"1\n", "b.py": b"2\n"}, patch).values()) == {b"2\n"}
    assert {path.name for path in tmp_path.iterdir() if path.is_symlink()} == {"a.py", "new.py"}


def test_a_file_that_cannot_be_read_is_left_out_and_named():
    def original(path):
        raise PermissionError(f"{path}: leads out of the workspace")

    patch, omitted = make_patch(Changes(files={"a.py": FileEntry(b"1\n")}), ["a.py"], original)
    assert (patch, omitted) == ("", ("a.py: a.py: leads out of the workspace",))
