"""The runtime's main loop: one request in, one reply out, until the host hangs up."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import tempfile
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, NoReturn

from . import bootstrap, files, linux, search, warm
from .debug.session import DebugSession
from .output import BoundedOutput
from .shell import Shell
from .spawn import spawn
from .supervise import HostGoneError, Supervisor
from .testruns import TestRunner
from .trace.run import trace
from .wire import Channel, Frame

if TYPE_CHECKING:
    from .record import Record


class Runtime:
    """Serves one sandbox. Each ``op_NAME`` method answers the request of that name."""

    def __init__(self, channel: Channel, workspace: str, limits: dict[str, Any], names: list[str]) -> None:
        self.channel = channel
        self.workspace = os.path.realpath(workspace)
        self.limits = limits
        self.names = names
        self.upper: int | None = None
        """A descriptor of the overlay's upper folder, where the backend has one."""
        self.home = ""
        """A folder to remove at the end."""
        self.record: Record | None = None
        """What the workspace held at first, where the host cannot look for itself."""
        self.supervisor = Supervisor(channel.read_fd, limits["memory"])
        self.supervisor.on_kill_all.append(self._forget_shell)
        self.private = {
            channel.read_fd,
            channel.write_fd,
            self.supervisor.wake_read,
            self.supervisor.wake_write,
        }
        self.private -= {0, 1, 2}
        self.tests = TestRunner(self.supervisor, self.spawn)
        self.debugger = DebugSession(self.supervisor, self.spawn, self.workspace)
        self.shell: Shell | None = None
        self.shell_state = ""
        os.chdir(self.workspace)

    # -- children ------------------------------------------------------------------

    def spawn(self, work: Callable[[], None]) -> int:
        """Fork a child that can reach nothing of ours, and run ``work`` there; return its pid."""
        pid = self.supervisor.make(os.fork)
        if pid:
            return pid
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for fd in self._private_fds():
                os.close(fd)
            linux.set_dumpable(True)
            work()
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(127)

    def _private_fds(self) -> set[int]:
        held = set(self.private)
        if self.upper is not None:
            held.add(self.upper)
        if self.shell is not None:
            held.update(self.shell.fds)
        if self.tests.spare is not None:
            held.update(self.tests.spare[1:])
        held.update(self.debugger.fds)
        return held

    # -- the loop --------------------------------------------------------------------

    def serve(self) -> NoReturn:
        """Answer requests until the host is gone, then end every process and exit."""
        try:
            while True:
                self._idle()
                request, blob = self.channel.receive()
                self.supervisor.hurried = False
                if request.get("op") == "interrupt":
                    continue  # what it was meant for has ended
                self.channel.send(*self._answer(request, blob))
                if request.get("op") == "tests" and not request.get("last"):
                    self.tests.prepare()
                elif request.get("op") == "prepare":
                    with contextlib.suppress(OSError):  # whoever asks for it will be told
                        self._start_shell()
        except (EOFError, HostGoneError, OSError):
            pass
        finally:
            if self.supervisor.me != 1:
                self.supervisor.kill_all()
            if self.home:
                os.chdir("/")
                try:
                    files.remove_tree(self.home)
                except OSError:
                    pass  # the host does it too
            os._exit(0)

    def _idle(self) -> None:
        """Wait for a request; meanwhile reap, and watch the memory of what runs in the background."""
        poll = select.poll()
        poll.register(self.channel.read_fd, select.POLLIN)
        while not poll.poll(200 if self.shell is not None or self.debugger.fds else None):
            self.supervisor.reap()
            self.supervisor.guard_memory()

    def _answer(self, request: dict[str, Any], blob: bytes) -> Frame:
        try:
            operation = getattr(self, "op_" + str(request.get("op")), None)
            if operation is None:
                raise ValueError("unknown operation %r" % request.get("op"))
            reply = operation(request, blob)
            return reply if isinstance(reply, tuple) else (reply, b"")
        except HostGoneError:
            raise
        except OSError as error:
            path = request.get("path") or error.filename
            name = path if isinstance(path, str) else None
            return {"error": [type(error).__name__, error.strerror or str(error), error.errno, name]}, b""
        except Exception as error:
            return {"error": [type(error).__name__, str(error), None, None]}, b""

    # -- operations --------------------------------------------------------------------

    def op_ping(self, request: dict[str, Any], blob: bytes) -> dict[str, Any]:
        """Nothing; shows that the runtime answers."""
        return {}

    def op_exec(self, request: dict[str, Any], blob: bytes) -> dict[str, Any]:
        """``command`` (text or list), ``timeout``, ``output`` (bytes), ``cwd``, ``env``; stdin: blob."""
        command = request["command"]
        arguments = ["/bin/bash", "-c", command] if isinstance(command, str) else list(command)
        environment = {**os.environ, **request.get("env", {})}
        sink = BoundedOutput(request["output"])
        out_read, out_write = os.pipe()
        stdin = _nameless_file(blob) if blob else os.open(os.devnull, os.O_RDONLY)
        strays = self.supervisor.strays()
        try:
            os.chdir(os.path.join(self.workspace, request.get("cwd") or ""))
            files_of_it = {0: stdin, 1: out_write, 2: out_write}
            pid = self.supervisor.make(partial(spawn, arguments, environment, files_of_it))
        except OSError:
            os.close(out_read)
            raise
        finally:
            os.close(stdin)
            os.close(out_write)
            os.chdir(self.workspace)
        reply = self.supervisor.run(pid, {out_read: sink}, request["timeout"], strays)
        return {**reply, "output": sink.text(), "dropped": sink.dropped}

    def op_shell(self, request: dict[str, Any], blob: bytes) -> dict[str, Any]:
        """``command``, ``timeout``, ``output`` (bytes): run in the persistent bash."""
        if self.shell is not None and self.shell.ended:
            self._replace_shell()
        shell = self._start_shell()
        state, self.shell_state = self.shell_state, ""
        if state and shell.run(state, 5.0, 1 << 10).get("lost"):
            shell = self._replace_shell()
        reply = shell.run(request["command"], request["timeout"], request["output"])
        if reply.pop("lost", False):
            self._replace_shell()
        return reply

    def op_prepare(self, request: dict[str, Any], blob: bytes) -> dict[str, Any]:
        """Start the shell, which takes some milliseconds, before it is asked for anything."""
        return {}

    def op_shell_state(self, request: dict[str, Any], blob: bytes) -> dict[str, Any]:
        """-> ``state``: commands that rebuild the shell's state; empty if none was started."""
        if self.shell is None or not self.shell.used:
            return {"state": self.shell_state}
        state = self.shell.state()
        if state is None:
            self._replace_shell()
        return {"state": state or ""}

    def op_tests(self, request: dict[str, Any], blob: bytes) -> dict[str, Any]:
        """See ``TestRunner.run``."""
        shadowed = warm.shadowed(self._importable(), warm.names_on_path(self.workspace), bootstrap.MODULES)
        return self.tests.run(request, shadowed)

    def op_debug_start(self, request: dict[str, Any], blob: bytes) -> dict[str, Any]:
        """See ``DebugSession.start``."""
        return self.debugger.start(request)

    def op_debug(self, request: dict[str, Any], blob: bytes) -> dict[str, Any]:
        """``command``, ``timeout``, ``output`` (bytes): see ``DebugSession.command``."""
        return self.debugger.command(request)

    def op_debug_stop(self, request: dict[str, Any], blob: bytes) -> dict[str, Any]:
        """End the debugged program, if there is one."""
        self.debugger.stop()
        return {}

    def op_trace(self, request: dict[str, Any], blob: bytes) -> dict[str, Any]:
        """See ``trace.run``."""
        return trace(self.supervisor, self.spawn, self.workspace, request)

    def op_read(self, request: dict[str, Any], blob: bytes) -> Frame:
        """See ``files.read``."""
        return files.read(self.workspace, request)

    def op_write(self, request: dict[str, Any], blob: bytes) -> Frame:
        """See ``files.write``."""
        return files.write(self.workspace, request, blob)

    def op_listdir(self, request: dict[str, Any], blob: bytes) -> Frame:
        """See ``files.listdir``."""
        return files.listdir(self.workspace, request)

    def op_grep(self, request: dict[str, Any], blob: bytes) -> dict[str, Any]:
        """See ``search.grep``."""
        return search.grep(self.workspace, request)

    def op_restore(self, request: dict[str, Any], blob: bytes) -> Frame:
        """See ``files.restore``; ``shell`` is the state that the next shell starts with."""
        self.shell_state = request.get("shell", "")
        return files.restore(self.workspace, request, blob)

    def op_changes(self, request: dict[str, Any], blob: bytes) -> Frame:
        """``everything``: see ``Record.changes``."""
        return self._recorded().changes(request["everything"])

    def op_scratch(self, request: dict[str, Any], blob: bytes) -> Frame:
        """See ``Record.scratch_files``."""
        return self._recorded().scratch_files()

    def _recorded(self) -> Record:
        if self.record is None:
            raise ValueError("the host said that it harvests itself")
        return self.record

    def _importable(self) -> set[str]:
        """Names of modules that the workspace could put in the place of preloaded ones."""
        changed = self.workspace if self.upper is None else "/proc/self/fd/%d" % self.upper
        return set(self.names) | warm.importable_names(changed, self.workspace)

    def _start_shell(self) -> Shell:
        """The shell; a new one if there is none."""
        if self.shell is None:
            os.chdir(self.workspace)
            self.shell = Shell(self.supervisor)
        return self.shell

    def _replace_shell(self) -> Shell:
        """The shell is of no more use: another one comes in its place."""
        old = self.shell
        if old is not None:
            old.end()
        if old is not None and old is self.shell:  # else all processes had to be ended, and it with them
            self.shell = None
            os.chdir(self.workspace)
            self.shell = Shell(self.supervisor, old.hand_on())
        return self._start_shell()

    def _forget_shell(self) -> None:
        if self.shell is not None:
            self.shell.close()
            self.shell = None


def _nameless_file(data: bytes) -> int:
    """On the disk of the sandbox, where it counts: a file in memory would be a place to hoard in."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return os.dup(file.fileno())
