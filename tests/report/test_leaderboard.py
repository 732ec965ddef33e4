import pytest

from debug_gym.report.leaderboard import boards
from debug_gym.report.load import load


def rows(*folders):
    (board,) = boards(load(folders))
    return {row.run: row for row in board.rows}


def test_rates_are_means_over_tasks(store_run):
    row = rows(store_run("run", {"a": "1000", "b": "1100", "c": "0000"}))["run"]
    assert row.pass_1 == pytest.approx((0.25 + 0.5 + 0) / 3)
    assert row.pass_k == pytest.approx(2 / 3)
    assert row.low < row.pass_1 < row.high
    assert (row.k, row.attempts, row.resolved) == (4, 12, 3)
    assert row.seed_std == pytest.approx(0.3191424)  # of 2/3, 1/3, 0, 0


def test_errors_count_neither_for_nor_against(store_run):
    with_errors = rows(store_run("errors", {"a": "1!", "b": "!!", "c": "00"}))["errors"]
    assert with_errors.pass_1 == 0.5  # of the tasks a and c
    assert with_errors.pass_k == 0.0  # only c has two judged attempts
    assert (with_errors.tasks, with_errors.planned_tasks, with_errors.errors) == (2, 3, 3)


def test_a_run_that_has_not_begun_has_no_rate(store_run):
    row = rows(store_run("new", {"a": "--"}))["new"]
    assert (row.pass_1, row.low, row.pass_k, row.steps, row.rank) == (None,) * 5
    assert row.unfinished == 2


def test_controls_come_last_and_have_no_rank(store_run):
    found = rows(
        store_run("worse", {"a": "1", "b": "0"}),
        store_run("gold", {"a": "1", "b": "1"}, agent="oracle"),
        store_run("best", {"a": "1", "b": "1"}),
        store_run("tie", {"a": "1", "b": "0"}),
    )
    assert {name: row.rank for name, row in found.items()} == {"best": 1, "tie": 2, "worse": 2, "gold": None}
    assert list(found)[-1] == "gold"
    assert "solution" in found["gold"].reference


def test_a_run_of_one_task_does_not_beat_one_of_all(store_run):
    found = rows(
        store_run("lucky", {"a": "1"}),
        store_run("early", {"a": "1", "b": "."}),
        store_run("whole", {"a": "1", "b": "0"}),
        store_run("worse", {"a": "0", "b": "!"}),
    )
    assert [(name, row.rank) for name, row in found.items()] == [
        ("whole", 1),
        ("worse", 2),
        ("early", None),
        ("lucky", None),
    ]
    assert found["lucky"].partial == found["early"].partial == "1 of 2 tasks played"


def test_a_replayed_run_does_not_compete(store_run):
    options = {"provider": "replay", "recording": "tape"}
    folders = [store_run("again", {"t": "1"}, agent_options=options), store_run("first", {"t": "0"})]
    (board,) = boards(load(folders))
    assert [(row.run, row.rank) for row in board.rows] == [("first", 1), ("again", None)]
    assert "replays a recording" in board.rows[1].reference


def test_a_damaged_run_does_not_compete_and_the_others_do(store_run):
    damaged = store_run("damaged", {"t": "1"})
    (damaged / "results.jsonl").write_bytes(b"{nonsense\n" + (damaged / "results.jsonl").read_bytes())
    found = rows(damaged, store_run("whole", {"t": "0"}))
    assert {name: row.rank for name, row in found.items()} == {"whole": 1, "damaged": None}
    assert "results.jsonl is damaged in line 1 (" in found["damaged"].damage
    assert "remove it" in found["damaged"].damage


def test_what_casts_doubt_is_counted(store_run):
    row = rows(store_run("doubt", {"a": "cu", "b": "1.", "c": "h0"}))["doubt"]
    assert (row.cheating, row.unguarded, row.unfinished, row.disputed) == (1, 1, 1, 1)


def test_costs_are_means_over_judged_attempts_and_unknown_ones_none(store_run, story):
    used = {"input_tokens": 30.0, "dollars": 2.0}
    row = rows(store_run("costs", {"a": "1!", "b": "00"}, steps=story, usage=used))["costs"]
    assert (row.steps, row.seconds) == (9, 2.0)
    assert (row.input_tokens, row.output_tokens) == (30, None)
    assert (row.dollars, row.total_dollars) == (2.0, 8.0)  # what an error cost was spent all the same


def test_benchmarks_and_their_versions_have_boards_of_their_own(store_run):
    folders = [
        store_run("one", {"a": "1", "b": "0"}),
        store_run("two", {"a": "1"}),
        store_run("three", {"a": "1"}, version="2"),
        store_run("four", {"a": "1"}, benchmark="other"),
    ]
    found = boards(load(folders))
    assert [(board.benchmark, board.version, len(board.rows)) for board in found] == [
        ("demo", "1", 2),
        ("demo", "2", 1),
        ("other", "1", 1),
    ]
    assert [board.comparable for board in found] == [False, True, True]
    assert found[0].tasks == ("a", "b")
