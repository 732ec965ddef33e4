"""Who descends from whom, as ``/proc`` tells it, and signals to those that may be gone already."""

from __future__ import annotations

import os
from typing import Iterable, Iterator


def children(pid: int) -> list[int]:
    """The child processes of a process."""
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def descendants(pid: int) -> list[int]:
    """All processes below a process."""
    found = []
    todo = children(pid)
    while todo:
        found += todo
        todo = [grandchild for child in todo for grandchild in children(child)]
    return found


def families(pids: Iterable[int]) -> set[int]:
    """Processes, and all that are below them."""
    return {found for pid in pids for found in (pid, *descendants(pid))}


def not_below(pids: Iterable[int], roots: set[int]) -> list[int]:
    """Those processes that are neither among ``roots`` nor below one of them. Asked from below: who has which
    children is no more true when it is read."""
    return [pid for pid in pids if roots.isdisjoint(_line(pid))]


def _line(pid: int) -> Iterator[int]:
    """A process and those that it descends from."""
    while pid > 0:
        yield pid
        try:
            with open("/proc/%d/stat" % pid, "rb") as file:
                pid = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            return


def exit_code(status: int) -> int:
    """A wait status as subprocess gives it: negative for a signal."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)


def send_signal(pid: int, number: int) -> bool:
    """Signal a process; False if it is gone."""
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


def signal_group(pid: int, number: int) -> None:
    """Signal all processes of a group, if it is there."""
    try:
        os.killpg(pid, number)
    except OSError:
        pass
