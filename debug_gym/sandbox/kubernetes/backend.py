"""The backend for clusters: a pod a sandbox, our runtime behind one stream of the API server.

A pod comes from the task's own image; what Docker's backend keeps as a prepared image is done anew in each
pod, in the same stream in which the runtime is started then. No call of the API server is made in a step of
an episode. When the gym ends, however it ends, its streams do, the runtimes with them, and each pod with its
runtime.
"""

import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from debug_gym.errors import DebugGymError, SandboxError, TaskError
from debug_gym.sandbox.base import Guarantees, Probe
from debug_gym.sandbox.client import Sandbox
from debug_gym.sandbox.interpreters import runtime_command, sandbox_environment
from debug_gym.sandbox.kubernetes import pod
from debug_gym.sandbox.kubernetes.cluster import Cluster, ClusterError, connect
from debug_gym.sandbox.kubernetes.orphans import remove_orphans
from debug_gym.sandbox.kubernetes.stream import WebSocketChannel
from debug_gym.sandbox.owners import owner
from debug_gym.sandbox.pool import ReadyPool
from debug_gym.sandbox.recipe import FACTS, HOME, RUNTIME_FOLDER, Recipe, facts, recipe
from debug_gym.task import Task

NAMESPACE = "DEBUG_GYM_KUBERNETES_NAMESPACE"
IMAGE = "DEBUG_GYM_KUBERNETES_IMAGE"
DEFAULT_IMAGE = "python:3.12"
"""Where repositories go that do not come in an image. It has to have bash, tar and pytest: name one of your
own in ``$DEBUG_GYM_KUBERNETES_IMAGE``."""
PATIENCE = 600.0
"""Seconds that a pod may wait for a node, for room in a quota, and for its image."""
PREPARING = 600.0
"""Seconds for the set-up of an image."""
FENCED = 10.0
"""Seconds until a pod's network must be closed."""
NO_IMAGE = {"InvalidImageName", "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull"}
NO_START = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CrashLoopBackOff"}

_BEGIN = """
set -e
umask 022
our_host=$KUBERNETES_SERVICE_HOST our_port=${{KUBERNETES_SERVICE_PORT:-443}}
head -c {size} | tar -xf - -C / --no-same-owner
{{
{script}
}} </dev/null >&2
cat {facts}
rm {facts}
echo $$ > {pid}
exec "$python" -I -c '{launch}' "$our_host" "$our_port"
"""
_LAUNCH = """
import json, os, resource, socket, sys, time
def order():
    line = b""
    while not line.endswith(b"\\n"):
        part = os.read(0, 1)  # what follows is for the runtime
        if not part: sys.exit()
        line += part
    return json.loads(line.decode())
def reached():
    host, port = sys.argv[1:]
    if not host: return True  # nobody knows
    try: socket.create_connection((host, int(port)), 2).close()
    except OSError: return False
    return True
first = order()
if first["look"]:
    until = time.time() + first["look"]
    open_ = reached()
    while open_ and time.time() < until:
        time.sleep(0.2)
        open_ = reached()
    print("open" if open_ else "closed", flush=True)
hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
most = first["processes"] if hard < 0 else min(hard, first["processes"])
resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
os.setgroups([]); os.setgid(first["user"]); os.setuid(first["user"])
os.chdir(first["folder"])
os.execve(first["command"][0], first["command"], first["variables"])
"""


