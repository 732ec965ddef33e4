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
from typing import Any, Dict, List, Optional, Sequence

from . import linux
from .supervise import FROZEN_SHARE

WAKE = getattr(signal, "SIGRTMAX", signal.SIGUSR2) - 1
"""The signal on which a frozen copy takes the program's place."""
MAX_CHECKPOINTS = 64
_ALL = [int(number) for number in signal.valid_signals()]


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


class Past:
    """The frozen copies that the program has left behind, in the program itself."""

    def __init__(self, memory: int) -> None:
        self.kept: List[Dict[str, Any]] = []
        """``number``, ``pid`` and place of each, oldest first."""
        self.here = 0
        """The number of the stop at which the program stands; 0: it has no copy."""
        self.freezing = False
        """A copy is being made: no fork of the program's own."""
        self._last = 0
        self._budget = memory // FROZEN_SHARE
        self._sizes: Dict[int, int] = {}
        most = resource.getrlimit(resource.RLIMIT_NPROC)[0]
        self._most = MAX_CHECKPOINTS if most < 0 else max(1, min(MAX_CHECKPOINTS, most // FROZEN_SHARE))
        self._threads = 1

    def freeze(self, place: Dict[str, Any]) -> bool:
        """Leave a copy behind. Returns False at once; in the copy True, when it has been woken."""
        self._make_room()
        self._threads = threading.active_count()
        offsets, chance = _offsets(), _random_state()
        mask = signal.pthread_sigmask(signal.SIG_SETMASK, _ALL)
        self.freezing = True
        try:
            pid = linux.fork_beside()
        except OSError:  # too many processes
            pid = -1
        self.freezing = False
        if pid == 0:
            linux.die_with_parent(signal.SIGKILL)
            os.setpgid(0, 0)  # what the program does to its process group does not concern the copy
            signal.sigwait([WAKE])
            _restore(offsets, chance)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if pid > 0:
            self._last += 1
            self.kept.append({"number": self._last, "pid": pid, **place})
        self.here = self._last if pid > 0 else 0
        return pid == 0

    def limits(self) -> str:
        """In a copy that was woken: what has not come back."""
        lost = self._threads - 1
        threads = "; its %d other thread%s lost" % (lost, " is" if lost == 1 else "s are") if lost else ""
        return "(changes to files, sockets and other processes are not undone%s)" % threads

    def _make_room(self) -> None:
        """Forget the oldest copies where they are too many, or hold too much memory."""
        if self.kept:
            self._measure(self.kept[-1:])
        if self._held() > self._budget:
            self._measure(self.kept)
        while self.kept and (len(self.kept) >= self._most or self._held() > self._budget):
            pid = self.kept.pop(0)["pid"]
            self._sizes.pop(pid, None)
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass

    def _measure(self, entries: Sequence[Dict[str, Any]]) -> None:
        """Note what copies use. To ask the system takes about 0.5 ms each, so one is asked about when the
        next one is made, and all if the sum is too large. The sum is never too small: what a copy had to
        itself, or shared with fewer then, counts in full."""
        for entry in entries:
            self._sizes[entry["pid"]] = linux.proportional_memory(entry["pid"])

    def _held(self) -> int:
        return sum(self._sizes.get(entry["pid"], 0) for entry in self.kept)


def _offsets() -> Dict[int, int]:
    """Where the program stands in each regular file that it has open: copies share that with it."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
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
