"""scripts/reproduce_learning.py and bench_train.py at their smallest: a model that knows nothing learns to act."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("trl")
pytestmark = pytest.mark.slow
SCRIPTS = Path(__file__).parents[2] / "scripts"


def run(name, *arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, SCRIPTS / name, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.timeout(600)
def test_a_model_learns_and_what_is_done_is_not_done_again(tmp_path):
    command = ["--size", "ci", "--seeds", "0", "--only", "stages", "--output", tmp_path]
    out = run("reproduce_learning.py", *command)
    valid = {
        (split, stage): int(figure)
        for split, stage, figure in re.findall(r"^\| `(\w+)` \| (\w+) \| (\d+) ±", out, re.MULTILINE)
    }
    assert set(valid) == {
        (split, stage) for split in ("seen", "test") for stage in ("untrained", "SFT", "GRPO")
    }
    assert valid["seen", "untrained"] == 0 < valid["seen", "SFT"]
    curves = {
        name: json.loads((tmp_path / f"stages/{name}-0.work/curve.json").read_text())
        for name in ("sft", "grpo")
    }
    assert curves["sft"][-1]["loss"] < curves["sft"][0]["loss"] / 4
    assert len(curves["grpo"]) == 1 and curves["grpo"][0]["gym_seconds"] > 0
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.safetensors")}
    again = run("reproduce_learning.py", *command)
    assert again.partition("learning: mean")[2] == out.partition("learning: mean")[2]
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.safetensors")} == before


@pytest.mark.timeout(600)
def test_the_share_of_the_gym_is_measured(tmp_path):
    report = tmp_path / "train.json"
    size = [
        "--width",
        64,
        "--layers",
        1,
        "--prompts",
        1,
        "--group",
        2,
        "--batch",
        2,
        "--steps",
        2,
        "--threads",
        1,
    ]
    assert "the gym's share: " in run("bench_train.py", *size, "--json", report, "--cpu")
    told = json.loads(report.read_text())
    assert told["rollouts"] == 2 and 0 < told["share"] < 1
    assert [point["reward"] for point in told["steps"]] == [1.0]
