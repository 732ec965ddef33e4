"""What a Dockerfile copies from its folder, for sandboxes that need no image.

Commands that it runs are not run here: packages have to be in the interpreter that is named.
"""

import json
import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from debug_gym.benchmarks.data import files_in, read, read_text
from debug_gym.errors import TaskError

WORKDIR = "/app"
"""Where a task's files lie if the Dockerfile does not say: the base images of Terminal-Bench say so."""


class Dockerfile:
    """The Dockerfile of a folder, which may be missing: then it copies nothing.

    Args:
        folder: its build context.
        without: names in the folder that are never copied.
    """

    def __init__(self, folder: Path, without: Sequence[str] = ()) -> None:
        self.folder, self.without = folder, {"Dockerfile", "docker-compose.yaml", ".dockerignore", *without}

    @cached_property
    def workdir(self) -> str:
        """The folder in which commands run."""
        found = WORKDIR
        for word, rest in self._instructions:
            if word == "WORKDIR":
                found = posixpath.join(found, rest.strip().strip("\"'"))
        return posixpath.normpath(found)

    def copied(self, workdir: str) -> dict[str, bytes]:
        """Path below a folder of the image to content of the files that are copied there."""
        here = WORKDIR
        found: dict[str, bytes] = {}
        for word, rest in self._instructions:
            if word == "WORKDIR":
                here = posixpath.join(here, rest.strip().strip("\"'"))
            elif word in {"COPY", "ADD"} and "--from" not in rest:
                *sources, target = _words(rest)
                target = posixpath.join(here, target)
                for source in sources:
                    found |= self._files(source, target, len(sources) > 1)
        inside = f"{workdir.rstrip('/')}/"
        return {path[len(inside) :]: content for path, content in found.items() if path.startswith(inside)}

    def _files(self, pattern: str, target: str, several: bool) -> dict[str, bytes]:
        """Path in the image to content of what one source of a ``COPY`` stands for."""
        relative = posixpath.normpath(pattern.lstrip("/")) if pattern.strip("./") else "."
        if relative.startswith(".."):
            raise TaskError(f"{self.folder / 'Dockerfile'} copies from outside of its folder: {pattern}")
        sources = [self.folder] if relative == "." else sorted(self.folder.glob(relative))
        found: dict[str, bytes] = {}
        for source in sources:
            if source.is_dir():
                held = files_in(source).items()
                found |= {
                    posixpath.normpath(f"{target}/{path}"): content
                    for path, content in held
                    if source != self.folder or path.partition("/")[0] not in self.without
                }
            else:
                into = several or target.endswith("/") or len(sources) > 1 or target.rstrip("/.") != target
                place = f"{target}/{source.name}" if into else target
                found[posixpath.normpath(place)] = read(source)
        return found

    @cached_property
    def _instructions(self) -> list[tuple[str, str]]:
        path = self.folder / "Dockerfile"
        return list(_instructions(read_text(path))) if path.exists() else []


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Instruction and what follows it."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in re.sub(r"\\[ \t]*\n", " ", lines).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word:
            yield word.upper(), rest


def _words(rest: str) -> list[str]:
    """Sources and target of a ``COPY``, in either of its forms, without its options."""
    rest = re.sub(r"^\s*(?:--\S+\s+)*", "", rest)
    try:
        words = json.loads(rest) if rest.startswith("[") else shlex.split(rest)
    except ValueError:
        words = []
    if len(words) < 2 or not all(isinstance(word, str) for word in words):
        raise TaskError(f"the line  COPY {rest}  of a Dockerfile cannot be read")
    return [str(word) for word in words]
