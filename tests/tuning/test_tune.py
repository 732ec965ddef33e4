"""Tuning a prompt: what helps on both parts of the tasks is kept, nothing is asked or played twice."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from debug_gym.cli import app
from debug_gym.errors import ConfigError, ModelError
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import execute
from debug_gym.store.records import Run
from debug_gym.tuning.tune import Split, TuningSettings, split, tune
from tests.knowledge.scripted import Scripted

SETTINGS = TuningSettings(rounds=2, proposals=2, validation=0.5)
TASKS = ("t0", "t1", "t2", "t3")
PARTS = split(TASKS, SETTINGS)


class Server:
    """A model that fixes a task where its system prompt names it, or says ALL; else it gives up."""

    def __init__(self):
        self.played, self.proposals, self.asked = [], [], []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = server.answer([str(message["content"]) for message in body["messages"]])
                choice = {"index": 0, "message": {"role": "assistant", **answer}, "finish_reason": "stop"}
                told = {
                    "id": "c",
                    "object": "chat.completion",
                    "created": 0,
                    "model": "m",
                    "choices": [choice],
                }
                data = json.dumps(told).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self):
                self.send_error(404)

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def answer(self, messages):
        if "<prompt>" in messages[0]:
            self.asked.append(messages[0])
            return {"content": self.proposals.pop(0)}
        system, said = messages[0], "\n".join(messages[1:])
        if len(messages) > 2:
            return {"content": "I am done."}
        task = next(name for name in TASKS if f"Task {name}" in said)
        self.played.append(task)
        if "ALL" not in system and task not in system:
            return {"content": "I do not know."}
        fix = {"path": "value.py", "content": "VALUE = 1\n"}
        call = {"id": "1", "type": "function", "function": {"name": "rewrite", "arguments": json.dumps(fix)}}
        return {"content": "So.", "tool_calls": [call]}


@pytest.fixture
def server(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = Server()
    yield running
    running.http.shutdown()
    running.http.server_close()


@pytest.fixture
def run(server, tmp_path):
    """A run of four tasks, none of which was solved, with the prompt in start.j2."""
    for name in TASKS:
        repo, hidden = tmp_path / "bench" / name / "repo", tmp_path / "bench" / name / "hidden"
        repo.mkdir(parents=True)
        hidden.mkdir()
        (repo / "value.py").write_text("VALUE = 0\n")
        (hidden / "test_value.py").write_text(
            "from value import VALUE\n\n\ndef test_value():\n    assert VALUE == 1\n"
        )
        task = {
            "problem": f"Task {name}: the value must be 1.",
            "fail_to_pass": ["test_value.py::test_value"],
        }
        (tmp_path / "bench" / name / "task.yaml").write_text(json.dumps(task))
    (tmp_path / "bench" / "benchmark.yaml").write_text("name: values\ndescription: Numbers.\n")
    (tmp_path / "start.j2").write_text("You repair. Tools: {{ tools | join(' ') }}\n")
    options = {"base_url": server.url, "max_malformed": 1, "stream": False}
    options |= {"system_template": str(tmp_path / "start.j2")}
    config = RunConfig(
        benchmark=str(tmp_path / "bench"), agent="llm", model="m", agent_options=options, workers=1,
        tools=("view", "rewrite"), output=tmp_path / "run",
    )  # fmt: skip
    done = execute(prepare(config))
    assert [one.status for one in done.results] == ["unresolved"] * 4
    server.played.clear()
    return done.run


def proposal(text):
    return f"Perhaps.\n<prompt>\n{text}\n</prompt>"


GOOD = [
    proposal(f"Mind {PARTS.train[0]}."),
    "no idea",
    proposal("Mind {{ nothing }}."),
    proposal("Mind ALL."),
]


def test_what_helps_on_both_parts_is_kept(run, tmp_path):
    proposer, told = Scripted(*GOOD), []
    tuned = tune(
        run, (tmp_path / "start.j2").read_text(), proposer, SETTINGS, tmp_path / "t", on_tried=told.append
    )
    assert tuned.prompt == (tmp_path / "t/best.j2").read_text() == "Mind ALL.\n"
    assert told == tuned.tried
    assert [(one.name, one.train, one.validation, one.kept) for one in told] == [
        ("start", 0, 0, True),
        ("1-1", 0.5, 0, False),  # no use on the other tasks
        ("1-2", None, None, False),
        ("2-1", None, None, False),
        ("2-2", 1, 1, True),
    ]
    for asked in proposer.asked:
        assert "You repair." in asked and "0%" in asked
        assert all((f"Task {name}" in asked) == (name in PARTS.train) for name in TASKS)


def test_nothing_is_played_or_asked_twice(run, server, tmp_path):
    start = (tmp_path / "start.j2").read_text()
    stopped = Scripted(*GOOD[:2], ModelError("no money"), GOOD[3])
    with pytest.raises(ModelError, match="no money"):
        tune(run, start, stopped, SETTINGS, tmp_path / "t")
    assert sorted(server.played) == sorted([*PARTS.train, *PARTS.validation])  # 1-1; the run had the start
    rest = Scripted(GOOD[2])
    assert tune(run, start, rest, SETTINGS, tmp_path / "t").prompt == "Mind ALL.\n"
    assert len(rest.asked) == 1 and len(server.played) == 8
    with pytest.raises(ConfigError, match="another tuning"):
        tune(run, start, rest, SETTINGS.model_copy(update={"rounds": 5}), tmp_path / "t")


def test_from_the_command_line(run, server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    server.proposals = [proposal("Mind ALL."), proposal("Mind nobody.")]
    command = [
        "tune",
        "start.j2",
        "--from",
        "run",
        "-m",
        "m",
        "-o",
        f"base_url={server.url}",
        "-o",
        "stream=false",
    ]
    result = CliRunner().invoke(
        app, [*command, "--set", "rounds=1", "--set", "proposals=2"], catch_exceptions=False
    )
    first, *proposed, best = result.stdout.splitlines()
    assert first == "start\ttrain 0%\tvalidation 0%  kept"
    assert [line.partition("\t")[0] for line in proposed] == ["1-1", "1-2"]
    assert {line.partition("\t")[2] for line in proposed} == {
        "train 100%\tvalidation 100%  kept",
        "train 0%",
    }  # they are asked for at the same time
    assert best == "the best: run.tuned/best.j2"
    again = [
        "run",
        str(tmp_path / "bench"),
        "-a",
        "llm",
        "-m",
        "m",
        "--base-url",
        server.url,
        "--output",
        "after",
    ]
    again += ["-o", "system_template=run.tuned/best.j2", "-o", "stream=false", "-o", "max_malformed=1"]
    CliRunner().invoke(app, again, catch_exceptions=False)
    assert [one.status for one in Run.open("after").results()] == ["resolved"] * 4


def test_tasks_are_split_by_the_seed():
    assert split(tuple(reversed(TASKS)), SETTINGS) == PARTS
    assert sorted([*PARTS.train, *PARTS.validation]) == list(TASKS)
    assert split(("a", "b"), TuningSettings(validation=0.01)) in (
        Split(("a",), ("b",)),
        Split(("b",), ("a",)),
    )
    assert len({split(TASKS, TuningSettings(seed=seed)) for seed in range(20)}) > 1
    with pytest.raises(ConfigError, match="two tasks"):
        split(("a",), SETTINGS)


def test_a_prompt_that_cannot_be_filled_is_refused(run, tmp_path):
    with pytest.raises(ConfigError, match="nothing"):
        tune(run, "{{ nothing }}", Scripted(), SETTINGS, tmp_path / "t")
    assert not (tmp_path / "t").exists()
