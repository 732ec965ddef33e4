"""How much memory a group of processes uses together, seen from outside of them, and which to end."""

from __future__ import annotations

import os
import time
from typing import AbstractSet, Dict, Iterable, Optional

from . import linux

_MEASURING = 0.02
"""Seconds that one look may take if it has to be exact."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


class MemoryWatch:
    """Looks again and again whether processes keep within ``limit`` bytes.

    Only what a process has in its address space is seen: not what lies in a file without a name, for example.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._shares: Dict[int, int] = {}
        """Process to bytes, as they were last seen, the oldest first."""

    def excess(self, pids: Iterable[int], expendable: AbstractSet[int] = frozenset()) -> Optional[int]:
        """The process to end, if all of them together use more than is allowed: the largest, of the
        ``expendable`` ones if there are any."""
        sizes = {pid: _resident(pid) for pid in pids}
        if sum(sizes.values()) <= self.limit:
            return None
        self._measure(sizes)
        if sum(self._shares.values()) <= self.limit:
            return None
        choice = [pid for pid in self._shares if pid in expendable] or list(self._shares)
        largest = max(choice, key=lambda pid: self._shares[pid])
        del self._shares[largest]
        return largest

    def _measure(self, sizes: Dict[int, int]) -> None:
        """Look at what each process has for itself: those unknown first, the largest before all, then those
        not looked at for longest. That is exact, and 100 times slower than their sizes: of many processes,
        one look takes but some."""
        self._shares = {pid: share for pid, share in self._shares.items() if pid in sizes}
        unknown = sorted(sizes.keys() - self._shares.keys(), key=lambda pid: -sizes[pid])
        end = time.monotonic() + _MEASURING
        for pid in [*unknown, *self._shares]:
            self._shares.pop(pid, None)
            self._shares[pid] = linux.proportional_memory(pid)
            if time.monotonic() > end:
                break


def _resident(pid: int) -> int:
    try:
        with open("/proc/%d/statm" % pid) as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0
