"""The changes of a workspace as a unified diff that ``git apply`` and ``patch -p1`` understand."""

import difflib
from collections.abc import Callable, Iterable

from debug_gym.sandbox import Changes
from debug_gym.sandbox.base import FileEntry

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def make_patch(
    changes: Changes, paths: Iterable[str], original: Callable[[str], bytes | None]
) -> tuple[str, tuple[str, ...]]:
    """A unified diff of some changed files.

    Args:
        changes: what differs from the base.
        paths: which of the changed files to show.
        original: gives a file's content in the base, or None where it has none.

    Returns:
        The diff, and the changes that a text diff cannot show, each with the reason: ``path: reason``.
    """
    parts: list[str] = []
    omitted: list[str] = []
    for path in sorted(paths):
        entry = changes.files.get(path)
        try:
            old = _text(original(path))
            new = _text(entry.data if entry is not None else None)
        except UnicodeDecodeError:
            omitted.append(f"{path}: not UTF-8 text")
            continue
        except (OSError, ValueError) as error:  # as a sandbox's read raises them
            omitted.append(f"{path}: {error}")
            continue
        parts.append(_file_patch(path, old, new, entry))
    return "".join(parts), tuple(omitted)


def _text(data: bytes | None) -> str | None:
    if data is None:
        return None
    if b"\0" in data:
        raise UnicodeDecodeError("utf-8", data, 0, 1, "binary")
    return data.decode("utf-8")


def _file_patch(path: str, old: str | None, new: str | None, entry: FileEntry | None) -> str:
    if old == new:
        return ""
    before, after = _quoted(f"a/{path}"), _quoted(f"b/{path}")
    header = [f"diff --git {before} {after}\n"]
    if old is None:
        header.append(f"new file mode {'100755' if entry is not None and entry.mode & 0o100 else '100644'}\n")
    elif new is None:
        header.append("deleted file mode 100644\n")
    tab = "\t" if " " in path else ""  # where GNU patch would end the name at the space
    body = difflib.unified_diff(
        _lines(old or ""),
        _lines(new or ""),
        "/dev/null" if old is None else before + tab,
        "/dev/null" if new is None else after + tab,
    )
    shown = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in body)
    return "".join([*header, *shown])


def _lines(text: str) -> list[str]:
    """Lines with their ends. Only a line feed ends one: form feeds and lone carriage returns are content."""
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _quoted(name: str) -> str:
    """A file name as git writes it: quoted only where it must be."""
    if not any(char in _ESCAPES or char < " " for char in name):
        return name
    escaped = "".join(_ESCAPES.get(char) or (char if char >= " " else f"\\{ord(char):03o}") for char in name)
    return f'"{escaped}"'
