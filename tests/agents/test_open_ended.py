"""Open-ended tasks from end to end: an agent answers, nothing scores it but a model or a person."""

import json
import subprocess

import pytest
from typer.testing import CliRunner

from debug_gym.benchmarks.swe_qa import SweQa
from debug_gym.checks.grade import read_opinion
from debug_gym.checks.validate import validate_all
from debug_gym.cli import app
from debug_gym.errors import ConfigError, TaskError
from debug_gym.report.leaderboard import boards
from debug_gym.report.load import load
from debug_gym.store.grades import CRITERIA, read_grades
from debug_gym.store.records import Run
from debug_gym.task import OpenQuestion

REFERENCE = "The sum is made by the function add, which lives in calc.py and returns both operands together."
LONG = "It is made by the function add of calc.py.\nThat returns the sum of both.\nNothing else adds anything up."
POINTS = {"correctness": 18, "completeness": 9, "relevance": 20, "clarity": 16, "reasoning": 12}


@pytest.fixture
def data(tmp_path):
    """A copy of the benchmark with two questions about one project, and a clone of that."""
    clone = tmp_path / "clones/sums"
    clone.mkdir(parents=True)
    (clone / "calc.py").write_text("def add(a, b):\n    return a + b\n")
    git = ["git", "-C", str(clone), "-c", "user.name=x", "-c", "user.email=x@localhost"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    rows = [{"question": f"Where is the sum made, {n}?", "answer": REFERENCE} for n in ("first", "second")]
    (tmp_path / "Benchmark").mkdir()
    (tmp_path / "Benchmark/sums.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (tmp_path / "repo_commit.txt").write_text(f"https://github.com/nobody/sums {commit[:7]}\n")
    return tmp_path


@pytest.fixture
def benchmark(data):
    return SweQa(data, repositories=data / "clones")


def command(*words):
    done = CliRunner().invoke(app, [*map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture
def played(data, server):
    """A run in which an agent has answered the first question and not the second."""
    server.say(None, server.call("rewrite", {"path": "ANSWER.md", "content": "By add in calc.py."}, "1"))
    server.say(None, server.call("submit", {}, "2"))
    server.say(None, server.call("submit", {}, "3"))
    words = ["run", "swe-qa", "--data-dir", data, "-b", f"repositories={data / 'clones'}", "--workers", 1]
    words += ["--agent", "llm", "--model", "m", "--base-url", server.url, "--output", data / "run"]
    done = command(*words)
    assert done.exit_code == 0, done.output
    assert "2 open-ended attempts, which a model or a person grades" in " ".join(done.output.split())
    assert "resolved" not in done.output
    return Run.open(data / "run")


def test_questions_are_tasks(benchmark):
    assert benchmark.ids() == benchmark.split("sums") == ["sums-1", "sums-2"]
    task = benchmark.task("sums-2")
    assert task.problem == "Where is the sum made, second?"
    assert task.for_agent().question.reference == ""
    assert "both operands" not in task.for_agent().model_dump_json()


def test_they_are_validated_without_tests(benchmark, backend):
    (found, _) = validate_all(list(benchmark.tasks.values()), backend, repeats=1)
    assert (found.problems, found.open_ended) == ((), True)


def test_a_reference_in_reach_of_the_agent_is_told(benchmark, data, backend):
    (data / "clones/sums/NOTES").write_text("".join(f"{line}\n" for line in LONG.splitlines()))
    subprocess.run(["git", "-C", str(data / "clones/sums"), "add", "."], check=True)
    commit = ["-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "-qm", "notes"]
    subprocess.run(["git", "-C", str(data / "clones/sums"), *commit], check=True)
    task = benchmark.load("sums-1")
    source = task.source.model_copy(update={"commit": "HEAD"})
    leaking = task.model_copy(update={"source": source, "question": OpenQuestion(reference=LONG)})
    (found,) = validate_all([leaking], backend, repeats=1)
    assert "the agent can read the reference answer in /workspace/NOTES" in found.problems


def test_nothing_scores_them_but_a_grader(played, server):
    first, second = played.results()
    assert (first.open_ended, first.status) == (True, "unresolved")
    assert "a model or a person grades the answer" in first.reason
    assert "there is no answer in ANSWER.md" in second.reason
    assert played.end("sums-1").verdict.answer == "By add in calc.py."
    (board,) = boards(load([played.path]))
    assert (board.rows[0].rank, board.rows[0].pass_1) == (None, None)
    assert "open-ended" in board.rows[0].reference


def test_a_model_grades(played, server):
    server.say("I cannot say.")
    server.say(f"Here: {json.dumps({**POINTS, 'comment': 'Short.'})}")
    words = ["grade", played.path, "--model", "judge", "-o", f"base_url={server.url}"]
    done = command(*words)
    assert done.exit_code == 0, done.output
    one, two = read_grades(played)
    assert (one.kind, one.by, one.points, one.total, one.comment) == ("model", "judge", POINTS, 75, "Short.")
    assert two.points == dict.fromkeys(CRITERIA, 0)  # nobody was asked
    asked = server.requests[-1].body["messages"][-1]["content"]
    assert REFERENCE in asked
    assert "By add in calc.py." in asked
    assert "37.5" in done.output
    assert command(*words).exit_code == 0  # all are graded: nobody is asked again
    assert len(read_grades(played)) == 2


def test_a_person_grades(played):
    said = "99\n" + "".join(f"{points}\n" for points in POINTS.values()) + "Short.\n"
    done = CliRunner().invoke(app, ["grade", str(played.path), "--person", "ada"], input=said)
    assert done.exit_code == 0, done.output
    assert "graded by ada (person)" in done.output
    assert read_grades(played)[0].points == POINTS


def test_what_stands_in_the_way_is_told(played, data):
    with pytest.raises(ConfigError, match="say who grades"):
        command("grade", played.path)
    (data / "Benchmark/sums.jsonl").write_text('{"question": "Another?", "answer": "x"}\n')
    with pytest.raises(ConfigError, match="its references may be others"):
        command("grade", played.path, "--person", "ada")
    (data / "Benchmark/sums.jsonl").write_text('{"question": "No answer?"}\n')
    with pytest.raises(TaskError, match="does not hold questions and answers: 'answer'"):
        SweQa(data).ids()
    with pytest.raises(ConfigError, match="is no copy of"):
        SweQa(data / "clones").ids()


@pytest.mark.parametrize(
    "text",
    [
        "none",
        '{"correctness": 3}',
        json.dumps({**POINTS, "clarity": 21}),
        json.dumps({**POINTS, "clarity": "5"}),
    ],
)
def test_replies_without_grades(text):
    assert read_opinion(text) is None
