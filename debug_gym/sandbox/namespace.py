"""The default backend on Linux: unprivileged sandboxes from namespaces, forked from a warm template."""

import atexit
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from debug_gym.errors import DebugGymError, HostError, SandboxError, SandboxUnavailableError
from debug_gym.sandbox import checkout_cache
from debug_gym.sandbox.base import Guarantees, Probe
from debug_gym.sandbox.channel import SocketChannel
from debug_gym.sandbox.client import Sandbox
from debug_gym.sandbox.interpreters import installed_modules, interpreter
from debug_gym.sandbox.launcher.enclosure import HOME, ROOTS_ID, WORKSPACE
from debug_gym.sandbox.pinning import pinned
from debug_gym.sandbox.pool import ReadyPool
from debug_gym.sandbox.results import Changes
from debug_gym.sandbox.server.harvest import CACHES, SKIPPED
from debug_gym.sandbox.set_up import set_up
from debug_gym.sandbox.template_client import Template, Wanted
from debug_gym.sandbox.workspace_diff import harvest_folder, harvest_upper
from debug_gym.task import DirectorySource, Task

MAX_TEMPLATES = 8
"""Warm interpreters kept at the same time; the one unused for longest goes."""


GUARANTEES = Guarantees(
    files=True, network=True, processes=True, memory=True, disk=True, process_count=True, cleanup=True
)


@dataclass(frozen=True)
class _OverlayHarvest:
    """Reads a sandbox's own folders by descriptors that came out of it when it was built."""

    upper: int
    tmp: int
    home: int
    base: int

    def changes(self, everything: bool) -> Changes:
        """See ``Harvest.changes``."""
        return harvest_upper(self.upper, self.base, CACHES if everything else SKIPPED)

    def scratch(self) -> Changes:
        """See ``Harvest.scratch``."""
        ours, theirs = harvest_folder(self.home, HOME), harvest_folder(self.tmp, "/tmp")
        return Changes(files={**ours.files, **theirs.files}, empty=(*ours.empty, *theirs.empty))


