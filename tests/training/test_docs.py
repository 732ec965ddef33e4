"""docs/training.md: its example is run with TRL's real trainer, and its tables name what there is."""

import re
from pathlib import Path

import pytest

from debug_gym.training.settings import GRPOSettings, SFTSettings, TrainSettings

TEXT = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore:'pin_memory' argument:UserWarning")
def test_the_example_trains(skilled, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(code.splitlines()) <= 37
    names = {"__name__": "example"}
    exec(compile(code.replace("Qwen/Qwen3-0.6B", str(skilled)), "docs/training.md", "exec"), names)
    trainer = names["trainer"]
    told = trainer.environments[0]._rollout.session.trajectory.first_observation
    type(trainer.environments[0])._arena.close()
    assert [tool.__name__ for tool in trainer.tools] == ["eval", "rewrite", "submit", "view"]
    assert "is right" in told
    assert trainer.state.global_step == 2
    assert 0 <= trainer.state.log_history[-1]["rewards/DebugGym/mean"] <= 1
    assert "train_loss" in capsys.readouterr().out


def test_every_setting_is_described():
    section = TEXT.partition("## Settings\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    described = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert described == {*TrainSettings.model_fields, *SFTSettings.model_fields, *GRPOSettings.model_fields}
