"""The runtime's side of the debugger: the child process, its end, and the checkpoints that are left of it."""

from __future__ import annotations

import os
import signal
import time
from typing import Any, Callable, Dict, FrozenSet, List, Optional, Set

from ..checkpoints import WAKE, choose, table
from ..processes import exit_code, send_signal
from ..supervise import Supervisor, pump
from ..wire import encode
from . import program
from .checkpoint_processes import CheckpointProcesses
from .connection import GRACE, Connection, Heard
from .settings import Settings

_STAY = "; the breakpoints stay"
_NONE = "no program is being debugged"
_AT = ("start", "failure", "breakpoint", "idle")
"""Where a program stops first. ``idle``: there is none, only breakpoints are set."""
_MAX_COMMAND = 64 << 10
"""Bytes of one command. It fits into the channel at once: a program that does not read holds nobody up."""


class _Run:
    """A program under the debugger, and its checkpoints, which may outlive it."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.pid = 0
        """0: the program has ended, and there are checkpoints to go back to."""
        self.connection = Connection(supervisor)
        self.checkpoints = CheckpointProcesses(supervisor)
        self.before: FrozenSet[int] = supervisor.strays()
        """Processes that were left behind by others."""


class DebugSession:
    """At most one program under the debugger. ``spawn`` forks a child that can reach nothing of ours."""

    def __init__(
        self, supervisor: Supervisor, spawn: Callable[[Callable[[], None]], int], workspace: str
    ) -> None:
        self.supervisor, self.spawn, self.workspace = supervisor, spawn, workspace
        self._run: Optional[_Run] = None
        self._aside: Optional[_Run] = None
        """A program that has ended, while breakpoints are set: it can be gone back to afterwards."""
        self._breakpoints: List[Dict[str, Any]] = []
        self._settings = Settings().report()
        self._gone = _NONE
        supervisor.on_kill_all.append(self._lose)

    @property
    def fds(self) -> Set[int]:
        """The descriptors that no other child may inherit."""
        return {fd for run in (self._run, self._aside) if run is not None for fd in run.connection.fds}

    def start(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """``script``, and the ``harness`` of its tests (see ``harnesses``); or ``arguments`` and
        ``selection`` of pytest; ``at``, ``breakpoints``, ``settings``, ``timeout``, ``output``: a reply."""
        if request["at"] not in _AT:
            raise ValueError("a program stops at one of %s, not at %r" % (", ".join(_AT), request["at"]))
        while self._run is not None and (self._run.pid or request["at"] != "idle"):
            self.stop()
        self._aside, self._run = self._run, None
        self._gone = _NONE
        self._breakpoints = request["breakpoints"]
        run = _Run(self.supervisor)
        self._settings = request["settings"] or self._settings
        request = {**request, "memory": self.supervisor.memory, "settings": self._settings}
        os.chdir(self.workspace)

        def child() -> None:
            run.connection.close()
            program.main(*run.connection.program_ends, request, self.workspace)

        run.pid = self.spawn(child)
        run.connection.hand_over()
        self.supervisor.keep.add(run.pid)
        self._run = run
        return self._await(run, request)

    def command(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """``command``, ``timeout``, ``output`` -> a reply. With no program it says that it has ended."""
        run = self._run
        if run is None:
            return self._reply({"output": self._gone}, None, ended=True)
        if run.pid == 0:
            return self._after_the_end(run, request)
        message = {"command": request["command"]}
        if len(encode(message)) > _MAX_COMMAND:
            raise ValueError("a command may have at most %d bytes" % _MAX_COMMAND)
        if run.connection.send(message):
            return self._await(run, request)
        return self._end(run, Heard(request["output"], 0), request)

    def _await(self, run: _Run, request: Dict[str, Any]) -> Dict[str, Any]:
        """Wait for the answer, or the end of the program: a reply."""

        def note(frame: Dict[str, Any]) -> None:
            self._breakpoints = frame.get("breakpoints", self._breakpoints)
            self._settings = frame.get("settings", self._settings)
            run.checkpoints.note(frame.get("checkpoints", run.checkpoints.entries), run.before)

        heard = run.connection.hear(run.pid, request, note)
        if not heard.last:
            return self._end(run, heard, request, deaf=heard.interrupted)
        if "back" in heard.last:
            return self._go_back(run, heard, request)
        if heard.last["final"]:
            return self._end(run, heard, request)
        return self._reply(heard.last, heard, interrupted=heard.interrupted)

    def _end(self, run: _Run, heard: Heard, request: Dict[str, Any], *, deaf: bool = False) -> Dict[str, Any]:
        """The program is about to end, has crashed, or has to be killed."""
        supervisor, last = self.supervisor, heard.last
        if last and not last["quit"]:
            left = max(heard.deadline - time.monotonic(), GRACE)
            take = {run.connection.output: pump(heard.program.add)}
            supervisor.wait(take, lambda: run.pid in supervisor.exited, left)
        by_itself = run.pid in supervisor.exited
        if not by_itself:
            supervisor.end_family(run.pid)
        if self._run is not run:  # there were too many processes, so all of them were ended
            return self._reply({"output": heard.said.text() + self._gone}, heard, ended=True)
        status = supervisor.exited.get(run.pid, signal.SIGKILL)
        run.connection.drain(heard)
        quit_ = bool(last.get("quit"))
        code = exit_code(status) if by_itself and not quit_ else None
        verdict = self._verdict(code, quit_, deaf)
        run.checkpoints.prune()
        if not last and run.checkpoints.entries:
            number = run.checkpoints.entries[-1]["number"]
            note = "%s\nback at the last stop, %d; from here, `c` would end the same way" % (verdict, number)
            return self._wake(run, number, note, [], request, heard)
        if quit_ or not run.checkpoints.entries:
            self.stop()
            verdict += _STAY if not last or quit_ else ""
        else:
            self._discard(run)
        said = [last.get("output", heard.said.text()).rstrip("\n"), verdict]
        words = {**last, "output": "\n".join(filter(None, said))}
        return self._reply(words, heard, ended=True, exit_code=code, interrupted=deaf)

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
                "in C code?) and was killed" % GRACE
            )
        if code is None:
            return "the program finished but did not exit, and was killed"
        if code < 0:
            return "the program was killed by %s" % _signal_name(-code)
        return "the program ended with exit code %d" % code

    # -- checkpoints -----------------------------------------------------------------------------

    def _after_the_end(self, run: _Run, request: Dict[str, Any]) -> Dict[str, Any]:
        """A command, when the program has ended but can be taken back."""
        line, *rest = request["command"].split("\n")
        word, _, argument = line.strip().partition(" ")
        said = _NONE
        try:
            if word in ("back", "goto"):
                return self._wake(run, choose(word, argument, run.checkpoints.entries, 0), "", rest, request)
            if word == "checkpoints":
                said = table(run.checkpoints.entries, 0)
        except ValueError as error:
            said = "*** %s" % error
        return self._reply({"output": said}, None, ended=True)

    def _go_back(self, run: _Run, heard: Heard, request: Dict[str, Any]) -> Dict[str, Any]:
        """The program makes way for one of its checkpoints: it has nothing more to do but to end."""
        if run.pid not in self.supervisor.exited:
            send_signal(run.pid, signal.SIGKILL)
        return self._wake(run, heard.last["back"], "", heard.last["lines"], request, heard)

    def _wake(
        self,
        run: _Run,
        number: int,
        note: str,
        lines: List[str],
        request: Dict[str, Any],
        heard: Optional[Heard] = None,
    ) -> Dict[str, Any]:
        """Let a checkpoint take the program's place, and execute ``lines`` there: a reply, which begins with
        what was ``heard`` before."""
        supervisor = self.supervisor
        said = heard.last.get("output", heard.said.text()) if heard else ""
        supervisor.keep.discard(run.pid)
        supervisor.exited.pop(run.pid, None)
        run.pid = 0
        run.checkpoints.drop(after=number)
        if not run.checkpoints.entries:
            self.stop()
            return self._reply({"output": said + _NONE}, heard, ended=True)
        run.pid = run.checkpoints.take()
        order = {
            "note": note or "back at stop %d" % number,
            "lines": lines,
            "breakpoints": self._breakpoints,
            "settings": self._settings,
            "checkpoints": run.checkpoints.entries,
            "pid": run.pid,
        }
        send_signal(run.pid, signal.SIGCONT)  # the program may have stopped all processes
        send_signal(run.pid, WAKE)
        if not run.connection.send(order):
            supervisor.end_family(run.pid)
        reply = self._await(run, request)
        reply["output"] = said + reply["output"]
        reply["program"] = (heard.program.text() if heard else "") + reply["program"]
        return reply

    # -- the end ---------------------------------------------------------------------------------

    def _reply(self, last: Dict[str, Any], heard: Optional[Heard], **ends: Any) -> Dict[str, Any]:
        self._breakpoints = last.get("breakpoints", self._breakpoints)
        return {
            "output": last["output"],
            "program": heard.program.text() if heard else "",
            "stop": last.get("stop"),
            "breakpoints": self._breakpoints,
            "settings": self._settings,
            "sources": last.get("sources", {}),
            **ends,
        }

    def stop(self) -> None:
        """End the program, if one runs, and all that it started. Where it was none but took breakpoint
        commands, the one that had ended before can be gone back to again."""
        run = self._run
        if run is None:
            return
        self._discard(run)
        if self._run is run:
            run.checkpoints.clear()
            run.connection.close()
            self._run, self._aside = self._aside, None

    def _discard(self, run: _Run) -> None:
        """End the program, if it still runs, and all that it started, but not its checkpoints."""
        pid = run.pid
        if pid and pid not in self.supervisor.exited:
            self.supervisor.end_family(pid)
        if self._run is not run:  # there were too many processes, so all of them were ended
            return
        run.pid = 0
        self.supervisor.keep.discard(pid)
        self.supervisor.exited.pop(pid, None)
        self.supervisor.end_strays(run.before)

    def _lose(self) -> None:
        """Every process had to be killed, this one too."""
        if self._run is not None:
            self._gone = "the debugged program is gone: every process in the sandbox had to be killed"
        for run in (self._run, self._aside):
            if run is not None:
                run.connection.close()
        self._run = self._aside = None


def _signal_name(number: int) -> str:
    """A signal's name; those of the real-time signals are numbers."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number
