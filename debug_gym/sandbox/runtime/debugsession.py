"""The runtime's side of the debugger: the child process, its answers, its time limits, its end."""

from __future__ import annotations

import os
import signal
import socket
import time
from typing import Any, Callable, Dict, FrozenSet, List, Optional, Set, Tuple

from . import debugprogram
from .checkpoints import WAKE, choose, table
from .debugkept import Kept
from .debugtalk import INTERRUPT, Answer
from .output import BoundedOutput
from .supervise import Supervisor, exit_code, pump, send_signal
from .wire import encode

_GRACE = 1.0
"""Seconds that an interrupted program gets to stop before it is killed."""
_SHORT = 0.2
"""Seconds from the end of a program's descriptors to its own end."""
_STAY = "; the breakpoints stay"
_NONE = "no program is being debugged"
_AT = ("start", "failure", "breakpoint", "idle")
"""Where a program stops first. ``idle``: there is none, only breakpoints are set."""
_MAX_COMMAND = 64 << 10
"""Bytes of one command. It fits into the channel at once: a program that does not read holds nobody up."""


def _name(number: int) -> str:
    """A signal's name; those of the real-time signals are numbers."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number


class DebugSession:
    """At most one program under the debugger. ``spawn`` forks a child that can reach nothing of ours."""

    def __init__(
        self, supervisor: Supervisor, spawn: Callable[[Callable[[], None]], int], workspace: str
    ) -> None:
        self.supervisor, self.spawn, self.workspace = supervisor, spawn, workspace
        self._running: Optional[Tuple[int, int, int]] = None  # pid, channel, output
        """A pid of 0: the program has ended, and there are checkpoints to go back to."""
        self._breakpoints: List[Dict[str, Any]] = []
        self._kept = Kept(supervisor)
        self._before: FrozenSet[int] = frozenset()
        self._gone = _NONE
        supervisor.on_massacre.append(self._lose)

    @property
    def fds(self) -> Set[int]:
        """The descriptors that no other child may inherit."""
        return set() if self._running is None else set(self._running[1:])

    def start(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """``test``, ``script``, ``at``, ``arguments``, ``breakpoints``, ``timeout``, ``output``: a reply."""
        if request["at"] not in _AT:
            raise ValueError("a program stops at one of %s, not at %r" % (", ".join(_AT), request["at"]))
        self.stop()
        self._gone = _NONE
        self._breakpoints = request["breakpoints"]
        self._before = self.supervisor.strays()
        request = {**request, "memory": self.supervisor.memory}
        ours, theirs = socket.socketpair()
        out_read, out_write = os.pipe()
        os.chdir(self.workspace)

        def child() -> None:
            ours.close()
            os.close(out_read)
            debugprogram.main(theirs.detach(), out_write, request, self.workspace)

        pid = self.spawn(child)
        theirs.close()
        os.close(out_write)
        self.supervisor.keep.add(pid)
        self._running = (pid, ours.detach(), out_read)
        for fd in self._running[1:]:
            os.set_blocking(fd, False)
        return self._await(request)

    def command(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """``command``, ``timeout``, ``output`` -> a reply. With no program it says that it has ended."""
        if self._running is None:
            return self._reply({"output": self._gone}, None, ended=True)
        if self._running[0] == 0:
            return self._after_the_end(request)
        data = encode({"command": request["command"]})
        if len(data) > _MAX_COMMAND:
            raise ValueError("a command may have at most %d bytes" % _MAX_COMMAND)
        try:
            taken = os.write(self._running[1], data) == len(data)
        except OSError:
            taken = False
        return self._await(request) if taken else self._end({}, BoundedOutput(1), request)

    def _await(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """Wait for the answer, or the end of the program; at the time limit, interrupt it."""
        assert self._running is not None
        pid, channel, output = self._running
        supervisor, sink, answer = self.supervisor, BoundedOutput(request["output"]), Answer()
        supervisor.out_of_memory = False
        readers = {channel: answer.read, output: pump(sink.add)}
        found: List[Dict[str, Any]] = []
        said = BoundedOutput(request["output"])
        deadline = time.monotonic() + request["timeout"]

        def answered() -> bool:
            for frame in iter(answer.take, None):
                self._breakpoints = frame.get("breakpoints", self._breakpoints)
                self._kept.note(frame.get("checkpoints", self._kept.entries), self._before)
                if frame["interim"]:
                    said.add(frame["output"].encode("utf-8", "replace"))
                else:
                    found.append(frame)
            return bool(found) or answer.broken or pid in supervisor.exited

        interrupted = not supervisor.wait(readers, answered, request["timeout"])
        if interrupted:
            send_signal(pid, INTERRUPT)
            supervisor.wait(readers, answered, _GRACE)
        if answer.broken:
            supervisor.wait({output: pump(sink.add)}, lambda: pid in supervisor.exited, _SHORT)
        if pid in supervisor.exited:  # the last words may lie in the channel
            answer.read(channel)
            answered()
        pump(sink.add)(output)
        last = found[-1] if found else {}
        if not last:
            return self._end({}, sink, request, said.text(), deaf=interrupted)
        last["output"] = said.text() + last["output"]
        if "back" in last:
            return self._go_back(last, sink, request)
        if last["final"]:
            return self._end(last, sink, request, deadline=deadline)
        return self._reply(last, sink, interrupted=interrupted)

    def _end(
        self,
        last: Dict[str, Any],
        sink: BoundedOutput,
        request: Dict[str, Any],
        before: str = "",
        *,
        deaf: bool = False,
        deadline: float = 0.0,
    ) -> Dict[str, Any]:
        """The program is about to end, has crashed, or has to be killed."""
        assert self._running is not None
        supervisor, (pid, _, output) = self.supervisor, self._running
        if last and not last.get("quit"):
            left = max(deadline - time.monotonic(), _GRACE)
            supervisor.wait({output: pump(sink.add)}, lambda: pid in supervisor.exited, left)
        by_itself = pid in supervisor.exited
        if not by_itself:
            supervisor.end_family(pid)
        status = supervisor.exited.get(pid, signal.SIGKILL)
        pump(sink.add, rounds=1 << 10)(output)
        code = exit_code(status) if by_itself and not last.get("quit") else None
        verdict = self._verdict(code, bool(last.get("quit")), deaf)
        self._kept.prune()
        kept = self._kept.entries
        if not last and kept:
            number = kept[-1]["number"]
            note = "%s\nback at the last stop, %d; from here, `c` would end the same way"
            return self._wake(number, note % (verdict, number), [], request, before, sink)
        if last.get("quit") or not kept:
            self.stop()
            verdict += _STAY if not last or last.get("quit") else ""
        else:
            self._bury()
        said = [last.get("output", before).rstrip("\n"), verdict]
        words = {**last, "output": "\n".join(filter(None, said))}
        return self._reply(words, sink, ended=True, exit_code=code, interrupted=deaf)

    def _verdict(self, code: Optional[int], quit_: bool, deaf: bool) -> str:
        """How the program ended, in words."""
        if quit_:
            return "the debugger has ended"
        if self.supervisor.out_of_memory:
            return "the program was killed: out of memory (the limit is %d MiB)" % (
                self.supervisor.memory >> 20
            )
        if deaf:
            return (
                "the program ran into the time limit, did not react to an interrupt within %g s (a long call "
                "in C code?) and was killed" % _GRACE
            )
        if code is None:
            return "the program finished but did not exit, and was killed"
        if code < 0:
            return "the program was killed by %s" % _name(-code)
        return "the program ended with exit code %d" % code

    # -- checkpoints -----------------------------------------------------------------------------

    def _after_the_end(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """A command, when the program has ended but can be taken back."""
        line, *rest = request["command"].split("\n")
        word, _, argument = line.strip().partition(" ")
        said = _NONE
        try:
            if word in ("back", "goto"):
                return self._wake(choose(word, argument, self._kept.entries, 0), "", rest, request)
            if word == "checkpoints":
                said = table(self._kept.entries, 0)
        except ValueError as error:
            said = "*** %s" % error
        return self._reply({"output": said}, None, ended=True)

    def _go_back(self, last: Dict[str, Any], sink: BoundedOutput, request: Dict[str, Any]) -> Dict[str, Any]:
        """The program makes way for one of its checkpoints."""
        assert self._running is not None
        pid = self._running[0]
        if not self.supervisor.wait({}, lambda: pid in self.supervisor.exited, _SHORT):
            self.supervisor.end_family(pid)
        return self._wake(last["back"], "", last["lines"], request, last["output"], sink)

    def _wake(
        self,
        number: int,
        note: str,
        lines: List[str],
        request: Dict[str, Any],
        before: str = "",
        sink: Optional[BoundedOutput] = None,
    ) -> Dict[str, Any]:
        """Let a checkpoint take the program's place, and execute ``lines`` there: a reply."""
        assert self._running is not None
        supervisor, (old, channel, output) = self.supervisor, self._running
        supervisor.keep.discard(old)
        supervisor.exited.pop(old, None)
        self._kept.drop(after=number)
        if not self._kept.entries:
            self.stop()
            return self._reply({"output": before + _NONE}, sink, ended=True)
        pid = self._kept.take()
        self._running = (pid, channel, output)
        order = {
            "note": note or "back at stop %d" % number,
            "lines": lines,
            "breakpoints": self._breakpoints,
            "checkpoints": self._kept.entries,
            "pid": pid,
        }
        send_signal(pid, WAKE)
        try:
            os.write(channel, encode(order))
        except OSError:
            supervisor.end_family(pid)
        reply = self._await(request)
        reply["output"] = before + reply["output"]
        reply["program"] = (sink.text() if sink else "") + reply["program"]
        return reply

    # -- the end ---------------------------------------------------------------------------------

    def _reply(self, last: Dict[str, Any], sink: Any, **ends: Any) -> Dict[str, Any]:
        self._breakpoints = last.get("breakpoints", self._breakpoints)
        return {
            "output": last["output"],
            "program": sink.text() if sink else "",
            "stop": last.get("stop"),
            "breakpoints": self._breakpoints,
            "sources": last.get("sources", {}),
            **ends,
        }

    def stop(self) -> None:
        """End the program, if one runs, and all that it started."""
        if self._running is None:
            return
        self._bury()
        self._kept.drop()
        self._forget()

    def _bury(self) -> None:
        """End the program, if it still runs, and all that it started, but not its checkpoints."""
        assert self._running is not None
        pid, channel, output = self._running
        if pid and pid not in self.supervisor.exited:
            self.supervisor.end_family(pid)
        if self._running is None:  # there were too many processes, so all of them were ended
            return
        self._running = (0, channel, output)
        self.supervisor.keep.discard(pid)
        self.supervisor.exited.pop(pid, None)
        self.supervisor.end_strays(self._before)

    def _lose(self) -> None:
        """Every process had to be killed, this one too."""
        if self._running is not None:
            self._gone = "the debugged program is gone: every process in the sandbox had to be killed"
        self._forget()

    def _forget(self) -> None:
        """Close what belonged to the program."""
        for fd in self.fds:
            os.close(fd)
        self._running = None
        self._kept.entries = []
