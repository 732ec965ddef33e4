"""The backend for containers: our runtime is the first process of each, behind one stream of the daemon.

No call of the daemon is made in an episode's step. When the gym ends, however it ends, the daemon closes the
runtime's stdin, the runtime ends, its container with it, and the daemon removes that.
"""

import atexit
import os
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from debug_gym.errors import DebugGymError, SandboxError, TaskError
from debug_gym.sandbox.base import Guarantees, Probe
from debug_gym.sandbox.client import Sandbox
from debug_gym.sandbox.docker import images
from debug_gym.sandbox.docker.daemon import LABEL, OWNER, asking, connect
from debug_gym.sandbox.docker.images import USER, PreparedImage
from debug_gym.sandbox.docker.orphans import remove_orphans
from debug_gym.sandbox.docker.stream import AttachedChannel
from debug_gym.sandbox.interpreters import runtime_command, sandbox_environment
from debug_gym.sandbox.owners import owner
from debug_gym.sandbox.pool import ReadyPool
from debug_gym.sandbox.recipe import HOME, RUNTIME_FOLDER
from debug_gym.task import FilesSource, Limits, Task

IMAGE_VARIABLE = "DEBUG_GYM_DOCKER_IMAGE"
DEFAULT_IMAGE = "python:3.12"
"""Where repositories go that do not come in an image. It has to have bash and pytest: name one of your own in
``$DEBUG_GYM_DOCKER_IMAGE``."""
CPUS = 2
"""CPUs that one sandbox may keep busy."""
LIMITABLE = ("btrfs", "zfs", "windowsfilter", "devicemapper")
"""Storage drivers that can limit a container's disk; overlay2 can on xfs with project quotas."""


