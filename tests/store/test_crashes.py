"""A run that is killed, at whatever byte, ends as one that nobody disturbed."""

import random
import subprocess
import sys
import time

import pytest

from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import execute
from debug_gym.store.records import Run

PROGRAM = """
import sys
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import execute
execute(prepare(RunConfig.model_validate_json(sys.argv[1])))
"""


@pytest.fixture
def config(broken, tmp_path):
    """A run of the agent ``random``, which does the same whenever it is given the same seed."""
    options = {key: str(value) for key, value in broken().items()}

    def make(name, **fields):
        fields = {"agent": "random", "tools": ("view", "bash"), "max_steps": 15, "workers": 2, **fields}
        return RunConfig(benchmark="repo", benchmark_options=options, output=tmp_path / name, **fields)

    return make


def size(folder):
    """Bytes of results and trajectories."""
    total = 0
    for path in folder.rglob("*.jsonl"):
        if path.exists():  # resuming replaces files
            total += path.stat().st_size
    return total


def kill_after(process, folder, growth):
    """Kill a process when it has written so many bytes, unless it ends before."""
    target = size(folder) + growth
    while size(folder) < target and process.poll() is None:
        time.sleep(0.001)
    process.kill()
    process.wait()


@pytest.mark.timeout(300)
def test_a_run_killed_again_and_again_ends_as_an_undisturbed_one(config, told, tmp_path):
    execute(prepare(config("calm", attempts=5)))
    whole = size(tmp_path / "calm")
    command = [sys.executable, "-c", PROGRAM, config("torn", attempts=5).model_dump_json()]
    chance = random.Random(0)
    kept, starts = [], 0
    while True:
        starts += 1
        process = subprocess.Popen(command)
        kill_after(process, tmp_path / "torn", chance.randrange(0, whole // 2))
        if process.returncode == 0:
            break
        assert starts < 40
        if (tmp_path / "torn" / "config.json").exists():
            found = Run.open(tmp_path / "torn").results()
            assert {item.key for item in kept} <= {item.key for item in found}  # nothing finished is lost
            kept = found
    assert starts > 2
    assert told(tmp_path / "torn") == told(tmp_path / "calm")
    assert len((tmp_path / "torn" / "results.jsonl").read_text().splitlines()) == 5


@pytest.mark.parametrize("name", ["results.jsonl", "trajectories/calc.1.jsonl"])
def test_a_run_with_a_torn_last_line_ends_as_an_undisturbed_one(config, told, tmp_path, name):
    wanted = config("run", attempts=2)
    execute(prepare(wanted))
    calm = told(tmp_path / "run")
    file = tmp_path / "run" / name
    text = file.read_bytes()
    file.write_bytes(text[: random.Random(0).randrange(text.rfind(b"\n", 0, -1) + 1, len(text))])
    execute(prepare(wanted))
    assert told(tmp_path / "run") == calm
