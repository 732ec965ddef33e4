"""The default backend on Linux: unprivileged sandboxes from namespaces, forked from a warm template."""

import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from debug_gym.errors import DebugGymError, SandboxError, SandboxUnavailableError, TaskError
from debug_gym.sandbox import bases
from debug_gym.sandbox.base import Changes, FileEntry, Guarantees, Probe
from debug_gym.sandbox.client import WARM_LIMIT, RuntimeSandbox
from debug_gym.sandbox.harvest import CACHES, SKIPPED, harvest_folder, harvest_upper
from debug_gym.sandbox.runtime.enclosure import HOME, ROOTS_ID, WORKSPACE
from debug_gym.task import DirectorySource, Environment, Task

RUNTIME = Path(__file__).parent / "runtime"
START_LIMIT = 20.0
"""Seconds for one sandbox to start."""
OLDEST_PYTHON = (3, 8)
"""What the runtime needs; the gym itself needs more."""
MAX_TEMPLATES = 8
"""Warm interpreters kept at the same time; the one unused for longest goes."""

TOO_MANY_FILES = "the gym may open no more files: raise the limit (ulimit -n); each sandbox takes six"

GUARANTEES = Guarantees(
    files=True, network=True, processes=True, memory=True, disk=True, process_count=True, cleanup=True
)
BOOT = """
import importlib.util as util, sys
if sys.path and sys.path[0] == "": del sys.path[0]
folder = sys.argv[1]
spec = util.spec_from_file_location(
    "debug_gym_runtime", folder + "/__init__.py", submodule_search_locations=[folder]
)
module = util.module_from_spec(spec); sys.modules[spec.name] = module; spec.loader.exec_module(module)
import debug_gym_runtime.first
"""
"""Loads the runtime under a name of its own, so that a workspace which is debug-gym itself is no clash."""


def interpreter(environment: Environment) -> str:
    """The path of the interpreter that an environment names.

    Raises:
        TaskError: there is none, or it is not a Python that the runtime supports.
    """
    if environment.python is None:
        return sys.executable
    path = Path(environment.python).expanduser()
    for candidate in (path / "bin/python", path / "bin/python3", path):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return _tried(str(candidate.absolute()))
    found = shutil.which(environment.python)
    if found:
        return _tried(found)
    raise TaskError(
        f"there is no Python at {environment.python!r}: name a virtual environment or an interpreter"
    )


