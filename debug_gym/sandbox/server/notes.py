"""What was found out about an interpreter, kept for the next process that warms one up."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import sysconfig
from typing import Any, Iterator, Tuple


class Notes:
    """Facts about this interpreter and the packages installed in it; what is not known is ``None``.

    They are told apart by what is installed, so that nothing outlives an upgrade. ``folder``: where they lie;
    ``None``: nowhere. A folder that cannot be written to keeps nothing.
    """

    def __init__(self, folder: str | None) -> None:
        self._path = os.path.join(folder, _installed() + ".json") if folder else ""
        self._known: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError), open(self._path) as file:
            known = json.load(file)
            self._known = known if isinstance(known, dict) else {}

    def get(self, name: str) -> Any:
        """What is known under a name."""
        return self._known.get(name)

    def keep(self, name: str, value: Any) -> None:
        """Keep something that is JSON."""
        self._known[name] = value
        if not self._path:
            return
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            temporary = "%s.%d" % (self._path, os.getpid())
            with open(temporary, "w") as file:
                json.dump(self._known, file)
            os.replace(temporary, self._path)


def _installed() -> str:
    """A digest of the interpreter, its environment variables for Python, and what is installed."""
    settings = sorted((name, value) for name, value in os.environ.items() if name.startswith("PY"))
    state = [sys.version, sys.executable, settings, sorted(set(_packages()))]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:32]


def _packages() -> Iterator[Tuple[str, int]]:
    places = {sysconfig.get_paths()[kind] for kind in ("purelib", "platlib")}
    for place in places.union(path for path in sys.path if path.endswith("-packages")):
        with contextlib.suppress(OSError):
            for entry in os.scandir(place):
                yield entry.path, entry.stat().st_mtime_ns
