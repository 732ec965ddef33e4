import csv
import io
import json

import pytest
from rich.console import Console

from debug_gym.report import tables
from debug_gym.report.leaderboard import boards
from debug_gym.report.load import load


@pytest.fixture
def found(store_run, story):
    used = {"input_tokens": 12_345.0, "output_tokens": 678.0, "dollars": 0.01234}
    store_run("runs/a|b", {"t1": "11", "t2": "1c"}, steps=story, usage=used, model="x*y")
    store_run("runs/gold", {"t1": "1!", "t2": "1."}, agent="oracle")
    return boards(load([store_run("runs/plain", {"t1": "00", "t2": "01"}).parent]))


def printed(found, width=140):
    console = Console(width=width, record=True, file=io.StringIO())
    tables.as_table(console, found)
    return console.export_text()


def test_the_table_for_people(found):
    text = printed(found)
    assert "demo: 2 tasks" in text
    (best,) = (line for line in text.splitlines() if line.startswith("1 "))
    assert best.split()[1:] == "llm · x*y 75.0 [50.0, 100.0] 35.4 100.0 (k=2) 3/4 9 12.3k 678 0.012 2".split()
    assert "a|b: 1 attempt cheated" in text
    assert (
        "gold: a reference: it is given the solution; 1 error does not count; 1 attempt is unfinished" in text
    )


def test_a_narrow_terminal_shows_the_rates(found):
    lines = printed(found, width=80).splitlines()
    assert "75.0 [50.0, 100.0]" in next(line for line in lines if line.startswith("1 "))
    assert not [line for line in lines if "12.3k" in line]


def test_columns_that_say_nothing_are_left_out(store_run):
    text = printed(boards(load([store_run("one", {"t": "1"})])))
    assert text.splitlines()[0].strip() == "demo: 1 task"
    assert "pass@1" in text
    assert "seeds" not in text
    assert "$" not in text


def test_markdown_has_rows_of_equal_length(found):
    lines = tables.as_markdown(found).splitlines()
    table = [line.replace("\\|", "") for line in lines if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    assert len(table) == 2 + 3
    assert "llm · x\\*y" in "\n".join(lines)
    assert "- a\\|b: 1 attempt cheated" in lines


def test_csv_and_json_hold_the_same_figures(found):
    lines = list(csv.DictReader(io.StringIO(tables.as_csv(found))))
    (board,) = json.loads(tables.as_json(found))
    assert (
        [line["run"] for line in lines] == [row["run"] for row in board["rows"]] == ["a|b", "plain", "gold"]
    )
    for line, row in zip(lines, board["rows"], strict=True):
        assert {key: line[key] for key in row} == {
            key: "" if value is None else str(value) for key, value in row.items()
        }
    assert board["rows"][0]["pass_1"] == 0.75
    assert board["tasks"] == ["t1", "t2"]


@pytest.mark.parametrize(
    ("value", "shown"), [(None, ""), (0, "0"), (1.5, "1.5"), (123.4, "123"), (12_345, "12.3k"), (2e6, "2M")]
)
def test_numbers_are_short(value, shown):
    assert tables.number(value) == shown
