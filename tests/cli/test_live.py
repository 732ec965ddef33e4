import io
import re

import pytest
from rich.console import Console

from debug_gym.cli.invoked import command
from debug_gym.cli.screens.live import progress
from debug_gym.cli.screens.summary import clock, summarize
from debug_gym.episode import Observation, Step, ToolCall
from debug_gym.runs.scheduler import Began, Execution, Fetching, Finished, Lost, Opened, Stepped, Stopping
from debug_gym.session import Attempt
from debug_gym.store.records import Manifest, Result, Run
from debug_gym.task import DirectorySource, Task


def run(attempts=1, tasks=("one", "two")):
    config = {"benchmark": "letters", "attempts": attempts, "max_steps": 50}
    return Run("runs/[x]", Manifest(config=config, benchmark_version="1", tasks=tasks))


def result(task="one", attempt=0, status="resolved", **fields):
    share = {"resolved": 1.0, "unresolved": 0.25, "error": 0.0}[status]
    fields = {"steps": 4, "seconds": 2.0, "fail_to_pass": share, **fields}
    return Result(task=task, attempt=attempt, seed=0, status=status, ending="terminated", **fields)


def attempt(name="two", number=0):
    return Attempt(Task(id=name, problem="", source=DirectorySource(path=".")), number, 0)


def step(tool="eval", **fields):
    return Step(
        index=6,
        call=ToolCall(name=tool),
        observation=Observation(text=""),
        reward=0,
        terminated=False,
        truncated=False,
        seconds=0,
        **fields,
    )


def show(events, *, terminal, attempts=1):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100, height=30)
    with progress(console, attempts) as on_event:
        for event in events:
            on_event(event)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())


def test_without_a_terminal_each_episode_gives_one_line():
    events = [
        Opened(run(), (result("one"),), workers=1),
        Began(0, attempt()),
        Stepped(0, step(), (1, 2)),
        Finished(0, result("two", status="unresolved", reason="[a] fails", steps=1)),
        Stopping(),
    ]
    assert show(events, terminal=False).splitlines() == [
        "letters: 2 tasks, 2 attempts, 1 already finished, 1 worker",
        "[2/2] two: unresolved, 1 step, 2.0 s, 25% of fail-to-pass: [a] fails",
        "stopping: nothing new is started, unfinished episodes are given up (Ctrl-C again: at once)",
    ]


def test_a_terminal_shows_what_each_worker_does():
    events = [Opened(run(), (), workers=2), Began(0, attempt("one")), Began(1, attempt("two"))]
    text = show([*events, Stepped(1, step("[pdb]"), (3, 9)), Finished(0, result("one"))], terminal=True)
    assert re.search(r"two +7/50 +\[pdb\] +3/9 +0:00", text)
    assert "one: resolved, 4 steps, 2.0 s" in text
    assert re.search(r"1/2 +1 resolved +0:00 +about 0:01 left", text)


@pytest.mark.parametrize(
    ("usage", "one", "two"),
    [
        ({"input_tokens": 900.0, "output_tokens": 100.0, "dollars": 0.125}, r"\$0\.12", r"\$0\.25"),
        ({"input_tokens": 600000.0, "output_tokens": 1.0}, r"600\.0k tokens", r"1\.2M tokens"),
    ],
)
def test_a_terminal_shows_what_models_cost(usage, one, two):
    events = [Opened(run(), (), workers=2), Began(1, attempt("two")), Began(0, attempt("one"))]
    events += [Finished(0, result("one", usage=usage)), Stepped(1, step(usage=usage), None)]
    text = show(events, terminal=True)
    assert re.search(rf"two +7/50 +eval +{one} +0:00", text)
    assert re.search(rf"1/2 +1 resolved +{two} +0:00", text)


def test_a_lost_worker_is_said_and_its_row_is_gone():
    events = [
        Opened(run(), (), workers=1),
        Began(0, attempt("one")),
        Lost(0, attempt("one"), "its node died"),
    ]
    sentence = "one: lost with its worker: its node died"
    assert show(events, terminal=False).splitlines()[1] == sentence
    text = show(events, terminal=True)
    assert sentence in text
    assert not re.search(r"one +0/50", text)


def test_attempts_are_numbered_where_there_are_several():
    events = [Opened(run(3), (), workers=1), Began(0, attempt("one", 2)), Finished(0, result("one", 2))]
    assert "one #3: resolved" in show(events, terminal=False, attempts=3)


def test_each_line_says_about_how_long_the_rest_takes():
    events = [Opened(run(3), (), workers=1), Began(0, attempt("one", 2)), Finished(0, result("one", 2))]
    assert show(events, terminal=False, attempts=3).splitlines()[-1].endswith(" (about 0:10 left)")


def test_the_summary_counts_errors_apart():
    results = (
        result("one", 0, usage={"input_tokens": 1200.0, "dollars": 0.5}),
        result("one", 1, "unresolved", steps=6, omitted=1, usage={"input_tokens": 300.0}),
        result("two", 0, "error", steps=0, reason="the sandbox died"),
    )
    console = Console(file=io.StringIO(), width=100)
    summarize(console, Execution(run(2), results, interrupted=False, given_up=False, seconds=3725))
    text = console.file.getvalue()
    assert re.search(r"one +│ 1/2 resolved +│ +5 +│ +2\.0 +│ +62%", text)
    assert re.search(r"two +│ error", text)
    assert "resolved 1/2 (50.0%), 5.0 steps on average, in 1:02:05" in text
    assert "1,500 input tokens, 0.50 dollars" in text
    assert "1 ended in an infrastructure error, such as: the sandbox died" in text
    assert "1 patch cannot show all that counted" in text
    assert "2 attempts left: the same command again resumes the run" in text
    assert "stored in runs/[x]" in text


def test_a_summary_of_nothing_says_what_is_left():
    console = Console(file=io.StringIO(), width=100)
    summarize(console, Execution(run(), (), interrupted=True, given_up=False, seconds=1))
    assert console.file.getvalue().splitlines() == [
        "2 attempts left: the same command again resumes the run",
        f"stored in runs/[x]; to look at it: {command()} report runs/[x]",
    ]


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (61.9, "1:01"), (3600, "1:00:00")])
def test_times_are_short(seconds, text):
    assert clock(seconds) == text


def test_what_is_being_fetched_is_said():
    events = [Opened(run(), (), workers=1), Fetching("pulling calc: 3 of 90 MB"), Fetching("preparing calc")]
    assert show(events, terminal=False).splitlines()[1:] == ["pulling calc: 3 of 90 MB"]
    assert "preparing calc" in show(events, terminal=True)
