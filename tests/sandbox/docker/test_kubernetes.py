"""The backend for clusters, with the official client, against a server that speaks the protocol and whose pods
are containers of the Docker daemon."""

import importlib.util
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from debug_gym.env import DebugGymEnv
from debug_gym.errors import ConfigError, SandboxDiedError, SandboxError, SandboxUnavailableError, TaskError
from debug_gym.task import Environment, FilesSource, ImageSource, Limits, Task

pytest.importorskip("kubernetes", reason="the extra kubernetes is not installed")

from debug_gym.sandbox.kubernetes import KubernetesBackend
from debug_gym.sandbox.kubernetes.cluster import connect
from debug_gym.sandbox.kubernetes.orphans import remove_orphans

pytestmark = pytest.mark.timeout(600)
PYTHON = "/opt/miniconda3/envs/testbed/bin/python3"
FIX = {"name": "replace", "arguments": {"path": "calc.py", "old": "a - b", "new": "a + b"}}
HOLD = """
import sys, time
from debug_gym.sandbox.kubernetes import KubernetesBackend
from debug_gym.task import ImageSource, Task
backend = KubernetesBackend(ready=0)
sandbox = backend.start(Task(id="calc", problem="", source=ImageSource(image=sys.argv[1], python=sys.argv[2])))
print("started", flush=True)
time.sleep(600)
"""


@pytest.fixture
def cluster(daemon, tmp_path, monkeypatch):
    """A server, and the configuration that leads to it."""
    spec = importlib.util.spec_from_file_location(
        "kubernetes_server", Path(__file__).parents[2] / "kubernetes_server.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.ApiServer().serving() as server:
        named = {"name": "test", "context": {"cluster": "test", "user": "test", "namespace": "gym"}}
        address = {"name": "test", "cluster": {"server": f"http://127.0.0.1:{server.port}"}}
        user = {"name": "test", "user": {"token": "secret"}}
        config = {"clusters": [address], "contexts": [named], "users": [user], "current-context": "test"}
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **config}))
        monkeypatch.setenv("KUBECONFIG", str(path))
        yield server


@pytest.fixture
def pods(cluster):
    """A backend that keeps nothing ready, and does not wait for ever."""
    backend = KubernetesBackend(ready=0, patience=60.0, pulling=0.0)
    yield backend
    backend.close()


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.05)


def test_an_episode_in_pods(cluster, pods, in_image):
    env = DebugGymEnv(task=in_image(), sandbox=pods, stop_when_passing=False)
    env.reset()
    assert "1 failed" in env.step({"name": "eval", "arguments": {}})[0]
    env.step({"name": "pdb", "arguments": {"command": "b calc.py:2"}})
    asked = len(cluster.calls)
    env.step({"name": "pdb", "arguments": {"command": "c"}})
    assert env.step({"name": "pdb", "arguments": {"command": "p a - b"}})[0].startswith("-1")
    assert not env.step(FIX)[-1]["error"]
    assert "The repository" in env.step({"name": "bash", "arguments": {"command": "git log"}})[0]
    assert len(cluster.calls) == asked, "a step asks the API server for nothing"
    copied = env.fork()
    assert "a + b" in copied.step({"name": "view", "arguments": {"path": "calc.py"}})[0]
    copied.close()
    _, reward, _, _, info = env.step({"name": "submit", "arguments": {}})
    assert (reward, info["resolved"]) == (1.0, True)
    env.close()
    pods.close()
    assert not cluster.pods


def test_the_walls(pods, in_image):
    task = in_image().model_copy(update={"limits": Limits(processes=40)})
    with pods.start(task) as sandbox:
        status = sandbox.exec(
            "grep -E '^(Uid|CapEff|CapPrm|CapAmb|NoNewPrivs)' /proc/self/status"
        ).output.split()
        assert status[1] not in {"0", "1000"}
        assert {status[status.index(f"Cap{kind}:") + 1] for kind in ("Eff", "Prm", "Amb")} == {"0" * 16}
        assert status[status.index("NoNewPrivs:") + 1] == "1"
        assert sandbox.exec("kill -9 1 || echo refused").output.endswith("refused\n")
        assert "KUBERNETES" not in sandbox.exec("env").output
        assert sandbox.exec("ls /var/run/secrets/kubernetes.io").exit_code == 2
        assert sandbox.exec("ls /testbed/.git/secret").exit_code == 2
        many = sandbox.exec("for i in $(seq 60); do sleep 60 & done", timeout=30)
        assert "Resource temporarily unavailable" in many.output
        assert pods.guarantees.isolated
        reached = "import os, socket; socket.create_connection(('172.17.0.1', 80), 2)"
        assert sandbox.exec([PYTHON, "-c", reached]).exit_code == 1
        data = bytes(range(256)) * 12_000
        sandbox.write("data.bin", data)
        assert sandbox.read("data.bin") == data
    with pytest.raises(SandboxDiedError):
        sandbox.exec("true")


def test_a_cluster_that_heeds_no_policy_is_not_trusted(cluster, in_image):
    cluster.enforces = False
    backend = KubernetesBackend(ready=0)
    backend.start(in_image()).close()
    assert not backend.guarantees.network
    assert not backend.guarantees.isolated
    backend.close()


