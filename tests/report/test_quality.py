"""What a validation says of a benchmark, beside the runs of those that need no model."""

import io
import json

import pytest

from debug_gym.agents.repair.search import NOTHING_FAILS
from debug_gym.errors import ConfigError
from debug_gym.report.load import load
from debug_gym.report.page import render
from debug_gym.report.quality import find_validations, qualities
from debug_gym.store.validations import (
    ValidatedTask,
    Validations,
    begin_validations,
    read_validations,
    write_validations,
)

SOUND = {"repeats": 5, "resolved": 5, "controls": 8, "odds": 1e-4, "failing": 2, "passing": 4, "seconds": 9.0}
TASKS = (
    ValidatedTask(task="a", **SOUND, lines=2, package="shop", year="2020", kind="condition"),
    ValidatedTask(task="b", **SOUND, lines=6, package="shop", year="2019", excluded=("t.py::test_x",)),
    ValidatedTask(
        task="c", problems=("<b>the agent can read</b> it",), leaks=("the agent can read it",), package="bank"
    ),
)
RECORD = Validations(benchmark="demo", benchmark_version="1", tasks=TASKS)


def joined(*folders):
    [quality] = qualities([RECORD], load(folders))
    return quality


def test_the_whole_in_a_few_lines(store_run):
    quality = joined(store_run("r", {"a": "1", "b": "0", "c": "0"}, agent="repair"))
    said = dict(quality.lines())
    assert said["sound"] == "2 of 3 tasks"
    assert said["controls"].startswith("8 (0 to 8) a task; none possible in 1; 2 of 3 tasks bound")
    assert said["unstable tests"] == "1 in b"
    assert said["leaks"] == "1 in c, searched in the sandbox's own files"
    assert said["lines of the fix"] == "4 (2 to 6)"
    assert said["repair solves"] == "1 of 3 tasks (33%)"
    assert quality.spreads == {
        "packages": [("shop", 2), ("bank", 1)],
        "years": [("2019", 1), ("2020", 1), ("not known", 1)],
        "kinds of bug": [("not known", 2), ("condition", 1)],
    }


def test_how_hard_tasks_are_is_told_by_those_that_need_no_model(store_run):
    runs = [
        store_run("repair", {"a": "1", "b": "1", "c": "0"}, agent="repair"),
        store_run("random", {"a": "1", "b": "0", "c": "0"}, agent="random"),
        store_run("llm", {"a": "1", "b": "1", "c": "1"}),
        store_run("old", {"c": "1"}, agent="repair", version="0"),
    ]
    found = joined(*runs)
    assert {task: level.partition(" ")[0] for task, level in found.difficulty.items()} == {
        "a": "trivial",
        "b": "easy",
        "c": "hard",
    }
    assert found.solved == {"random": (1, 3), "repair": (2, 3)}
    assert joined(runs[2]).levels == []
    assert set(joined(runs[1]).difficulty.values()) == {
        "trivial (random calls solve it)",
        "not played by repair",
    }


def test_where_repair_sees_no_failing_test_it_says_nothing_of_a_task(store_run):
    folder = store_run("repair", {"a": "0", "b": "0"}, agent="repair")
    first, second = map(json.loads, (folder / "results.jsonl").read_text().splitlines())
    lines = [{**first, "stop_reason": NOTHING_FAILS}, second]
    (folder / "results.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert dict(joined(folder).levels) == {
        "hard (repair gets nowhere)": 1,
        "blind (repair sees no failing test)": 1,
        "not played by repair": 1,
    }


def test_a_newer_validation_of_a_task_takes_the_place_of_the_older(tmp_path):
    folder = tmp_path / "kept"
    record = begin_validations(folder, "demo", "1")
    write_validations(folder, record.having(TASKS))
    again = begin_validations(folder, "demo", "1").having([ValidatedTask(task="b", resolved=1)])
    write_validations(folder, again)
    assert [(item.task, item.resolved) for item in read_validations(folder).tasks] == [
        ("a", 5),
        ("b", 1),
        ("c", 0),
    ]
    assert begin_validations(folder, "demo", "2").tasks == ()


def test_validations_are_found_among_other_files(tmp_path):
    write_validations(begin(tmp_path / "runs/one"), RECORD)
    begin(tmp_path / "runs/other").joinpath("validation.json").write_text("[]")
    assert find_validations([tmp_path / "runs"]) == [RECORD]
    with pytest.raises(ConfigError, match="holds no validation"):
        find_validations([tmp_path / "runs/other"])


def begin(folder):
    begin_validations(folder, "demo", "1")
    return folder


def test_the_page_shows_it_as_text(store_run):
    entries = load([store_run("r", {"a": "1", "b": "0", "c": "0"}, agent="repair")])
    file = io.BytesIO()
    render(entries, file, qualities([RECORD], entries))
    text = file.getvalue().decode()
    for words in (
        "Quality of demo",
        "&lt;b&gt;the agent can read",
        "unstable, not counted: t.py::test_x",
        "shop",
    ):
        assert words in text
    assert "<b>the agent" not in text
