"""Stored episodes as conversations, filtered, in the forms of others."""

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from debug_gym.cli import app
from debug_gym.episode import ModelReply, Observation, RequestedCall, Step, ToolCall, Verdict
from debug_gym.errors import ConfigError
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import execute
from debug_gym.store.exports.conversations import Conversation, conversations
from debug_gym.store.exports.filters import Filters, Reserved, Sieve, repository
from debug_gym.store.records import End, Manifest, Result, Run, Start
from debug_gym.store.writer import RunWriter
from debug_gym.task import ArchiveSource, FilesSource, GitSource, Task
from debug_gym.training.sources import Source

TOOLS = ("view", "rewrite", "eval")


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The oracle, playing as an agent would."""
    folder = tmp_path_factory.mktemp("runs") / "oracle"
    config = RunConfig(
        benchmark="sprouts",
        agent="oracle",
        agent_options={"by": "edits"},
        split="train",
        limit=2,
        tools=TOOLS,
        output=folder,
    )
    assert [result.status for result in execute(prepare(config)).results] == ["resolved"] * 2
    return folder


def export(*arguments):
    return CliRunner().invoke(app, ["export", *map(str, arguments)], catch_exceptions=True)


def test_an_episode_of_the_oracle_reads_as_a_conversation(played):
    done = export(played)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0 and done.stderr == "2 of 2 episodes\n"
    first = rows[0]
    assert [message["role"] for message in first["messages"]] == [
        "system",
        "user",
        *["assistant", "tool"] * 3,
    ]
    assert "only by calling tools: view, rewrite, eval" in first["messages"][0]["content"]
    calls = [call for message in first["messages"] for call in message.get("tool_calls", ())]
    assert [call["function"]["name"] for call in calls] == ["view", "rewrite", "eval"]
    assert json.loads(calls[0]["function"]["arguments"]) == {"path": "sprout.py"}
    answers = [message["tool_call_id"] for message in first["messages"] if message["role"] == "tool"]
    assert answers == [call["id"] for call in calls]
    assert [tool["function"]["name"] for tool in first["tools"]] == [*TOOLS]
    assert (first["benchmark"], first["resolved"], first["agent"]) == ("sprouts", True, "oracle")


def test_trl_reads_the_rows(played, tmp_path):
    datasets = pytest.importorskip("datasets")
    file = tmp_path / "rows.jsonl"
    assert export(played, "--format", "trl", "--output", file).exit_code == 0
    rows = datasets.load_dataset(
        "json", data_files=str(file), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert len(rows) == 6 and set(rows.column_names) == {"prompt", "completion", "tools"}
    (said,) = rows[1]["completion"]
    assert said["role"] == "assistant" and rows[1]["prompt"][-1]["role"] == "tool"
    arguments = said["tool_calls"][0]["function"]["arguments"]
    assert {key: value for key, value in arguments.items() if value is not None}.keys() == {
        "path",
        "content",
        "start",
    }
    assert [tool["function"]["name"] for tool in json.loads(rows[0]["tools"])] == [*TOOLS]


ATIF = {
    "": {"schema_version", "session_id", "agent", "steps", "final_metrics", "extra", "notes"},
    "agent": {"name", "version", "model_name", "tool_definitions", "extra"},
    "step": {
        *("step_id", "timestamp", "source", "model_name", "message", "reasoning_content", "tool_calls"),
        *("observation", "metrics", "extra"),
    },
    "metrics": {
        *("total_prompt_tokens", "total_completion_tokens", "total_cached_tokens", "total_cost_usd"),
        *("total_steps", "extra"),
    },
}
"""The keys that version 1.8 knows; it refuses others."""


def test_atif(played, tmp_path):
    assert export(played, "--format", "atif", "--output", tmp_path / "out").exit_code == 0
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == 2
    for file in files:
        document = json.loads(file.read_text())
        assert document["schema_version"] == "ATIF-v1.8"
        assert document.keys() <= ATIF[""] and document["agent"].keys() <= ATIF["agent"]
        assert document["final_metrics"].keys() <= ATIF["metrics"]
        assert document["final_metrics"]["extra"]["reward"] == 1.0
        assert [step["step_id"] for step in document["steps"]] == [1, 2, 3, 4]
        for step in document["steps"]:
            assert step.keys() <= ATIF["step"]
        (call,), (result,) = (
            document["steps"][1]["tool_calls"],
            document["steps"][1]["observation"]["results"],
        )
        assert call["function_name"] == "view" and result["source_call_id"] == call["tool_call_id"]


def test_atif_needs_a_folder(played):
    done = export(played, "--format", "atif")
    assert isinstance(done.exception, ConfigError) and "--output" in str(done.exception)


def test_nothing_of_a_reserved_task_is_learned(played):
    (first, second) = Run.open(played).manifest.tasks
    found = Source([played], without=["sprouts:seen"])
    assert len(list(found.conversations())) == 2
    nothing = Source([played], without=[str(played)])
    assert list(nothing.conversations()) == []
    assert nothing.sieve.summary() == "0 of 2 episodes; left out: 2 of a reserved task"
    assert first != second


def test_wrong_options_are_told(played):
    assert "is no option of the learner" in str(export(played, "-o", "windw=3").exception)
    assert "there is no tool named 'veiw'" in str(export(played, "--tools", "veiw").exception)
    assert "there is no benchmark" in str(export(played, "--without", "nightmare").exception)


def step(index, name="view", error=False, replies=(), **arguments):
    return Step(
        index=index,
        call=ToolCall(name=name, arguments=arguments, id=f"c{index}"),
        observation=Observation(text=f"answer {index}", error=error),
        reward=0.0,
        terminated=False,
        truncated=False,
        seconds=0.1,
        thought="thought",
        replies=replies,
    )


def stored(folder, steps, *, status="resolved", cheating=(), agent="llm", options=None):
    config = {"benchmark": "b", "agent": agent, "tools": ["view", "eval"], "max_steps": 9}
    config["agent_options"] = options or {}
    with RunWriter.begin(folder, Manifest(config=config, benchmark_version="1", tasks=("one",))) as writer:
        file = writer.episode("one", 0)
        file.write(
            Start(task="one", benchmark="b", agent=agent, attempt=0, seed=0, first_observation="hello")
        )
        for one in steps:
            file.write(one)
        verdict = Verdict(resolved=status == "resolved", cheating=cheating)
        file.write(End(status=status, ending="terminated", verdict=verdict, seconds=1.0))
        file.close()
        writer.add(
            Result(
                task="one",
                attempt=0,
                seed=0,
                status=status,
                ending="terminated",
                steps=len(steps),
                seconds=1.0,
                cheating=len(cheating),
            )
        )
    return Run.open(folder)


def test_calls_of_one_reply_stay_one_message_and_reasoning_stays_apart(tmp_path):
    call = RequestedCall("view", '{"path": "a"}', "c0")
    lost = ModelReply(text="no call in here")
    reply = ModelReply(text="I look.", reasoning="Hm.", calls=(call, call))
    run = stored(
        tmp_path,
        [step(0, path="a", replies=(lost, reply)), step(1, path="b"), step(2, "eval", replies=(reply,))],
    )
    (found,) = conversations(run)
    turns = found.messages[2:]
    assert [message["role"] for message in turns] == ["assistant", "tool", "tool", "assistant", "tool"]
    assert turns[0]["content"] == "I look." and turns[0]["reasoning_content"] == "Hm."
    assert [one["id"] for one in turns[0]["tool_calls"]] == ["c0", "c1"]
    assert "no call in here" not in json.dumps(found.messages)


def test_the_learner_reads_what_the_agent_that_played_read(tmp_path):
    template = tmp_path / "own.j2"
    template.write_text("Only {{ tools | join('+') }}, {{ max_steps }} steps.")
    run = stored(tmp_path / "run", [step(0)], options={"system_template": str(template), "temperature": 0.5})
    (found,) = conversations(run)
    assert found.messages[0]["content"] == "Only view+eval, 9 steps."
    (other,) = conversations(run, options={"max_steps": 4}, tools=["view"])
    assert other.messages[0]["content"] == "Only view, 4 steps."


def fit(run, **filters):
    sieve = Sieve(Filters(**filters))
    return len(list(sieve.pass_through(conversations(run)))), [*sieve.left_out]


def test_what_is_left_out_and_why(tmp_path):
    good = [step(0, path="a"), step(1, "eval")]
    assert fit(stored(tmp_path / "good", good)) == (1, [])
    assert fit(stored(tmp_path / "bad", good, status="unresolved")) == (0, ["unresolved"])
    assert fit(Run.open(tmp_path / "bad"), unresolved=False) == (1, [])
    assert fit(stored(tmp_path / "cheat", good, cheating=("it prints",))) == (0, ["cheating"])
    assert fit(Run.open(tmp_path / "good"), max_steps=1) == (0, ["too long"])
    assert fit(Run.open(tmp_path / "good"), max_characters=30) == (0, ["too long"])
    again = [step(0, path="x", error=True), step(1, path="x", error=True), step(2, "eval")]
    assert fit(stored(tmp_path / "again", again)) == (0, ["repeating a failed call"])
    once = [step(0, path="x", error=True), step(1, path="y"), step(2, path="x", error=True)]
    assert fit(stored(tmp_path / "once", once)) == (1, [])
    shell = [step(0, "bash", command="ls")]
    assert fit(stored(tmp_path / "shell", shell)) == (0, ["with a tool that the learner does not have"])
    assert fit(stored(tmp_path / "nothing", [])) == (0, ["without a call"])
    sieve = Sieve()
    twice = [*conversations(Run.open(tmp_path / "good"))] * 2
    assert (
        len(list(sieve.pass_through(twice))) == 1
        and sieve.summary() == "1 of 2 episodes; left out: 1 duplicate"
    )


def task(source, name="t", problem="It is slow.", **metadata):
    return Task(id=name, benchmark="b", problem=problem, source=source, metadata=metadata)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (GitSource(url="https://github.com/a/b.git", commit="1"), GitSource(url="http://www.github.com/A/b", commit="2"), True),
        (GitSource(url="https://github.com/a/b", commit="1"), GitSource(url="https://github.com/a/c", commit="1"), False),
        (ArchiveSource(path="x/click-8.1.0.tar.gz"), ArchiveSource(path="y/click-7.0.zip"), True),
        (ArchiveSource(path="x/click-8.1.0.tar.gz"), ArchiveSource(path="x/jinja2-8.1.0.tar.gz"), False),
    ],
)  # fmt: skip
def test_versions_of_a_repository_are_one_repository(one, other, same):
    assert (repository(task(one)) == repository(task(other))) is same


def test_a_task_under_another_name_and_its_neighbours_are_reserved_too():
    source = GitSource(url="https://github.com/a/b", commit="1")
    evaluated = Reserved.of([task(source, "held")])
    conversation = SimpleNamespace(benchmark="b")

    def reason(name, told):
        messages = [
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"function": {"name": "view", "arguments": "{}"}}],
            }
        ]
        tools = [{"function": {"name": "view"}}]
        one = Conversation(
            run="r",
            benchmark=conversation.benchmark,
            task=name,
            attempt=0,
            agent="a",
            messages=messages,
            tools=tools,
            resolved=True,
        )
        return Sieve(Filters(), evaluated, lambda _: told).reason(one)

    elsewhere, none = GitSource(url="https://github.com/c/d", commit="1"), FilesSource(files={})
    assert reason("held", None) == "of a reserved task"
    assert reason("renamed", task(elsewhere, problem="It\nis  slow!")) == "of a reserved task"
    assert reason("neighbour", task(source, problem="Another one.")) == "of a reserved repository"
    assert reason("metadata", task(none, problem="Another one.", repo="A/B")) == "of a reserved repository"
    assert reason("stranger", task(elsewhere, problem="Another one.")) == ""