def test_files_go_into_the_image_that_is_named(pods, testbed, monkeypatch):
    monkeypatch.setenv("DEBUG_GYM_KUBERNETES_IMAGE", testbed)
    hostile = dict.fromkeys(("json.py", "socket.py", "resource.py"), "open('/ran-as-root', 'w')\n")
    source = FilesSource(files={"hello.txt": "hello\n", **hostile})
    task = Task(id="files", problem="", source=source, environment=Environment(python=PYTHON))
    with pods.start(task) as sandbox:
        assert sandbox.exec("cat hello.txt; pwd").output == "hello\n/workspace\n"
        assert sandbox.exec("ls /ran-as-root").exit_code == 2, "root has imported the repository's modules"


def test_what_keeps_a_pod_from_starting_is_said(cluster, pods, in_image):
    backend = KubernetesBackend(ready=0, patience=0.5)
    missing = Task(id="x", problem="", source=ImageSource(image="debug-gym-test/none:0", python=PYTHON))
    with pytest.raises(TaskError, match="the image debug-gym-test/none:0 cannot be pulled: "):
        pods.start(missing)
    with pytest.raises(TaskError, match="cannot be used: there is no Python called /opt/none"):
        pods.start(in_image(python="/opt/none"))
    cluster.unschedulable = True
    with pytest.raises(SandboxError, match=r"did not start within 0.5 s: 0/3 nodes are available"):
        backend.start(in_image())
    cluster.quota = 0
    with pytest.raises(SandboxError, match="exceeded quota"):
        backend.start(in_image())
    backend.close()
    assert not cluster.pods


def test_the_doctor_asks_and_makes_nothing(cluster, pods):
    probe = pods.probe()
    assert (probe.works, "v1.30.0) lets us make pods in gym" in probe.detail) == (True, True)
    cluster.forbidden = {"create pods/exec"}
    probe = pods.probe()
    assert (probe.works, probe.detail) == (False, "the account may not create pods/exec in the namespace gym")
    assert not cluster.pods
    assert not cluster.policies


def test_a_full_namespace_is_waited_for(cluster, pods, in_image):
    cluster.quota = 1
    first = pods.start(in_image())
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(pods.start, in_image())
        wait_for(lambda: sum(call.startswith("POST") and "/pods" in call for call in cluster.calls) > 2)
        first.close()
        second.result().close()


def test_a_server_that_stumbles_is_asked_again(cluster, pods, in_image):
    cluster.failures = 3
    pods.start(in_image()).close()


def test_a_pod_that_is_evicted_is_replaced(cluster, pods, in_image, daemon):
    env = DebugGymEnv(task=in_image(), sandbox=pods)
    env.reset()
    env.step(FIX)
    for name in list(cluster.pods):
        daemon.containers.get(name).kill()
    seen = [env.step({"name": "view", "arguments": {"path": "calc.py"}})[0] for _ in range(2)]
    assert "A new one has taken its place, but your changes are lost" in seen[0]
    assert "a - b" in seen[1]
    env.close()


def test_pods_end_with_a_gym_that_is_killed(cluster, testbed):
    gym = subprocess.Popen([sys.executable, "-c", HOLD, testbed, PYTHON], stdout=subprocess.PIPE, text=True)
    try:
        assert gym.stdout.readline() == "started\n"
        (pod,) = cluster.pods.values()
        gym.send_signal(signal.SIGKILL)
        gym.wait()
        wait_for(lambda: pod["status"]["phase"] != "Running")
        found = connect(None)
        assert KubernetesBackend(ready=0).remove_left() == 1
        assert remove_orphans(found) == 0
        found.close()
        assert not cluster.pods
    finally:
        gym.kill()
        gym.wait()
        gym.stdout.close()


def test_a_cluster_gets_what_it_wants_in_a_pod(cluster, pods, in_image, tmp_path, monkeypatch):
    template = tmp_path / "pod.yaml"
    container = {"resources": {"requests": {"cpu": "1"}}}
    theirs = {"spec": {"nodeSelector": {"pool": "gym"}, "containers": [container]}}
    template.write_text(yaml.safe_dump(theirs))
    monkeypatch.setenv("DEBUG_GYM_KUBERNETES_POD", str(template))
    with pods.start(in_image()):
        (pod,) = cluster.pods.values()
        assert pod["spec"]["nodeSelector"] == {"pool": "gym"}
        assert pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "1"
        assert "memory" in pod["spec"]["containers"][0]["resources"]["limits"]
    template.write_text("just a text")
    with pytest.raises(ConfigError, match="holds no part of a pod"):
        pods.start(in_image())


def test_without_a_cluster_one_sentence_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(SandboxUnavailableError, match="there is no cluster to be found"):
        KubernetesBackend().start(Task(id="x", problem="", source=FilesSource(files={"x": ""})))
    assert "set KUBECONFIG" in KubernetesBackend().probe().detail


def test_an_image_is_fetched_ahead(cluster, pods, in_image):
    pods.fetch(in_image())
    wait_for(lambda: not cluster.pods)