@functools.cache
def _tried(python: str) -> str:
    """The same path, once it has said that it is a Python of a version that the runtime supports."""
    try:
        done = subprocess.run(
            [python, "-c", "import sys; print(sys.version_info[0], sys.version_info[1])"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={"PATH": os.defpath, "PYTHONNOUSERSITE": "1"},
            cwd="/",
            timeout=START_LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TaskError(f"{python} cannot be run: {error}") from None
    words = done.stdout.split()
    if done.returncode or len(words) != 2 or not all(word.isdigit() for word in words):
        said = (done.stderr or done.stdout).decode(errors="replace").strip().rpartition("\n")[2][:200]
        raise TaskError(f"{python} is not a Python that works: {said or f'exit code {done.returncode}'}")
    if (int(words[0]), int(words[1])) < OLDEST_PYTHON:
        version = b".".join(words).decode()
        raise TaskError(f"{python} is Python {version}, but a sandbox needs 3.8 or newer")
    return python


def sandbox_environment(python: str, home: str, extra: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of a sandbox: fixed, so that runs are equal; none is the host's."""
    return {
        "PATH": f"{Path(python).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "USER": "agent",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "dumb",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_NAME": "agent" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "agent@localhost" for who in ("AUTHOR", "COMMITTER")},
        **extra,
    }


def _own_folders() -> list[str]:
    """Where this package lies: it holds the solutions of tasks. Parts of it may be links to elsewhere."""
    own = Path(__file__).parents[1]
    return [str(own), *(str(part.resolve()) for part in own.iterdir() if part.is_symlink())]


class Template:
    """The host's handle on one warm interpreter."""

    def __init__(self, python: str, preload: tuple[str, ...], variables: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._socket = ours
        self._lock = threading.Lock()
        boot = BOOT + "from debug_gym_runtime.template import main; main(int(sys.argv[2]))"
        with theirs:
            self._process = subprocess.Popen(
                [python, "-c", boot, str(RUNTIME), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=sandbox_environment(python, HOME, variables),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                cwd="/",
                start_new_session=True,
            )
        with contextlib.suppress(OSError):  # it may have ended already; the lack of an answer will say so
            ours.send(json.dumps({"preload": list(preload), "masked": _own_folders()}).encode())
        ours.settimeout(WARM_LIMIT)
        facts = self._answer()
        self.unfit: frozenset[str] = frozenset(facts["unfit"])
        """Modules that cannot be imported ahead; the template is then of no use."""
        self.installed: frozenset[str] = frozenset(facts["installed"])

    def _answer(self) -> dict[str, Any]:
        try:
            data = self._socket.recv(1 << 20)
        except OSError:
            data = b""
        if not data:
            self._process.kill()
            self._process.wait()
            said = self._last_words()
            self.close()
            raise SandboxError(f"the warm interpreter ended: {said or 'it was killed'}")
        reply: dict[str, Any] = json.loads(data)
        return reply

    def _last_words(self) -> str:
        """The last line that the process or one of its forks wrote to its error output."""
        end = os.fstat(self._errors.fileno()).st_size
        tail = os.pread(self._errors.fileno(), 4096, max(0, end - 4096))
        return tail.decode(errors="replace").strip().rpartition("\n")[2]

    def start(self, base: bases.Base, task: Task) -> tuple[socket.socket, int, list[int]]:
        """Fork a sandbox: its channel, a pidfd of its first process, and its folders' descriptors (upper,
        /tmp, home)."""
        request = {"base": str(base.path), "limits": task.limits.model_dump()}
        with self._lock:
            data, fds = self._ask(json.dumps(request).encode())
        if len(fds) != 2:
            for fd in fds:
                os.close(fd)
            why = json.loads(data).get("error", TOO_MANY_FILES) if data else "the warm interpreter ended"
            raise SandboxUnavailableError(f"a sandbox cannot be started: {why}; see  debug-gym doctor")
        pidfd, channel = fds[0], socket.socket(fileno=fds[1])
        folders: list[int] = []
        try:
            channel.settimeout(START_LIMIT)
            hello, folders, _, _ = socket.recv_fds(channel, 1, 3)
            if hello == b"+" and len(folders) != 3:
                raise SandboxError(f"a sandbox cannot be started: {TOO_MANY_FILES}")
            said = channel.recv(4096)
            if hello + said != b"++":
                told = said.lstrip(b"!").decode(errors="replace")
                why = told or f"its first process ended {self._last_words()}"
                raise SandboxUnavailableError(f"a sandbox cannot be started: {why}; see  debug-gym doctor")
        except BaseException as error:
            channel.close()
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            for fd in (pidfd, *folders):
                os.close(fd)
            if isinstance(error, OSError):
                raise SandboxError(f"a new sandbox does not answer: {error}") from None
            raise
        return channel, pidfd, list(folders)

    def _ask(self, request: bytes) -> tuple[bytes, list[int]]:
        """Send a request and wait for its answer. Without one the process is killed: a late answer would
        be taken for that to the next request."""
        try:
            self._socket.settimeout(START_LIMIT)
            self._socket.send(request)
            data, fds, _, _ = socket.recv_fds(self._socket, 1 << 16, 2)
        except BaseException as error:
            self._process.kill()
            self._process.wait()
            if isinstance(error, OSError):
                raise SandboxError(f"the warm interpreter does not answer: {error}") from None
            raise
        return data, list(fds)

    @property
    def alive(self) -> bool:
        """The process still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process. The sandboxes that it forked live on."""
        self._socket.close()
        self._errors.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def forget(self) -> None:
        """In a forked copy of the gym's process: let go of the socket."""
        self._socket.close()
        self._errors.close()


@dataclass
class _Ready:
    """Sandboxes started ahead for one task."""

    waiting: deque[RuntimeSandbox]
    starting: int = 0


class NamespaceBackend:
    """Sandboxes from user, mount, pid, network, ipc, uts and cgroup namespaces. Needs no privileges.

    Args:
        ready: how many sandboxes to keep started ahead for the tasks last used; a start then costs a
            fraction of a millisecond, and a few MB wait for it.
    """

    name = "namespace"
    guarantees = GUARANTEES

    def __init__(self, ready: int = 0) -> None:
        self.ready = ready
        self._templates: OrderedDict[tuple[Any, ...], Template] = OrderedDict()
        self._unfit: set[str] = set()
        self._pool: OrderedDict[str, _Ready] = OrderedDict()
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
                return Probe(False, Guarantees(), f"{error}. {_advice()}")
            if seen.output != "probe\n" or seen.exit_code != 0:
                return Probe(
                    False, Guarantees(), f"a command in a sandbox went wrong: {seen.output!r}. {_advice()}"
                )
        return Probe(True, GUARANTEES, "a sandbox was started and a command ran in it")

    def start(self, task: Task) -> RuntimeSandbox:
        """See ``Backend.start``."""
        if self.ready:
            sandbox = self._take_ready(task)
            if sandbox is not None:
                return sandbox
        return self._start(task)

    def _start(self, task: Task) -> RuntimeSandbox:
        if sys.platform != "linux":
            raise SandboxUnavailableError("the namespace backend needs Linux")
        python = interpreter(task.environment)
        owner = ROOTS_ID if os.getuid() == 0 else None
        base, base_fd = bases.hold(task.source, python, owner)
        try:
            channel, pidfd, folders = self._fork(task, python, base)
        except BaseException:
            os.close(base_fd)
            raise
        upper, tmp, home = folders

        def harvest(everything: bool) -> Changes:
            return harvest_upper(upper, base_fd, CACHES if everything else SKIPPED)

        def scratch() -> dict[str, FileEntry]:
            found = {}
            for fd, prefix in ((tmp, "/tmp"), (home, HOME)):
                found.update({f"{prefix}/{path}": entry for path, entry in harvest_folder(fd).files.items()})
            return found

        return RuntimeSandbox(
            task,
            WORKSPACE,
            channel,
            pidfd=pidfd,
            harvest=harvest,
            scratch=scratch,
            start_twin=lambda: self.start(task),
            held=(*folders, base_fd),
        )

    def _fork(self, task: Task, python: str, base: bases.Base) -> tuple[socket.socket, int, list[int]]:
        """See ``Template.start``. A template that has died is replaced."""
        template = self._template(task, python, base)
        try:
            return template.start(base, task)
        except SandboxError:
            if template.alive:
                raise
            return self._template(task, python, base).start(base, task)

    def _template(self, task: Task, python: str, base: bases.Base) -> Template:
        """The warm interpreter for a task: one with what its files import ahead, where that is installed."""
        variables = task.environment.variables
        with self._lock:
            wanted = task.environment.preload
            if wanted is None:
                installed = self._warm(python, (), variables).installed
                wanted = tuple(name for name in base.imports if name in installed)
            while True:
                preload = tuple(name for name in wanted if name not in self._unfit)
                template = self._warm(python, preload, variables)
                if not template.unfit:
                    return template
                self._unfit |= template.unfit
                template.close()

    def _warm(self, python: str, preload: tuple[str, ...], variables: Mapping[str, str]) -> Template:
        key = (python, preload, tuple(sorted(variables.items())))
        template = self._templates.get(key)
        if template is not None and not template.alive:
            template.close()
            template = None
        if template is None:
            template = self._templates[key] = Template(python, preload, variables)
            while len(self._templates) > MAX_TEMPLATES:
                self._templates.popitem(last=False)[1].close()
        self._templates.move_to_end(key)
        return template

    def _take_ready(self, task: Task) -> RuntimeSandbox | None:
        """A sandbox that was started ahead, if there is one; and start the next in the background."""
        key = task.model_dump_json()
        with self._lock:
            ready = self._pool.setdefault(key, _Ready(deque()))
            self._pool.move_to_end(key)
            missing = self.ready - len(ready.waiting) - ready.starting + bool(ready.waiting)
            ready.starting += missing
            sandbox = ready.waiting.popleft() if ready.waiting else None
            if len(self._pool) > 16:
                for old in self._pool.popitem(last=False)[1].waiting:
                    old.close()
        for _ in range(missing):
            threading.Thread(target=self._refill, args=(task, ready), daemon=True).start()
        return sandbox

    def _refill(self, task: Task, ready: _Ready) -> None:
        try:
            sandbox = self._start(task)
        except (DebugGymError, OSError):
            sandbox = None  # whoever needs it will start its own, and see the error
        with self._lock:
            ready.starting -= 1
            if sandbox is not None:
                if any(entry is ready for entry in self._pool.values()):
                    ready.waiting.append(sandbox)
                else:
                    sandbox.close()

    def close(self) -> None:
        """See ``Backend.close``."""
        with self._lock:
            for ready in self._pool.values():
                for sandbox in ready.waiting:
                    sandbox.close()
            self._pool.clear()
            for template in self._templates.values():
                template.close()
            self._templates.clear()

    def forget(self) -> None:
        """In a forked copy of the gym's process: start anew, the old process's things are not ours."""
        for template in self._templates.values():
            template.forget()
        self._templates = OrderedDict()
        self._pool = OrderedDict()
        self._lock = threading.RLock()


_backends: list[NamespaceBackend] = []


@atexit.register
def _close_all() -> None:
    for backend in _backends:
        backend.close()


def _forget_all() -> None:
    for backend in _backends:
        backend.forget()


os.register_at_fork(after_in_child=_forget_all)


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
