"""Time travel: at each stop the debugged program leaves a frozen copy of itself, which can take its place.

A copy is a fork that sleeps until the runtime wakes it. It is made as a sibling of the program, not as its
child: the program keeps its pid, threads, locks and sockets, and finds no strange children when it waits.
"""

from __future__ import annotations

import os
import resource
import signal
import stat
import sys
import threading
from time import sleep
from typing import Any, Dict, List, Optional, Sequence, Tuple

from . import linux
from .memory import FROZEN_SHARE

WAKE = getattr(signal, "SIGRTMAX", signal.SIGUSR2) - 1
"""The signal on which a frozen copy takes the program's place."""
MAX_CHECKPOINTS = 64
_PATIENCE = 1000
"""Looks, half a millisecond apart, at whether a copy has begun to run."""


def choose(word: str, argument: str, kept: Sequence[Dict[str, Any]], here: int) -> int:
    """The number of the checkpoint that ``back [n]`` or ``goto number`` means, from that of stop ``here``.

    Raises ``ValueError`` with what is wrong.
    """
    argument = argument.strip()
    numbers = [int(entry["number"]) for entry in kept]
    if not argument.isdigit() and (argument or word == "goto"):
        raise ValueError("say  back [number of stops]  or  goto checkpoint; `checkpoints` lists them")
    if word == "goto":
        if int(argument) not in numbers:
            raise ValueError("there is no checkpoint %s; `checkpoints` lists them" % argument)
        return int(argument)
    earlier = [number for number in numbers if number != here]
    steps = int(argument or 1)
    if not 1 <= steps <= len(earlier):
        count = {0: "is no earlier stop", 1: "is only 1 earlier stop"}
        raise ValueError(
            "there %s to go back to" % count.get(len(earlier), "are only %d earlier stops" % len(earlier))
        )
    return earlier[-steps]


def table(kept: Sequence[Dict[str, Any]], here: int) -> str:
    """The checkpoints, one a line: number, where, function, why it stopped."""
    if not kept:
        return "There are no checkpoints."
    rows = ["Num    Where"]
    for entry in kept:
        mark = "->" if entry["number"] == here else "  "
        rows.append("%-4d%s %s:%d in %s (%s)" % (entry["number"], mark, *map(entry.get, _PLACE)))
    return "\n".join(rows)


_PLACE = ("file", "line", "function", "reason")


class Checkpoints:
    """The frozen copies that the program has left behind, in the program itself."""

    def __init__(self, memory: int) -> None:
        self.entries: List[Dict[str, Any]] = []
        """``number``, ``pid`` and place of each, oldest first."""
        self.here = 0
        """The number of the stop at which the program stands; 0: it has no copy."""
        self.freezing = False
        """A copy is being made: no fork of the program's own."""
        self._last = 0
        self._budget = memory // FROZEN_SHARE
        self._sizes: Dict[int, int] = {}
        self._used = _pages_used()
        most = resource.getrlimit(resource.RLIMIT_NPROC)[0]
        self._most = MAX_CHECKPOINTS if most < 0 else max(1, min(MAX_CHECKPOINTS, most // FROZEN_SHARE))
        self._threads = 1
        self._unsettled = 0
        self._main_lost = False

    def freeze(self, place: Dict[str, Any]) -> bool:
        """Leave a copy behind. Returns False at once; in the copy True, when it has been woken."""
        self._make_room()
        self._threads = threading.active_count()
        in_main = threading.current_thread() is threading.main_thread()
        offsets, chance = _offsets(), _random_state()
        self.freezing = True
        try:
            pid = linux.fork_frozen(WAKE)
        except OSError:  # too many processes
            pid = -1
        self.freezing = False
        if pid == 0:
            self._main_lost = self._main_lost or not in_main
            _restore(offsets, chance)
        if pid > 0:
            self._unsettled = pid
            self._last += 1
            self.entries.append({"number": self._last, "pid": pid, **place})
        self.here = self._last if pid > 0 else 0
        return pid == 0

    def settle(self) -> None:
        """Wait until the newest copy has left the program's process group: what the program does to that must
        not concern the copy."""
        pid, self._unsettled = self._unsettled, 0
        for _ in range(_PATIENCE if pid else 0):
            try:
                if os.getpgid(pid) == pid:
                    return
            except OSError:  # it was killed
                return
            sleep(0.0005)

    def limits(self) -> str:
        """In a copy that was woken: what has not come back."""
        lost, words = self._threads - 1, "changes to files, sockets and other processes are not undone"
        if lost:
            words += "; its %d other thread%s lost" % (lost, " is" if lost == 1 else "s are")
        if self._main_lost:
            words += "; without its main thread the program ends with this one"
        return "(%s)" % words

    def prune(self) -> None:
        """Forget the copies that were killed: for their memory, or by the program."""
        self.entries = [entry for entry in self.entries if _lives(entry["pid"])]

    def _make_room(self) -> None:
        """Forget the oldest copies where they are too many, or hold too much memory."""
        self._estimate()
        allowed = self._budget
        if self._held() > allowed:
            for entry in self.entries:
                self._sizes[entry["pid"]] = linux.proportional_memory(entry["pid"])
            if self._held() > allowed:
                allowed = allowed * 3 // 4  # or the next stop would have to ask about all of them again
        while self.entries and (len(self.entries) >= self._most or self._held() > allowed):
            pid = self.entries.pop(0)["pid"]
            self._sizes.pop(pid, None)
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass

    def _estimate(self) -> None:
        """Note what the newest copy holds: the pages that the program has changed or given back since. To ask
        the system would take 1 ms for each copy, so it is asked only if the sum of these is too large."""
        (faults, resident), self._used = self._used, _pages_used()
        changed = max(self._used[0] - faults, 0) + max(resident - self._used[1], 0)
        if self.entries:
            pid = self.entries[-1]["pid"]
            self._sizes[pid] = self._sizes.get(pid, 0) + changed * resource.getpagesize()

    def _held(self) -> int:
        return sum(self._sizes.get(entry["pid"], 0) for entry in self.entries)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _pages_used() -> Tuple[int, int]:
    """How many pages this process has come to use so far, and how many it holds now (0: it has no descriptor
    left to ask)."""
    try:
        with open("/proc/self/statm") as file:
            resident = int(file.read().split()[1])
    except OSError:
        resident = 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt, resident


def _offsets() -> Dict[int, int]:
    """Where the program stands in each regular file that it has open: copies share that with it."""
    found: Dict[int, int] = {}
    try:
        names = os.listdir("/proc/self/fd")
    except OSError:  # it has no descriptor left for that
        return found
    for name in names:
        try:
            if stat.S_ISREG(os.fstat(int(name)).st_mode):
                found[int(name)] = os.lseek(int(name), 0, os.SEEK_CUR)
        except OSError:
            continue
    return found


def _random_state() -> Optional[Any]:
    """Python seeds ``random`` anew in each fork; a copy is to go on with the same numbers."""
    module = sys.modules.get("random")
    return module.getstate() if module is not None and hasattr(module, "getstate") else None


def _restore(offsets: Dict[int, int], chance: Optional[Any]) -> None:
    for fd, offset in offsets.items():
        try:
            os.lseek(fd, offset, os.SEEK_SET)
        except OSError:
            continue
    if chance is not None:
        sys.modules["random"].setstate(chance)