class NamespaceBackend:
    """Sandboxes from user, mount, pid, network, ipc, uts and cgroup namespaces. Needs no privileges.

    Args:
        ready: how many sandboxes to keep started ahead for the tasks last used; a start then costs a
            fraction of a millisecond, and a few MB wait for it.
        lender: leads to a process that lends its warm interpreters (``lend``); None: this one starts its own.
    """

    name = "namespace"
    guarantees = GUARANTEES
    memory_groups = False
    """Each sandbox gets a memory cgroup."""

    def __init__(self, ready: int = 0, lender: socket.socket | None = None) -> None:
        self.ready, self._lender = ready, lender
        self._templates: OrderedDict[Wanted, Template] = OrderedDict()
        self._pool = ReadyPool(self._start, ready)
        self._lock = threading.RLock()
        _backends.append(self)

    def probe(self) -> Probe:
        """Start a sandbox around an empty repository and run a command in it."""
        if sys.platform != "linux":
            return Probe(False, Guarantees(), "needs Linux; use the docker backend where there is one")
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "probe.txt").write_text("probe\n")
            task = Task(id="probe", problem="", source=DirectorySource(path=Path(folder)))
            try:
                with self.start(task) as sandbox:
                    seen = sandbox.exec("cat probe.txt && test ! -e " + folder, timeout=10)
            except (DebugGymError, OSError) as error:
                advice = "" if isinstance(error, HostError) else f". {_advice()}"
                return Probe(False, Guarantees(), f"{error}{advice}")
            if seen.output != "probe\n" or seen.exit_code != 0:
                return Probe(
                    False, Guarantees(), f"a command in a sandbox went wrong: {seen.output!r}. {_advice()}"
                )
        return Probe(True, GUARANTEES, "a sandbox was started and a command ran in it")

    def start(self, task: Task) -> Sandbox:
        """See ``Backend.start``."""
        return self._pool.take(pinned(task))

    def _start(self, task: Task) -> Sandbox:
        if sys.platform != "linux":
            raise SandboxUnavailableError("the namespace backend needs Linux")
        python = interpreter(task.environment)
        owner = ROOTS_ID if os.getuid() == 0 else None
        source = set_up(task, python, self._start)
        base, base_fd = checkout_cache.hold(source, python, owner)
        try:
            channel, pidfd, (upper, tmp, home) = self._fork(task, python, base)
        except BaseException:
            os.close(base_fd)
            raise
        return Sandbox(
            task,
            WORKSPACE,
            SocketChannel(channel),
            kill=partial(_kill, pidfd),
            start_another=lambda: self.start(task),
            harvest=_OverlayHarvest(upper, tmp, home, base_fd),
            held=(pidfd, upper, tmp, home, base_fd),
        )

    def _fork(
        self, task: Task, python: str, base: checkout_cache.Base
    ) -> tuple[socket.socket, int, list[int]]:
        """See ``Template.start``. A template that has died is replaced."""
        template = self._template(task, python, base)
        try:
            return template.start(base, task)
        except SandboxError:
            if template.alive:
                raise
            return self._template(task, python, base).start(base, task)

    def _template(self, task: Task, python: str, base: checkout_cache.Base) -> Template:
        """The warm interpreter for a task: one with what its files import ahead, where that is installed."""
        variables = tuple(sorted(task.environment.variables.items()))
        with self._lock:
            preload = task.environment.preload
            if preload is None:
                installed = installed_modules(python, HOME, variables)
                preload = tuple(name for name in base.imports if name in installed)
            return self._warm(Wanted(python, preload, variables, self.memory_groups))

    def _warm(self, wanted: Wanted) -> Template:
        template = self._templates.get(wanted)
        if template is not None and not template.alive:
            template.close()
            template = None
        if template is None:
            lender = self._lender
            template = Template.launch(wanted) if lender is None else Template.borrow(lender, wanted)
            self._templates[wanted] = template
            while len(self._templates) > MAX_TEMPLATES:
                self._templates.popitem(last=False)[1].close()
        self._templates.move_to_end(wanted)
        return template

    def lend(self, borrower: socket.socket) -> None:
        """Let another process have copies of the warm interpreters, until it hangs up; see ``lender``."""
        with borrower:
            while request := borrower.recv(1 << 16):
                fields = json.loads(request)
                variables = tuple((name, value) for name, value in fields["variables"])
                wanted = Wanted(
                    fields["python"], tuple(fields["preload"]), variables, groups=fields["groups"]
                )
                try:
                    with self._lock:
                        template = self._warm(wanted)
                    template.lend(borrower)
                except SandboxError as error:
                    borrower.send(str(error).encode() or b"?")

    def close(self) -> None:
        """See ``Backend.close``."""
        self._pool.close()
        with self._lock:
            for template in self._templates.values():
                template.close()
            self._templates.clear()

    def forget(self) -> None:
        """In a forked copy of the gym's process: start anew, the old process's things are not ours."""
        for template in self._templates.values():
            template.forget()
        self._templates = OrderedDict()
        self._pool = ReadyPool(self._start, self.ready)
        self._lock = threading.RLock()


class CgroupBackend(NamespaceBackend):
    """Namespaces and a memory cgroup for each sandbox: no memory can be hoarded where nothing sees it.

    Needs a cgroup in which others can be made: root has one mostly, an ordinary user one that was delegated.
    What a new sandbox is asked first is answered about 10 ms later.
    """

    name = "namespace-cgroup"
    memory_groups = True


_backends: list[NamespaceBackend] = []


@atexit.register
def _close_all() -> None:
    for backend in _backends:
        backend.close()


def _forget_all() -> None:
    for backend in _backends:
        backend.forget()


os.register_at_fork(after_in_child=_forget_all)


def _kill(pidfd: int) -> None:
    """Kill a sandbox's first process, and with it all others."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def _advice() -> str:
    """What usually stands in the way of unprivileged namespaces, and what to do."""
    knobs = {
        "/proc/sys/kernel/unprivileged_userns_clone": ("0", "sysctl kernel.unprivileged_userns_clone=1"),
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": (
            "1",
            "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        "/proc/sys/user/max_user_namespaces": ("0", "sysctl user.max_user_namespaces=10000"),
    }
    for path, (bad, command) in knobs.items():
        try:
            if Path(path).read_text().strip() == bad:
                return f"User namespaces are switched off here: an administrator can run  {command}"
        except OSError:
            continue
    if Path("/.dockerenv").exists():
        options = "--security-opt seccomp=unconfined --security-opt systempaths=unconfined"
        return f"Inside Docker, start the container with  {options}"
    return "See the page on sandboxes in the documentation."
