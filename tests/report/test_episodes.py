import base64
import gzip
import json

from debug_gym.report.episodes import commands, read
from debug_gym.report.load import load


def unpack(episode):
    return json.loads(gzip.decompress(base64.b64decode(episode.packed)))


def first(folder):
    (entry,) = load([folder])
    return read(entry, entry.attempts[0])


def test_an_episode_holds_what_the_viewer_shows(store_run, story):
    episode = first(store_run("run", {"a": "1"}, steps=story))
    shown = unpack(episode)
    assert shown["problem"] == "Something is wrong."
    assert [step["tool"] for step in shown["steps"]] == [step.call.name for step in story]
    assert shown["steps"][3]["data"] == {}
    assert shown["steps"][4]["data"].keys() == {"path", "diff"}
    assert shown["steps"][6]["error"]
    assert shown["end"]["verdict"]["resolved"]
    assert shown["end"]["patch"].startswith("--- a/a.py")
    assert shown["result"]["seconds"] == 2.0


def test_the_facts_that_figures_count(store_run, story):
    facts = first(store_run("run", {"a": "1"}, steps=story, usage={"output_tokens": 20.0})).facts
    assert (facts.resolved, facts.steps, facts.rewrites, facts.output_tokens) == (True, 9, 1, 20)
    assert facts.tools["view"] == 2
    assert facts.pdb == {"b": 1, "c": 1, "p": 1, "other": 1}


def test_errors_and_unfinished_attempts_are_shown_but_not_counted(store_run, story):
    error = first(store_run("error", {"a": "!"}, steps=story))
    assert error.facts is None
    assert unpack(error)["end"]["error"] == "the sandbox died"
    running = first(store_run("running", {"a": "."}, steps=story))
    assert running.facts is None
    assert unpack(running)["end"] is None
    assert len(unpack(running)["steps"]) == 9
    assert first(store_run("waiting", {"a": "-"})) is None


def test_damage_is_told_and_the_result_stands(store_run, story):
    folder = store_run("damaged", {"a": "1"}, steps=story)
    file = folder / "trajectories" / "a.0.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:3], b"{nonsense\n", *lines[4:]]))
    damaged = first(folder)
    assert "is damaged" in unpack(damaged)["damage"]
    assert damaged.facts is None
    file.unlink()
    lost = unpack(first(folder))
    assert "missing" in lost["damage"]
    assert lost["result"]["status"] == "resolved"


def test_a_torn_last_line_leaves_the_steps_before_it(store_run, story):
    folder = store_run("torn", {"a": "."}, steps=story)
    file = folder / "trajectories" / "a.0.jsonl"
    file.write_bytes(file.read_bytes()[:-30])
    assert len(unpack(first(folder))["steps"]) == 8


def test_debugger_commands_go_by_short_names():
    assert commands("break a.py:3, x > 1\ncontinue ;; pp total\nlonglist") == ["b", "c", "p", "l"]
    assert commands("n\ns\nup\nw") == ["n", "s", "up", "where"]
    assert commands("n = 3\nlist(xs)\nc.name\n!x\nxs[0]\n\nprint(1)") == ["other"] * 6
