"""What is left when a gym, a daemon or a container is killed, or the disk is full: nothing, and a clear sentence."""

import gc
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from own_daemon import OwnDaemon, Registry, may_start

from debug_gym.errors import DebugGymError, SandboxDiedError, SandboxError, TaskError
from debug_gym.sandbox.docker import DockerBackend, kept
from debug_gym.sandbox.docker.client import APIError
from debug_gym.sandbox.docker.daemon import LABEL, NoRoomError, connect
from debug_gym.sandbox.docker.images import prepared
from debug_gym.sandbox.docker.orphans import remove_orphans
from debug_gym.task import ImageSource, Task

pytestmark = [
    pytest.mark.docker,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # sockets of a dead daemon
]


@pytest.fixture(scope="module")
def registry(daemon, testbed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    with open(folder / "saved.tar", "wb") as file:
        for part in daemon.images.get(testbed).save():
            file.write(part)
    serving = Registry(folder / "saved.tar", folder)
    yield serving
    serving.close()


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    if reason := may_start():
        pytest.skip(reason)
    started = OwnDaemon(tmp_path_factory.mktemp("daemon"))
    started.start()
    yield started
    started.close()


@pytest.fixture(autouse=True)
def sockets():
    """The docker package leaves those of a dead daemon to the garbage collector."""
    yield
    gc.collect()


@pytest.fixture
def client(own, monkeypatch):
    """Everything in a test talks to the daemon of its own."""
    monkeypatch.setenv("DOCKER_HOST", own.url)
    opened = connect()
    yield opened
    opened.close()


@pytest.fixture
def in_registry(registry):
    """``in_registry(*setup)``: a task in an image that has to be pulled."""

    def make(*setup):
        python = "/opt/miniconda3/envs/testbed/bin/python3"
        source = ImageSource(image=f"{registry.address}/calc:1", python=python, setup=setup)
        return Task(id="calc", problem="", source=source)

    return make


def left(client):
    return client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)


def soon(holds, seconds=60):
    end = time.monotonic() + seconds
    while not (seen := holds()) and time.monotonic() < end:
        time.sleep(0.1)
    return seen


def test_an_image_is_pulled_with_progress_and_goes_with_what_was_made_of_it(client, in_registry):
    task, lines = in_registry(), []
    prepared(client, task, "", lines.append)
    name = task.source.image
    assert lines[0] == f"pulling {name}"
    assert any(line.startswith(f"pulling {name}: ") and line.endswith(" MB") for line in lines)
    assert lines[-1] == f"preparing {name}"
    (image,) = kept.list_prepared(client)
    assert (image.made_from, image.pulled) == (name, True)
    assert image.own < image.base < kept.needed([image])
    assert kept.remove_prepared(client, keep=image.base + image.own) == 0
    assert kept.remove_prepared(client, keep=image.base + image.own - 1) == 1
    assert client.images.list() == []


def test_a_full_disk_is_one_clear_sentence_and_what_nobody_uses_makes_room(client, in_registry):
    prepared(client, in_registry("head -c 70M /dev/zero > /opt/first"), "")
    prepared(client, in_registry("head -c 120M /dev/zero > /opt/second"), "")  # only with the first one gone
    assert len(kept.list_prepared(client)) == 1
    with pytest.raises(NoRoomError, match=r"disk is full: .* debug-gym images --keep"):
        prepared(client, in_registry("head -c 600M /dev/zero > /opt/third"), "")
    assert left(client) == []
    with pytest.raises(TaskError, match="no such thing"):
        prepared(client, in_registry("echo no such thing; false"), "")


def test_a_daemon_that_is_killed_ends_what_runs_and_what_comes_next_works_again(own, client, in_registry):
    backend = DockerBackend(ready=1)
    sandbox = backend.start(in_registry())
    assert sandbox.exec("echo alive").output == "alive\n"
    own.kill()
    with pytest.raises(SandboxDiedError):
        sandbox.exec("true")
    with pytest.raises(SandboxError, match="Docker daemon"):
        backend.start(in_registry("true"))
    own.start()
    with backend.start(in_registry()) as again:
        assert again.exec("echo alive").output == "alive\n"
    backend.close()
    assert soon(lambda: not left(client))


def test_a_gym_that_is_killed_while_it_prepares_an_image_is_tidied_up_after(client, in_registry):
    program = (
        "import sys\nfrom debug_gym.sandbox.docker import DockerBackend\nfrom debug_gym.task import Task\n"
        "backend = DockerBackend()\nbackend.on_progress = lambda line: print(line, flush=True)\n"
        "backend.fetch(Task.model_validate_json(sys.argv[1]))\n"
    )
    task = in_registry("touch /tmp/begun", "sleep 300")
    gym = subprocess.Popen([sys.executable, "-c", program, task.model_dump_json()], stdout=subprocess.PIPE)
    assert soon(lambda: any(container.status == "running" for container in left(client)))
    assert remove_orphans(client) == 0
    gym.send_signal(signal.SIGKILL)
    gym.wait()
    gym.stdout.close()
    assert remove_orphans(client) == 1
    assert left(client) == []


def test_sandboxes_survive_that_their_like_are_killed_at_random(client, in_registry):
    backend = DockerBackend(ready=2)
    outcomes = []
    for number in range(6):
        try:
            with backend.start(in_registry()) as sandbox:
                if number % 2:
                    for container in left(client)[: number // 2 + 1]:
                        with suppress(APIError):  # it is gone already
                            container.kill()
                outcomes.append(sandbox.exec("echo alive").output)
        except DebugGymError as error:
            outcomes.append(type(error))
    backend.close()
    assert {"alive\n"} <= set(outcomes) <= {"alive\n", SandboxDiedError, SandboxError}
    assert soon(lambda: not left(client))
