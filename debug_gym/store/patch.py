"""The changes of a workspace as a patch: a unified diff for text, as ``git apply`` and ``patch -p1`` read it,
and git's binary hunks for what is no UTF-8, which only ``git apply`` reads."""

import base64
import hashlib
import os
import zlib
from collections.abc import Callable, Collection, Iterable

from debug_gym.diff import NOWHERE, unified_diff
from debug_gym.sandbox import Changes

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def make_patch(
    changes: Changes,
    paths: Iterable[str],
    original: Callable[[str], bytes | None],
    executable: Collection[str] = (),
) -> tuple[str, tuple[str, ...]]:
    """A patch of some changed files.

    Args:
        changes: what differs from the base.
        paths: which of the changed files to show.
        original: gives a file's content in the base, or None where it has none.
        executable: the files that can be executed in the base.

    Returns:
        The patch, and the changes that it cannot show, each with the reason: ``path: reason``.
    """
    parts: list[str] = []
    omitted: list[str] = []
    for path in sorted(paths):
        entry = changes.files.get(path)
        try:
            old = original(path)
        except (OSError, ValueError) as error:  # as a sandbox's read raises them
            omitted.append(f"{path}: {error}")
            continue
        if entry is not None and entry.link is not None:
            link = os.fsencode(entry.link)
            parts += [_file_patch(path, old, None, "100644"), _file_patch(path, None, link, "120000")]
        else:
            before = _mode(path in executable)
            after = before if entry is None else _mode(bool(entry.mode & 0o100))
            parts.append(_file_patch(path, old, entry.data if entry is not None else None, after, before))
    return "".join(parts), tuple(omitted)


def _mode(executable: bool) -> str:
    return "100755" if executable else "100644"


def _file_patch(path: str, old: bytes | None, new: bytes | None, mode: str, was: str = "100644") -> str:
    there = old is not None and new is not None
    if old == new and (not there or mode == was):
        return ""
    before, after = _quoted(f"a/{path}"), _quoted(f"b/{path}")
    header = f"diff --git {before} {after}\n"
    if old is None:
        header += f"new file mode {mode}\n"
    elif new is None:
        header += f"deleted file mode {was}\n"
    elif mode != was:
        header += f"old mode {was}\nnew mode {mode}\n"
    if old == new:
        return header
    try:
        left, right = _text(old), _text(new)
    except UnicodeDecodeError:
        return header + _binary(old, new, mode if there and mode == was else "")
    tab = "\t" if " " in path else ""  # where GNU patch would end the name at the space
    names = NOWHERE if old is None else before + tab, NOWHERE if new is None else after + tab
    return header + unified_diff(left, right, *names)


def _text(data: bytes | None) -> str:
    if data is not None and b"\0" in data:
        raise UnicodeDecodeError("utf-8", data, 0, 1, "binary")
    return (data or b"").decode("utf-8")


def _binary(old: bytes | None, new: bytes | None, mode: str) -> str:
    """A binary hunk, forth and back: see "binary-patch" in git's ``apply.c``."""
    kept = f" {mode}" if mode else ""
    return f"index {_blob(old)}..{_blob(new)}{kept}\nGIT binary patch\n{_literal(new)}\n{_literal(old)}\n"


def _blob(data: bytes | None) -> str:
    """The name that git gives to a content; zeros where there is no file."""
    if data is None:
        return "0" * 40
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _literal(data: bytes | None) -> str:
    """A content, compressed, in lines of at most 52 bytes: their length as a letter, then base 85."""
    data = data or b""
    packed = zlib.compress(data, 9)
    lines = [packed[at : at + 52] for at in range(0, len(packed), 52)]
    return f"literal {len(data)}\n" + "".join(
        f"{chr(ord('A') + len(line) - 1) if len(line) <= 26 else chr(ord('a') + len(line) - 27)}"
        f"{base64.b85encode(line, pad=True).decode()}\n"
        for line in lines
    )


def _quoted(name: str) -> str:
    """A file name as git writes it: quoted only where it must be. Names need not be valid text."""
    if name.isprintable() and not any(char in _ESCAPES for char in name):
        return name
    escaped = "".join(_ESCAPES.get(char) or (char if " " <= char <= "~" else _octal(char)) for char in name)
    return f'"{escaped}"'


def _octal(char: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in os.fsencode(char))
