"""A repository's code and documentation in chunks that a model can read one at a time."""

import ast
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from debug_gym.errors import ConfigError

SKIPPED = frozenset(["__pycache__", "node_modules", "site-packages", "venv", "build", "dist"])
DOCS = frozenset([".md", ".rst", ".txt"])
CODE = frozenset(
    [
        *(
            ".py",
            ".pyi",
            ".js",
            ".ts",
            ".go",
            ".rs",
            ".java",
            ".kt",
            ".c",
            ".h",
            ".cc",
            ".cpp",
            ".hpp",
            ".cs",
        ),
        *(".rb", ".php", ".sh", ".sql", ".toml", ".yaml", ".yml", ".cfg", ".ini"),
    ]
)
LARGEST = 400_000
"""Bytes of a file; what is larger was rarely written by a person."""

Count = Callable[[str], int]
"""How many tokens a text is."""


class Chunk(BaseModel):
    """Some lines of a file."""

    model_config = ConfigDict(frozen=True)

    path: str
    """Relative to the repository, with slashes."""
    start: int
    """Its first line, counted from 1."""
    end: int
    """Its last line."""
    text: str

    @property
    def shown(self) -> str:
        """What a model reads."""
        return f"{self.path}, lines {self.start} to {self.end}:\n\n{self.text}"


def source_files(root: Path) -> Iterator[Path]:
    """Code and documentation below ``root``, in the order of their paths; links are not followed.

    Hidden files, folders of installed packages and builds, and files of more than :data:`LARGEST` bytes are
    left out.

    Raises:
        ConfigError: ``root`` is no folder.
    """
    if not root.is_dir():
        raise ConfigError(f"{root} is no folder: name the repository that should be learned")
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in SKIPPED and not name.startswith("."))
        for file in sorted(files):
            path = Path(folder, file)
            known = path.suffix.lower() in DOCS | CODE and not file.startswith(".")
            if known and path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST:
                yield path


def read_text(path: Path) -> str | None:
    """A file's text; None where it is no UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def parsed(text: str) -> ast.Module:
    """The syntax tree of Python code; an empty one where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is doubtful in other people's code is not ours to say
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ast.Module([], [])


def chunks_of(root: Path, size: int, count: Count) -> Iterator[Chunk]:
    """All files of a repository in chunks of at most ``size`` tokens, cut at definitions and headings.

    A definition that is longer is cut between lines, a line that is longer loses its end. A file is read when
    its turn comes.
    """
    for path in source_files(root):
        text = read_text(path)
        if text and text.strip():
            yield from _cut(path.relative_to(root).as_posix(), text, size, count)


def headings(lines: Sequence[str]) -> Iterator[tuple[int, str, int]]:
    """Where a section of Markdown or reStructuredText begins, its title, and the line after that."""
    for at, (line, under) in enumerate(zip(lines, [*lines[1:], ""], strict=True)):
        if heading := re.match(r"#{1,6}\s+(.*\S)", line):
            yield at, heading[1], at + 1
        elif line[:1].isalnum() and re.fullmatch(r"([=~^*+-])\1{2,}\s*", under):
            yield at, line.strip(), at + 2


def _cut(path: str, text: str, size: int, count: Count) -> Iterator[Chunk]:
    lines = text.splitlines()
    starts = {at for at in _starts(path, text, lines) if 0 < at < len(lines)}
    first, tokens = 0, 0
    last_start = 0
    sizes = [count(line + "\n") for line in lines]
    for at in range(len(lines)):
        if at in starts:
            last_start = at
        if tokens + sizes[at] > size and at > first:
            end = last_start if first < last_start <= at else at
            yield from _chunk(path, lines, first, end, size, count)
            first, tokens = end, sum(sizes[end:at])
            if tokens + sizes[at] > size and at > first:
                yield from _chunk(path, lines, first, at, size, count)
                first, tokens = at, 0
        tokens += sizes[at]
    yield from _chunk(path, lines, first, len(lines), size, count)


def _chunk(path: str, lines: list[str], first: int, end: int, size: int, count: Count) -> Iterator[Chunk]:
    kept = lines[first:end]
    if len(kept) == 1 and count(kept[0]) > size:
        kept = [kept[0][: max(1, len(kept[0]) * size // count(kept[0]))]]
    text = "\n".join(kept)
    if text.strip():
        yield Chunk(path=path, start=first + 1, end=end, text=text)


def _starts(path: str, text: str, lines: list[str]) -> set[int]:
    """Indices of lines where something new begins."""
    if path.endswith((".py", ".pyi")):
        found = set()
        for node in ast.walk(parsed(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                found.add(first - 1)
        return found
    if Path(path).suffix.lower() in DOCS:
        return {at for at, _, _ in headings(lines)}
    return {at for at, line in enumerate(lines) if at and not lines[at - 1].strip() and line[:1].strip()}
