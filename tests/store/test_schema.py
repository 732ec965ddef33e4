"""The JSON Schemas in the package are those of the models, and what runs store conforms to them."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml

from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import execute

ROOT = Path(__file__).parents[2]


def validator(name):
    schema = json.loads(files("debug_gym.store").joinpath("schema", f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_schemas_are_not_stale():
    command = [sys.executable, str(ROOT / "scripts" / "schemas.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}: run scripts/schemas.py"


@pytest.mark.parametrize(("agent", "gold"), [("oracle", True), ("random", True), ("oracle", False)])
def test_what_a_run_stores_conforms(broken, tmp_path, agent, gold):
    options = {key: str(value) for key, value in broken().items() if gold or key == "path"}
    out = tmp_path / "run"
    execute(
        prepare(RunConfig(benchmark="repo", benchmark_options=options, agent=agent, max_steps=9, output=out))
    )
    validator("config").validate(json.loads((out / "config.json").read_text()))
    (result,) = lines(out / "results.jsonl")
    validator("result").validate(result)
    for line in lines(out / "trajectories" / "calc.0.jsonl"):
        validator("trajectory").validate(line)
    assert not validator("result").is_valid({**result, "score": 1})


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("benchmark: nightmares\ntools: [view, eval]\nmax_steps: 20\n", True),
        ("tools: view, eval\nray: auto\n", True),
        ("max_stepz: 20\n", False),
        ("max_steps: soon\n", False),
    ],
)
def test_settings_conform_if_they_can_be_loaded(text, valid):
    assert validator("settings").is_valid(yaml.safe_load(text)) == valid
