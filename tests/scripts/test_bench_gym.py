"""scripts/bench_gym.py: the shape of its report, and that it measures no failures. No times are judged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def bench(*arguments, expect=0, **variables):
    command = [sys.executable, str(SCRIPTS / "bench_gym.py"), *arguments]
    environment = {**os.environ, **variables}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == expect, done.stdout + done.stderr
    return done


@pytest.fixture
def measure(monkeypatch):
    """The module ``bench.measure``, as the script finds it."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from bench import measure

    yield measure
    for name in [name for name in sys.modules if name.split(".")[0] == "bench"]:
        del sys.modules[name]


def test_a_quick_run_reports_every_figure_beside_its_floor(tmp_path):
    file = tmp_path / "figures.json"
    shown = bench(
        "--quick", "--only", "view", "bash-rivals", "--rivals", sys.executable, "--json", str(file)
    ).stdout
    report = json.loads(file.read_text())
    assert report["runs"] == 2
    assert report["machine"]["cores"] >= 1
    view, rivals = report["rows"]
    assert [view["name"], rivals["name"]] == ["view", "bash-rivals"]
    assert view["failed"] is None and view["skipped"] is None
    figure = view["figure"]
    assert figure["unit"] == "ms" and figure["goal"] == "<= 2 ms" and figure["met"] in (True, False)
    assert figure["ours"]["min"] <= figure["ours"]["median"] <= figure["ours"]["max"]
    (floor,) = figure["beside"]
    assert floor["kind"] == "floor" and floor["goal"] == "<= 3 x"
    assert floor["ratio"] == pytest.approx(figure["ours"]["median"] / floor["figure"]["median"])
    assert "`view` as an env step" in shown and "min to max" in shown
    missing = {item["what"]: item["missing"] for item in rivals["figure"]["beside"]}
    assert "swe-rex is not installed for" in missing["swe-rex local, `true` in its bash session"]


def test_it_leaves_no_files_behind(tmp_path):
    bench("--quick", "--only", "timeout-shell", TMPDIR=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_rows_are_listed_and_a_wrong_name_gets_a_hint():
    assert "reset-large" in bench("--list").stdout
    assert "did you mean 'reset'" in bench("--only", "rest", expect=2).stderr


def test_a_reply_that_is_no_success_ends_the_row(measure):
    replies = iter(["fine", "fine", "an error"])
    sample = measure.clock(lambda: next(replies), lambda seen: seen == "fine")
    with pytest.raises(measure.RowError, match="an error"):
        measure.race(sample, runs=3)


def test_ours_and_the_others_take_turns_and_the_first_round_does_not_count(measure):
    order = []

    def sampled(name, values):
        remaining = iter(values)
        return lambda: order.append(name) or next(remaining)

    rival = measure.Contender("rival", sampled("rival", [9.0, 40.0, 60.0]), faster=20)
    floor = measure.Contender("floor", sampled("floor", [9.0, 1.0, 1.0]), within=2)
    absent = measure.Contender("absent", missing="not here", faster=2)
    figure = measure.race(sampled("ours", [100.0, 2.0, 3.0]), [rival, floor, absent], runs=2, at_most=2.5)
    assert order == ["ours", "rival", "floor"] * 3
    assert figure.ours.values == (2.0, 3.0) and figure.met is True
    assert [(item.ratio, item.met) for item in figure.beside] == [(20.0, True), (2.5, False), (None, None)]
