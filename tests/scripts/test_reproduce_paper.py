"""scripts/reproduce_paper.py: the whole grid against a real server, killed and resumed, and what it shows of it."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from debug_gym.episode import Observation, Step, ToolCall, Verdict
from debug_gym.store.records import End, Manifest, Result, Run, Start
from debug_gym.store.writer import RunWriter

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "reproduce_paper.py"
PARCELS, JOBS = "short-parcels", "stuck-jobs"
FIXES = {
    PARCELS: {
        "path": "shelfledger/unit.py",
        "start": 26,
        "content": "        self._journal.end(keep=kind is None)",
    },
    JOBS: {"path": "claimhouse/messages.py", "start": 39, "content": "    extend: float = duration(30.0)"},
}
WINS = {
    "rewrite": {(PARCELS, 0)},
    "debug": {(PARCELS, 0), (JOBS, 0), (PARCELS, 1)},
    "debug-after-5": {(JOBS, 0), (PARCELS, 1)},
}
"""Which attempts the scripted model gets right: 25, 75 and 50 percent."""


def start(*arguments):
    environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        environment.pop(name, None)
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def run(*arguments, expect=0):
    with start(*arguments) as process:
        shown, _ = process.communicate(timeout=200)
    assert process.returncode == expect, shown
    return shown


@pytest.fixture(scope="module")
def server():
    spec = importlib.util.spec_from_file_location("openai_server", ROOT / "tests/agents/openai_server.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.ScriptedServer() as running:
        yield running


def script(server, attempts):
    """Let the model play these attempts: a look or a fix, then it gives up, which ends the episode."""
    for agent, task, number in attempts:
        if agent == "debug":
            server.say("What fails?", server.call("pdb", {"command": "where"}))
        if (task, number) in WINS[agent]:
            fix = {**FIXES[task], "end": FIXES[task]["start"]}
            server.say("Found it.", server.call("rewrite", fix))
        else:
            server.say("Let me see.", server.call("listdir"))
        server.say("I am done.")


@pytest.fixture(scope="module")
def played(server, tmp_path_factory):
    """A grid that was killed in its sixth episode and resumed: its folder, and what was printed."""
    folder = tmp_path_factory.mktemp("grid") / "runs"
    arguments = ["--model", "own/tiny", "--base-url", server.url, "--output", folder, "--seeds", 2]
    arguments += ["--tasks", PARCELS, "--tasks", JOBS, "--workers", 1]
    arguments += [
        "-c",
        "agent_options.max_malformed=1",
        "-c",
        'agent_options.prices={"input": 1, "output": 1}',
    ]
    attempts = [(agent, task, number) for agent in WINS for number in range(2) for task in (PARCELS, JOBS)]
    script(server, attempts[:5])
    server.hang()
    with start(*arguments) as process:
        deadline = time.monotonic() + 150
        while len(server.requests) < 12 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
        shown = process.communicate()[0]
    assert len(server.requests) == 12, shown
    planned = run(*arguments, "--dry-run")
    script(server, attempts[5:])
    shown = run(*arguments)
    return folder, planned, shown


def rows(shown, first):
    """The cells of the lines that begin with a word, split at two spaces and more."""
    return [re.split(r"\s{2,}", line.strip()) for line in shown.splitlines() if line.startswith(first)]


@pytest.mark.timeout(400)
def test_a_killed_grid_ends_as_planned(played, server):
    folder, _, shown = played
    for agent, wins in WINS.items():
        stored = Run.open(folder / "nightmares" / "own-tiny" / agent)
        assert {result.key for result in stored.results() if result.status == "resolved"} == wins
        assert len(stored.results()) == 4
    assert "3 of 3  nightmares · own/tiny · debug(5)" in shown
    assert "4 attempts, 4 already finished" in shown and "4 attempts, 1 already finished" in shown
    assert len(server.requests) == 12 + 3 * 3 + 4 * 2  # nothing that was finished is asked again


@pytest.mark.timeout(400)
def test_its_success_stands_beside_the_papers(played):
    _, _, shown = played
    (here,) = [row for row in rows(shown, "own/tiny") if "±" in row[1]]
    assert here == ["own/tiny", "25.0 ± 35.4", "75.0 ± 35.4", "50.0 ± 0.0", "+50.0", "+25.0"]
    (claude,) = rows(shown, "Claude 3.7")
    assert claude == ["Claude 3.7 Sonnet", "37.2 ± 2.1", "48.4 ± 1.6", "52.1 ± 1.6", "+11.2", "+14.9"]


@pytest.mark.timeout(400)
def test_what_it_took_is_counted(played):
    _, _, shown = played
    effort = [row for row in rows(shown, "own/tiny") if "/" in row[2]]
    assert effort == [
        ["own/tiny", "rewrite", "1/4", "1", "0.25", "-1 +1", "200", "20", "0.00022"],
        ["own/tiny", "debug", "3/4", "2", "0.75", "-1 +1", "300", "30", "0.00033", "100.0"],
        ["own/tiny", "debug(5)", "2/4", "1", "0.5", "-1 +1", "200", "20", "0.00022", "0.0"],
    ]


@pytest.mark.timeout(400)
def test_the_plan_learns_from_what_was_played(played):
    _, planned, _ = played
    assert [row[2:] for row in rows(planned, "nightmares")] == [
        ["rewrite", "4", "0", "0", "0", "0.00", "this cell"],
        ["debug", "4", "3", "900", "90", "0.00099", "this cell"],
        ["debug(5)", "4", "4", "880", "88", "0.00097", "this model, other agents"],
    ]


@pytest.mark.timeout(400)
def test_the_page_has_the_tables_and_the_papers_figures(played):
    folder, _, _ = played
    text = (folder / "paper.html").read_text()
    for words in ("25.0 ± 35.4", "52.1 ± 1.6", "https://arxiv.org/abs/2503.21557"):
        assert words in text
    titles = re.findall(r"<figcaption><b>(.*?)</b>", text)
    assert titles == [
        "Success, here and in the paper",
        "Success over rewrites",
        "Tool calls",
        "Debugger commands",
        "Steps",
        "Response tokens",
        "Wins per task",
    ]
    for drawing in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ElementTree.fromstring(drawing)


def test_a_plan_without_precedents_says_what_it_assumes(tmp_path):
    shown = run(
        "--model", "gpt-4o", "--model", "own/tiny", "--tasks", PARCELS, "--dry-run", "--output", tmp_path
    )
    known, unknown = rows(shown, "nightmares")[0], rows(shown, "nightmares")[3]
    assert known == ["nightmares", "gpt-4o", "rewrite", "3", "3", "562k", "15k", "1.56", "assumed"]
    assert unknown[-2:] == ["?", "assumed"]
    assert "25 steps, a conversation of 1,500 tokens that grows by 500 a step" in " ".join(shown.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "give the names of models with --model"),
        (["--model", "m", "--benchmark", "nightmare"], "did you mean 'nightmares'?"),
        (["--model", "m", "--dry-run", "--seeds", "0"], "attempts:"),
        (["--model", "m", "-c", "step=3"], "did you mean"),
        (["--only", "figures"], "there is no run in or below"),
    ],
)
def test_wrong_input_is_one_sentence(tmp_path, arguments, complaint):
    shown = run(*arguments, "--output", tmp_path, expect=2)
    assert complaint in shown and "Traceback" not in shown


def test_a_grid_that_no_server_answers_ends_early(tmp_path):
    arguments = ["--model", "m", "--base-url", "http://127.0.0.1:9/v1", "-c", "agent_options.retries=0"]
    shown = run(*arguments, "--output", tmp_path, "--tasks", PARCELS, "--seeds", "1", expect=2)
    assert "cannot reach http://127.0.0.1:9/v1" in shown and "2 of 3" not in shown


# -- figures of stored runs ----------------------------------------------------------------


def store(folder, agent, tasks, model="m", benchmark="demo"):
    """A run with attempts ``1`` resolved, ``0`` not, ``!`` failed, ``.`` not over; each did one rewrite."""
    config = {
        "benchmark": benchmark,
        "agent": agent,
        "model": model,
        "attempts": max(map(len, tasks.values())),
    }
    manifest = Manifest(config=config, benchmark_version="1", tasks=tuple(tasks))
    edit = Observation(text="", data={"diff": "--- a/a.py\n+++ b/a.py\n@@ -1 +1,2 @@\n--- x\n+x\n+y\n"})
    step = Step(
        index=0,
        call=ToolCall(name="rewrite", arguments={}),
        observation=edit,
        reward=0.0,
        terminated=False,
        truncated=False,
        seconds=0.0,
    )
    with RunWriter.begin(folder, manifest) as writer:
        for task, marks in tasks.items():
            for number, mark in enumerate(marks):
                about = {"task": task, "attempt": number, "seed": number}
                file = writer.episode(task, number)
                file.write(Start(benchmark=benchmark, agent=agent, **about))
                file.write(step)
                if mark != ".":
                    status = {"1": "resolved", "0": "unresolved", "!": "error"}[mark]
                    verdict = Verdict(resolved=mark == "1") if mark != "!" else None
                    file.write(End(status=status, ending="gave up", verdict=verdict, seconds=1.0))
                    writer.add(Result(status=status, ending="gave up", steps=1, seconds=1.0, **about))
                file.close()


def test_figures_of_unfinished_runs_say_so(tmp_path):
    store(tmp_path / "a", "rewrite", {"x": "10", "y": "1!"})
    store(tmp_path / "b", "debug", {"x": "11", "y": "0."})
    store(tmp_path / "c", "oracle", {"x": "11", "y": "11"})
    shown = run("--only", "figures", "--output", tmp_path)
    assert "rewrite · m: 1 error does not count" in shown
    assert "debug · m: 1 attempt is unfinished" in shown
    rewrite, debug = (row for row in rows(shown, "m ") if "/" in row[2])
    assert rewrite[1:] == ["rewrite", "2/3", "1", "1", "-1 +2"]
    assert debug[1:] == ["debug", "2/3", "1", "1", "-1 +2", "50.0"]
    assert "oracle" not in shown


def test_benchmarks_are_apart_and_names_are_text(tmp_path):
    name = "<script>alert(1)</script>[red]"
    store(tmp_path / "a", "rewrite", {"x": "1"}, model=name)
    store(tmp_path / "b", "debug", {"x": "1"}, model=name, benchmark="other")
    shown = run("--only", "figures", "--output", tmp_path)
    assert "demo: 1 task" in shown and "other: 1 task" in shown and name in shown
    assert "<script" not in (tmp_path / "paper.html").read_text()


def test_two_runs_of_one_cell_are_refused(tmp_path):
    store(tmp_path / "a", "debug", {"x": "1"})
    store(tmp_path / "b", "debug", {"x": "0"})
    shown = run("--only", "figures", "--output", tmp_path, expect=2)
    assert "are both runs of debug with m on demo" in shown


def test_the_published_table_is_complete():
    import yaml

    paper = yaml.safe_load((SCRIPT.parent / "paper" / "published.yaml").read_text())
    (table,) = paper["tables"]
    for agents in table["success"].values():
        assert list(agents) == ["rewrite", "debug", "debug-after-5"]
        assert all(0 <= rate <= 100 and 0 <= deviation < 5 for rate, deviation in agents.values())
    assert json.dumps(table["success"]["o1-preview"]["debug"]) == "[30.2, 1.0]"