class KubernetesBackend:
    """Pods with no network, no service account, and an ordinary user without capabilities.

    Whether the network is closed depends on the cluster, which may heed no network policies: it is promised
    once the first pod could not reach the API server.

    Args:
        ready: how many sandboxes to keep started ahead for each kind of task; a start then takes
            milliseconds.
        patience: seconds that a pod may take until it runs.
        pulling: seconds for which a node may go on trying to pull an image that it could not have.
    """

    name = "kubernetes"
    left = "pods"

    def __init__(self, ready: int = 2, patience: float = PATIENCE, pulling: float = 30.0) -> None:
        self.guarantees = Guarantees(
            files=True, processes=True, memory=True, disk=True, process_count=True, cleanup=True
        )
        self.on_progress: Callable[[str], None] = lambda line: None
        self._patience, self._pulling = patience, pulling
        self._cluster: Cluster | None = None
        self._looked = self._open = False
        self._lock = threading.Lock()
        self._pool = ReadyPool(self._start, ready)
        self._ending = ThreadPoolExecutor(8, "kubernetes-end")

    @property
    def cluster(self) -> Cluster:
        """The cluster, once it has answered and our network policy is there.

        Raises:
            SandboxUnavailableError: there is none.
            ClusterError: it refuses.
        """
        with self._lock:
            if self._cluster is None:
                cluster = connect(os.environ.get(NAMESPACE) or None)
                try:
                    self._fence(cluster)
                    remove_orphans(cluster)
                except BaseException:
                    cluster.close()
                    raise
                self._cluster = cluster
            return self._cluster

    def probe(self) -> Probe:
        """Ask the cluster whether pods may be made. None is: clusters are other people's as well."""
        try:
            cluster = connect(os.environ.get(NAMESPACE) or None)
            try:
                version = cluster.version()
            finally:
                cluster.close()
        except (DebugGymError, OSError) as error:
            return Probe(False, Guarantees(), str(error))
        return Probe(
            True,
            self.guarantees,
            f"the cluster ({version}) lets us make pods in {cluster.namespace}; whether it closes their "
            "network is seen in the first one",
        )

    def remove_left(self) -> int:
        """See ``LeavingBackend.remove_left``."""
        cluster = connect(os.environ.get(NAMESPACE) or None)
        try:
            return remove_orphans(cluster)
        finally:
            cluster.close()

    def start(self, task: Task) -> Sandbox:
        """See ``Backend.start``."""
        return self._pool.take(task)

    def fetch(self, task: Task) -> None:
        """See ``FetchingBackend.fetch``: a node pulls the image, for a pod that ends at once."""
        made = recipe(task, default_image(), 0)
        cluster, name = self.cluster, _name()
        wanted = pod.manifest(name, made.image, task.limits, owner())
        wanted["spec"]["containers"][0]["command"] = ["/bin/true"]
        try:
            self._create(cluster, wanted)
            self._wait(cluster, name, made.image)
        finally:
            self._end(name)

    def _start(self, task: Task) -> Sandbox:
        user = 10_000 + secrets.randbelow(
            50_000
        )  # the kernel counts processes by user, for all pods of a node
        made = recipe(task, default_image(), user)
        cluster, name = self.cluster, _name()
        try:
            self._create(cluster, pod.manifest(name, made.image, task.limits, owner()))
            self._wait(cluster, name, made.image)
            channel = self._begin(cluster, name, made, task, user)
        except BaseException:
            self._end(name)
            raise
        sandbox = Sandbox(
            task,
            made.folder,
            channel,
            kill=partial(self._end, name),
            start_another=lambda: self.start(task),
            scratch=["/tmp", HOME],
        )
        preload = task.environment.preload
        try:
            sandbox.boot(preload=made.imports if preload is None else preload)
        except SandboxError as error:
            sandbox.close()
            raise SandboxError(f"the runtime did not start in {task.source.where}: {error}") from None
        return sandbox

    def _create(self, cluster: Cluster, wanted: dict[str, Any]) -> None:
        """Make a pod, as soon as a quota has room for it."""
        until = time.monotonic() + self._patience
        while True:
            try:
                cluster.ask("a sandbox cannot be started", partial(_create_pod, cluster, wanted))
            except ClusterError as error:
                if error.status == 409:  # an answer was lost: nobody else's has this name
                    return
                if "exceeded quota" not in str(error) or time.monotonic() > until:
                    raise
                self.on_progress("waiting for room in the namespace's quota")
                time.sleep(1.0)
            else:
                return

    def _wait(self, cluster: Cluster, name: str, image: str) -> None:
        """Until a pod runs, or has run.

        Raises:
            TaskError: there is no such image.
            SandboxError: it does not run in time.
        """
        began = time.monotonic()
        missing: float | None = None
        pause = 0.05
        while True:
            found = cluster.ask("a pod that was started", cluster.core.read_namespaced_pod, name)
            if found is None:
                raise SandboxError(f"the pod {name} was removed while it was started")
            phase, why, message = _state(found)
            if phase in {"Running", "Succeeded"}:
                return
            elapsed = time.monotonic() - began
            if why in NO_IMAGE:
                missing = missing or time.monotonic()
                if time.monotonic() - missing >= self._pulling:
                    raise TaskError(f"the image {image} cannot be pulled: {message or why}")
            if phase == "Failed" or why in NO_START:
                raise SandboxError(f"the pod {name} does not start: {message or why or phase}")
            if elapsed > self._patience:
                raise SandboxError(
                    f"the pod {name} did not start within {self._patience:g} s: {message or why or phase}"
                )
            if elapsed > 2:
                self.on_progress(f"waiting for a pod with {image}: {why or phase}")
            time.sleep(pause)
            pause = min(2 * pause, 1.0)

    def _begin(self, cluster: Cluster, name: str, made: Recipe, task: Task, user: int) -> WebSocketChannel:
        """Prepare the image in its pod, and start the runtime in what comes out."""
        files = made.archive()
        script = _BEGIN.format(
            size=len(files),
            script=made.script,
            facts=FACTS,
            pid=pod.PID_FILE,
            launch=_LAUNCH.replace("'", '"'),
        )
        channel = WebSocketChannel.run(cluster, name, pod.CONTAINER, ["/bin/bash", "-c", script])
        try:
            until = time.monotonic() + PREPARING
            try:
                channel.send(files, until)
                python, variables = facts(_line(channel, until))
                with self._lock:
                    look = not self._looked
                path = sandbox_environment(python, HOME, {})
                first = path["PATH"].partition(":")[0]
                path["PATH"] = f"{first}:{variables.get('PATH', path['PATH'])}"
                wanted = {
                    "look": FENCED if look else 0,
                    "processes": task.limits.processes,
                    "user": user,
                    "folder": made.folder,
                    "command": runtime_command(python, RUNTIME_FOLDER),
                    "variables": {**variables, **path, **task.environment.variables},
                }
                channel.send(json.dumps(wanted).encode() + b"\n", until)
                if look:
                    self._note(_line(channel, until + FENCED))
            except (OSError, ValueError) as error:
                said = channel.stderr.decode(errors="replace").strip().rpartition("\n")[2][:300]
                if channel.status is not None:
                    raise TaskError(
                        f"the image {made.image} cannot be used: {said or channel.status}"
                    ) from None
                why = said or str(error) or type(error).__name__
                raise SandboxError(f"the image {made.image} was not made ready: {why}") from None
        except BaseException:
            channel.close()
            raise
        return channel

    def _note(self, network: bytes) -> None:
        with self._lock:
            self._looked = True
            self._open = self._open or network.strip() != b"closed"
            self.guarantees = replace(self.guarantees, network=not self._open)

    def _fence(self, cluster: Cluster) -> None:
        try:
            cluster.ask("the network policy", partial(_create_fence, cluster))
        except ClusterError as error:
            if error.status != 409:  # it is there
                raise

    def _end(self, name: str) -> None:
        """Remove a pod. That takes its time, so nobody waits for it."""
        cluster = self._cluster
        if cluster is not None:
            self._ending.submit(_delete, cluster, name)

    def close(self) -> None:
        """See ``Backend.close``."""
        self._pool.close()
        ending, self._ending = self._ending, ThreadPoolExecutor(8, "kubernetes-end")
        ending.shutdown()
        with self._lock:
            if self._cluster is not None:
                self._cluster.close()
                self._cluster = None


