"""What docs/runs.md shows is a run that can be read, and its code works on it."""

import json
import re
from pathlib import Path

from debug_gym.runs.config import RunConfig, load_config
from debug_gym.store.records import Run

TEXT = (Path(__file__).parents[2] / "docs" / "runs.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_shown_folder_is_a_run_and_the_code_reads_it(tmp_path, monkeypatch, capsys):
    config, result, start, step, end, prediction = (json.loads(block) for block in blocks("json"))
    folder = tmp_path / "runs" / "repo-repair"
    (folder / "trajectories").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "results.jsonl").write_text(json.dumps(result) + "\n")
    episode = "".join(json.dumps(line) + "\n" for line in (start, step, end))
    (folder / "trajectories" / "calc.0.jsonl").write_text(episode)
    assert RunConfig.model_validate(config["config"]).folder.name == folder.name
    assert prediction["model_patch"] == Run.open(folder).end("calc").patch
    monkeypatch.chdir(tmp_path)
    (program,) = blocks("python")
    exec(program)
    assert capsys.readouterr().out == "calc 0 resolved 2\n"


def test_the_shown_configuration_is_valid(tmp_path):
    (text,) = blocks("yaml")
    file = tmp_path / "night.yaml"
    file.write_text(text)
    assert load_config([str(file)]).agent_options == {"history": "window", "window": 10}


def test_every_setting_is_described():
    described = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE))))
    assert set(RunConfig.model_fields) <= described
