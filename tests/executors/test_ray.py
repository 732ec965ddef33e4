"""Runs on a real Ray cluster: up to three nodes on this machine, each with a raylet of its own."""

import contextlib
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from debug_gym.errors import ConfigError, MissingExtraError
from debug_gym.executors.worker import Worker
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import Began, Finished, Lost, Opened, Stepped, Stopping, execute
from debug_gym.session import AttemptConfig
from debug_gym.store.records import Run

pytestmark = pytest.mark.timeout(300)

STORE = 80 << 20
"""Bytes of shared memory for each node: Ray takes nothing below 75 MiB."""


@pytest.fixture(scope="module")
def cluster(cache_folder):
    """A head without CPUs, and a node with one."""
    ray = pytest.importorskip("ray", reason="needs the extra ray")
    from ray.cluster_utils import Cluster

    ours = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 0,
            "object_store_memory": STORE,
            "include_dashboard": False,
        },
    )
    ours.add_node(num_cpus=1, object_store_memory=STORE)
    ray.init(address=ours.address, log_to_driver=False)
    yield ours
    ray.shutdown()
    ours.shutdown()


@pytest.fixture
def config(broken, tmp_path):
    """A run of the agent ``random``, which does the same whenever it is given the same seed."""
    options = {key: str(value) for key, value in broken().items()}

    def make(name, **fields):
        fields = {"agent": "random", "tools": ("view", "bash"), "max_steps": 40, "attempts": 6, **fields}
        return RunConfig(benchmark="repo", benchmark_options=options, output=tmp_path / name, **fields)

    return make


def play(config, on_event=lambda event: None):
    return execute(prepare(config), on_event)


def stored(folder):
    return len((folder / "results.jsonl").read_text().splitlines())


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:one"])
def test_no_cluster_at_an_address_is_one_sentence(config, address):
    pytest.importorskip("ray", reason="needs the extra ray")
    with pytest.raises(ConfigError, match=rf"there is no Ray cluster at '{address}'.*ray start --head"):
        play(config("far", ray=address))


def test_a_node_that_dies_loses_nothing_and_nothing_counts_twice(cluster, config, told, tmp_path):
    doomed = cluster.add_node(num_cpus=1, object_store_memory=STORE)
    long = {"max_steps": 80, "attempts": 12}
    events = []

    def kill(event):
        events.append(event)
        both = len({item.worker for item in events if isinstance(item, Began)}) == 2
        if both and isinstance(event, Finished) and doomed in cluster.worker_nodes:
            cluster.remove_node(doomed, allow_graceful=False)

    outcome = play(config("far", ray="auto", workers=2, **long), kill)
    assert {event.worker for event in events if isinstance(event, Began)} == {0, 1}
    lost = [event.attempt.key for event in events if isinstance(event, Lost)]
    began = Counter(event.attempt.key for event in events if isinstance(event, Began))
    assert lost
    assert began == Counter({("calc", number): 1 for number in range(12)}) + Counter(lost)
    assert (len(outcome.results), stored(tmp_path / "far")) == (12, 12)
    play(config("near", **long))
    assert told(tmp_path / "far") == told(tmp_path / "near")


def test_ctrl_c_ends_what_the_cluster_plays_and_the_next_start_completes(cluster, config, tmp_path):
    seen = []

    def interrupt(event):
        seen.append(type(event))
        if seen.count(Finished) == 1 and Stopping not in seen:
            raise KeyboardInterrupt

    wanted = config("far", ray="auto", max_steps=100)
    outcome = play(wanted, interrupt)
    assert outcome.interrupted
    assert 1 <= len(outcome.results) < 6
    events = []
    complete = play(config("far", max_steps=100), events.append)  # where it is played does not matter
    assert isinstance(events[0], Opened)
    assert events[0].kept == outcome.results
    assert (len(complete.results), stored(tmp_path / "far")) == (6, 6)


def workers(cluster):
    """Processes of the cluster's workers: children of its raylets."""
    raylets = {node.all_processes["raylet"][0].process.pid for node in cluster.list_all_nodes()}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may be gone by now
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent in raylets and (folder / "cmdline").read_bytes().startswith(b"ray::Worker"):
                yield int(folder.name)


def test_an_attempt_that_its_workers_do_not_survive_is_given_up(cluster, config, tmp_path):
    events = []

    def murder(event):
        events.append(type(event))
        if isinstance(event, Stepped) and event.step.index == 0:
            for pid in workers(cluster):
                os.kill(pid, signal.SIGKILL)

    (result,) = play(config("far", ray="auto", attempts=1, max_steps=5000), murder).results
    assert result.status == "error"
    assert result.reason.startswith("3 workers were lost while they played it: ")
    assert (events.count(Began), events.count(Lost)) == (3, 2)
    trajectory = Run.open(tmp_path / "far").trajectory("calc")
    assert [step.index for step in trajectory.steps] == list(range(len(trajectory.steps)))


def test_a_task_that_cannot_be_sent_is_an_error_of_that_attempt(cluster, config, tmp_path):
    plan = prepare(config("far", ray="auto", attempts=1))
    (tmp_path / "calc").rename(tmp_path / "moved")
    (result,) = execute(plan).results
    assert result.status == "error"
    assert "does not exist" in result.reason


def test_without_the_extra_its_name_is_said(config, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "debug_gym.executors.ray", raising=False)
    with pytest.raises(MissingExtraError, match=r"debug-gym\[ray\]"):
        play(config("far", ray="auto"))


def test_a_machine_that_cannot_play_says_why():
    able = AttemptConfig(benchmark="repo", agent="random")
    assert Worker(able.model_dump_json()).check().problem == ""
    unable = able.model_copy(update={"agent": "nobody"})
    assert "there is no agent named 'nobody'" in Worker(unable.model_dump_json()).check().problem