def default_image() -> str:
    """The image for repositories that do not come in one."""
    return os.environ.get(IMAGE) or DEFAULT_IMAGE


def _name() -> str:
    return f"debug-gym-{secrets.token_hex(8)}"


def _create_pod(cluster: Cluster, wanted: dict[str, Any], **where: Any) -> Any:
    return cluster.core.create_namespaced_pod(body=wanted, **where)


def _create_fence(cluster: Cluster, **where: Any) -> Any:
    return cluster.networking.create_namespaced_network_policy(body=pod.fence(), **where)


def _delete(cluster: Cluster, name: str) -> None:
    delete = partial(cluster.core.delete_namespaced_pod, grace_period_seconds=0)
    with suppress(ClusterError):  # it ends by itself, and the next gym removes what is left of it
        cluster.ask(f"the pod {name}", delete, name)


def _state(found: Any) -> tuple[str, str, str]:
    """Phase of a pod; why it is in it, in a word and in a sentence."""
    for status in found.status.container_statuses or ():
        for state in (status.state.waiting, status.state.terminated):
            if state is not None and state.reason not in {"ContainerCreating", "Completed"}:
                return found.status.phase, state.reason or "", state.message or ""
    for condition in found.status.conditions or ():
        if condition.type == "PodScheduled" and condition.status == "False":
            return found.status.phase, condition.reason or "", condition.message or ""
    return found.status.phase or "Pending", found.status.reason or "", found.status.message or ""


def _line(channel: WebSocketChannel, until: float) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        part = channel.receive(1, until)
        if not part:
            raise ConnectionError("its set-up has ended")
        line += part
    return line