class DockerBackend:
    """Containers with no network, no capabilities and no other user than an ordinary one.

    Args:
        ready: how many sandboxes to keep started ahead for each kind of task; a start then takes
            milliseconds.
    """

    name = "docker"
    left = "containers"
    guarantees = Guarantees(
        files=True, network=True, processes=True, memory=True, process_count=True, cleanup=True
    )

    def __init__(self, ready: int = 2) -> None:
        self.on_progress: Callable[[str], None] = lambda line: None
        self._client: Any = None
        self._lock = threading.Lock()
        self._pool = ReadyPool(self._start, ready)
        _backends.add(self)

    @property
    def client(self) -> Any:
        """The daemon's client. Raises ``SandboxUnavailableError`` if there is no daemon."""
        with self._lock:
            if self._client is None:
                self._client = connect()
                self.guarantees = promises(self._client.info())
            return self._client

    def probe(self) -> Probe:
        """Ask the daemon; with an image for repositories at hand, start a sandbox and run a command in it."""
        try:
            client = self.client
            name = default_image()
            if not client.images.list(name):
                return Probe(True, self.guarantees, f"the daemon answers; the image {name} is not pulled yet")
            source = FilesSource(files={"probe.txt": "probe\n"})
            with self._start(Task(id="probe", problem="", source=source)) as sandbox:
                seen = sandbox.exec("cat probe.txt", timeout=10)
        except (DebugGymError, OSError) as error:
            return Probe(False, Guarantees(), str(error))
        if seen.output != "probe\n":
            return Probe(False, Guarantees(), f"a command in a container went wrong: {seen.output!r}")
        return Probe(True, self.guarantees, "a container was started and a command ran in it")

    def remove_left(self) -> int:
        """See ``LeavingBackend.remove_left``."""
        return remove_orphans(self.client)

    def start(self, task: Task) -> Sandbox:
        """See ``Backend.start``."""
        return self._pool.take(task)

    def fetch(self, task: Task) -> None:
        """See ``FetchingBackend.fetch``."""
        self._image(task)

    def _image(self, task: Task) -> PreparedImage:
        return images.prepared(self.client, task, default_image(), self._tell)

    def _tell(self, line: str) -> None:
        self.on_progress(line)

    @property
    def waiting(self) -> int:
        """How many sandboxes are ready."""
        return self._pool.waiting

    def _start(self, task: Task) -> Sandbox:
        image = self._image(task)
        try:
            container, channel = self._run(task, image)
        except TaskError:  # somebody has removed the image meanwhile
            images.forget(image)
            image = self._image(task)
            container, channel = self._run(task, image)
        sandbox = Sandbox(
            task,
            image.workspace,
            channel,
            kill=partial(_kill, self.client.api, container),
            start_another=lambda: self.start(task),
            scratch=["/tmp", HOME],
        )
        preload = task.environment.preload
        try:
            sandbox.boot(preload=image.imports if preload is None else preload)
        except SandboxError as error:
            sandbox.close()
            raise SandboxError(f"the runtime did not start in {task.source.where}: {error}") from None
        return sandbox

    def _run(self, task: Task, image: PreparedImage) -> tuple[str, AttachedChannel]:
        """Start a container: its id, and the way to the runtime in it."""
        api = self.client.api
        variables = sandbox_environment(image.python, HOME, {})
        path = variables["PATH"].partition(":")[0] + ":" + image.variables.get("PATH", variables["PATH"])
        with asking("a sandbox cannot be started"):
            program, *words = runtime_command(image.python, RUNTIME_FOLDER)
            container: str = api.create_container(
                image.id,
                words,
                entrypoint=[program],
                user=f"{USER}:{USER}",
                working_dir=image.workspace,
                stdin_open=True,
                environment={**image.variables, **variables, "PATH": path, **task.environment.variables},
                labels={LABEL: "sandbox", OWNER: owner()},
                hostname="sandbox",
                host_config=self._walls(task.limits),
            )["Id"]
            attached = api.attach_socket(container, {"stdin": 1, "stdout": 1, "stream": 1})
            # The response that holds the socket must not end before it: it would close it.
            channel = AttachedChannel(attached._sock)
            weakref.finalize(channel, attached.close).atexit = False
            try:
                api.start(container)
            except BaseException:
                channel.close()
                raise
        return container, channel

    def _walls(self, limits: Limits) -> Any:
        """What a container may do and use."""
        room = f"size={limits.disk},mode=1777,exec,nosuid,nodev"
        return self.client.api.create_host_config(
            network_mode="none",
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            mem_limit=limits.memory,
            memswap_limit=limits.memory,
            pids_limit=limits.processes,
            nano_cpus=CPUS * 1_000_000_000,
            tmpfs={"/tmp": room, HOME: room},
            shm_size="64m",
            storage_opt={"size": str(limits.disk)} if self.guarantees.disk else None,
            log_config={"type": "none"},
            auto_remove=True,
        )

    def close(self) -> None:
        """See ``Backend.close``."""
        self._pool.close()
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None


def _kill(api: Any, container: str) -> None:
    """End it. The daemon takes its time, so nobody waits for it."""

    def kill() -> None:
        with suppress(Exception):  # mostly it has ended already, since its stdin is closed
            api.kill(container)

    threading.Thread(target=kill, name="docker-kill", daemon=True).start()


def promises(info: dict[str, Any]) -> Guarantees:
    """What a daemon can keep, by what it says of itself. What it cannot limit, it only warns of."""
    rootless = info.get("Rootless") or any("rootless" in kind for kind in info.get("SecurityOptions") or ())
    limits = not (rootless and str(info.get("CgroupVersion")) == "1")
    return Guarantees(
        files=True,
        network=True,
        processes=True,
        memory=limits and bool(info.get("MemoryLimit")),
        disk=info.get("Driver") in LIMITABLE,
        process_count=limits and bool(info.get("PidsLimit")),
        cleanup=True,
    )


def default_image() -> str:
    """The image for repositories that do not come in one."""
    return os.environ.get(IMAGE_VARIABLE) or DEFAULT_IMAGE


_backends: "weakref.WeakSet[DockerBackend]" = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for backend in list(_backends):
        backend.close()
