import pytest

from debug_gym.errors import ConfigError
from debug_gym.report.load import load


def test_a_run_and_its_attempts(store_run):
    (entry,) = load([store_run("one", {"a": "1!", "b": "0."}, model="gpt", agent_options={"window": 5})])
    assert [(attempt.task, attempt.number, attempt.state) for attempt in entry.attempts] == [
        ("a", 0, "resolved"),
        ("a", 1, "error"),
        ("b", 0, "unresolved"),
        ("b", 1, "unfinished"),
    ]
    assert entry.name == "one"
    assert entry.label == "llm (window=5) · gpt"


def test_runs_in_nested_folders_get_names_that_tell_them_apart(store_run, tmp_path):
    store_run("runs/monday/demo", {"a": "1"})
    store_run("runs/tuesday/demo", {"a": "0"})
    (tmp_path / "runs" / "config.json").mkdir()
    (tmp_path / "runs" / "other").mkdir()
    (tmp_path / "runs" / "other" / "config.json").write_text('{"another": "program"}')
    entries = load([tmp_path / "runs", tmp_path / "runs" / "monday" / "demo"])
    assert [entry.name for entry in entries] == ["monday/demo", "tuesday/demo"]


def test_a_torn_last_line_is_an_unfinished_attempt(store_run):
    folder = store_run("torn", {"a": "1", "b": "1"})
    file = folder / "results.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    (entry,) = load([folder])
    assert [attempt.state for attempt in entry.attempts] == ["resolved", "unfinished"]


def test_what_is_no_run_is_refused_in_one_sentence(store_run, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "config.json").write_text("[]")
    with pytest.raises(ConfigError, match="is not a folder"):
        load([tmp_path / "nowhere"])
    with pytest.raises(ConfigError, match="there is no run in or below"):
        load([tmp_path / "empty"])
    with pytest.raises(ConfigError, match=r"is not the config\.json of a run"):
        load([tmp_path / "wrong"])


def test_a_damaged_line_is_named_and_the_rest_of_the_run_is_read(store_run):
    folder = store_run("damaged", {"a": "1", "b": "1"})
    file = folder / "results.jsonl"
    first, second = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(first + b"{nonsense\n" + second)
    (entry,) = load([folder])
    assert [attempt.state for attempt in entry.attempts] == ["resolved", "resolved"]
    (sentence,) = entry.damage
    assert "results.jsonl is damaged in line 2 (" in sentence
