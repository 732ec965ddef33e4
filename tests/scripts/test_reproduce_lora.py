"""scripts/reproduce_lora.py: every experiment runs at a tiny size, is kept, and is judged as measured."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def reproduce(work, *options):
    command = [sys.executable, "-W", "ignore", str(SCRIPTS / "reproduce_lora.py"), "--work", str(work)]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS.parent), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [*command, "--size", "tiny", *options], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_all_experiments_run_once(tmp_path):
    said = reproduce(tmp_path, "--seeds", "1")
    results = json.loads((tmp_path / "tiny" / "results.json").read_text())
    assert list(results) == ["clusters", "light experts", "strong experts", "skills", "knowledge"]
    assert {"base", "private", "MBC", "random", "shared"} < set(results["clusters"]["0"])
    assert {"oracle", "arrow", "uniform", "likelihood"} < set(results["strong experts"]["0"])
    assert {"Poly", "MHR", "MHR-z", "MHR-mu"} < set(results["skills"]["0"])
    assert {"DCD", "next token", "SFT"} < set(results["knowledge"]["0"])
    assert said.count("s of CPU") == 5 and "| clusters: MBC over private |" in said
    assert not (tmp_path / "tiny" / "seed-0").exists()
    results["knowledge"]["0"] |= {"DCD": 0.875, "next token": 0.25}
    (tmp_path / "tiny" / "results.json").write_text(json.dumps(results))
    again = reproduce(tmp_path, "--seeds", "1")
    assert "s of CPU" not in again
    assert "| knowledge: DCD over next token | +0.625 | 0.000 | 1 of 1 | holds |" in again


@pytest.fixture
def claims(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from lora_papers import claims

    return claims


def test_a_claim_holds_where_all_seeds_say_so(claims):
    less = claims.Claim("x", "a", "b", "paper")
    assert less.gains({0: {"a": 1, "b": 3}, 1: {"a": 2, "b": 1}}) == [2, -1]
    more = claims.Claim("x", "a", "b", "paper", more_is_better=True)
    assert more.gains({0: {"a": 1, "b": 3}}) == [-2]
    assert [claims.verdict(one) for one in ([0.1, 2], [0.1, 0], [-1, 0])] == ["holds", "unclear", "does not"]


def test_clusters_are_compared_with_families(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from lora_papers.families import rand_index

    families = {"a": 0, "b": 0, "c": 1, "d": 1}
    assert rand_index([["a", "b"], ["c", "d"]], families) == 1
    assert rand_index([["a", "c"], ["b", "d"]], families) == pytest.approx(-0.5)
    assert rand_index([["a", "b", "c", "d"]], families) == 0
