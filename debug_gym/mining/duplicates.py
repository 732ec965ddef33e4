"""Which bugs are the same, and which are in a benchmark already: told by their fixes, without white space."""

import hashlib
import json
import re
import threading
from collections.abc import Iterable
from pathlib import Path

from debug_gym.errors import ConfigError
from debug_gym.mining.base import FallenError
from debug_gym.task import from_file_name


def fingerprint(patch: str) -> str:
    """A digest of what a unified diff takes out and puts in, whatever the file, the place and the spaces."""
    lines = [
        line[0] + re.sub(r"\s+", "", line[1:].partition("#")[0])
        for line in patch.splitlines()
        if line.startswith(("+", "-")) and not line.startswith(("+++", "---"))
    ]
    kept = sorted(line for line in lines if len(line) > 1)
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()[:16]


class Known:
    """The fixes that were met, and those of other benchmarks.

    Args:
        elsewhere: fingerprints of fixes in other benchmarks.
    """

    def __init__(self, elsewhere: Iterable[str] = ()) -> None:
        self._elsewhere = frozenset(elsewhere)
        self._met: dict[str, str] = {}
        self._lock = threading.Lock()

    def read(self, folder: Path) -> None:
        """Take note of the tasks that lie in the folder of a benchmark."""
        for path in sorted(folder.glob("[!.]*/gold.patch")):
            self._met[fingerprint(path.read_text(encoding="utf-8"))] = from_file_name(path.parent.name)

    def add(self, name: str, patch: str) -> None:
        """Take note of a candidate's fix.

        Raises:
            FallenError: another candidate has the same, or another benchmark.
        """
        mark = fingerprint(patch)
        if mark in self._elsewhere:
            raise FallenError("duplicates", "another benchmark has it")
        with self._lock:
            first = self._met.setdefault(mark, name)
        if first != name:
            raise FallenError("duplicates", "another candidate is the same", first)


def read_known(path: Path) -> list[str]:
    """Fingerprints of a benchmark's instances: JSON lines with the column ``patch``, as SWE-bench has it.

    Raises:
        ConfigError: the file cannot be read, or a line has no such column.
    """
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--known {path}: {error}") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(fingerprint(json.loads(line)["patch"]))
            except (ValueError, KeyError, TypeError, AttributeError):
                raise ConfigError(f"--known {path}: line {number} is no JSON object with a patch") from None
    return found
