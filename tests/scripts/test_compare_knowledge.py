"""scripts/compare_knowledge.py: every rival is trained, asked, and kept."""

import json
import sys
from pathlib import Path

import pytest

from tests.knowledge.conftest import make_base, make_repository, make_tokenizer

SCRIPTS = Path(__file__).parents[2] / "scripts"
SET = ("chunk=400", "rank=2", "max_steps=2", "batch=2", "cpu=true")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore")
def test_all_rivals_are_asked(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import compare_knowledge

    tokenizer = make_tokenizer()
    for part in (make_base(tokenizer), tokenizer):
        part.save_pretrained(tmp_path / "base")
    shop, other = (str(make_repository(tmp_path / name)) for name in ("shop", "other"))
    command = [shop, "--base", str(tmp_path / "base"), "--other", other, "--work", str(tmp_path / "work")]
    command += ["--questions", "2", "--device", "cpu", *(part for one in SET for part in ("--set", one))]
    compare_knowledge.main(command)
    table = json.loads((tmp_path / "work/table.json").read_text())
    assert len(table) == 7 and len({scores["other"]["nats"] for scores in table.values()}) == 4
    read = {who: scores["reworded"]["read"] for who, scores in table.items()}
    assert read["base"] == read["distillation"] < read["base, reads the right chunk"]
    assert "learned by distillation" in capsys.readouterr().out
    compare_knowledge.main(command)
    assert "learned by" not in capsys.readouterr().out
    assert json.loads((tmp_path / "work/table.json").read_text()) == table
    sys.modules.pop("compare_knowledge")
