"""Inspect plays our benchmarks: its own program, a scripted endpoint, the real judge."""

import json
import os
import subprocess

import pytest

from debug_gym.env import DebugGymEnv
from tests.agents.openai_server import ScriptedServer
from tests.integrations.conftest import ROOT
from tests.test_docs import BLOCK

OTHER, TASK = "meter-days", "month-statements"
READ_LOG = """
import json, sys
from inspect_ai.log import read_eval_log
log = read_eval_log(sys.argv[1])
problem = log.error or next((sample.error for sample in log.samples if sample.error), None)
assert not problem, problem.traceback
print(json.dumps([
    {"id": sample.id, "score": sample.scores["judge"].value, "why": sample.scores["judge"].explanation,
     "patch": sample.scores["judge"].answer, "texts": [message.text for message in sample.messages]}
    for sample in log.samples
]))
"""
SHELL = """
from inspect_ai import task
from inspect_ai.agent import as_solver
from inspect_ai.util import sandbox
from inspect_ai.solver import solver
from debug_gym.integrations.inspect_ai import benchmark_task
from my_agent import my_agent

@solver
def looks():
    async def solve(state, generate):
        box = sandbox()
        await box.write_file("notes/new.txt", "caf\\u00e9\\r\\n")
        assert await box.read_file("notes/new.txt") == "caf\\u00e9\\r\\n"
        assert await box.read_file("/workspace/notes/new.txt", text=False) == "caf\\u00e9\\r\\n".encode()
        for path, error in (("missing.txt", FileNotFoundError), ("notes", IsADirectoryError)):
            try:
                await box.read_file(path)
                raise AssertionError(path)
            except error:
                pass
        ran = await box.exec(["bash", "-c", "cat; pwd; echo $A; echo no >&2; exit 3"], input="in ", cwd="notes",
                             env={"A": "b c"})
        assert (ran.success, ran.returncode) == (False, 3)
        assert (ran.stdout, ran.stderr) == ("in /workspace/notes\\nb c\\n", "no\\n"), ran
        try:
            await box.exec(["sleep", "60"], timeout=1)
            raise AssertionError("no limit")
        except TimeoutError:
            pass
        return state
    return solve

@task
def by_shell():
    played = benchmark_task("nightmares", tasks="month-statements")
    played.solver = [looks(), as_solver(my_agent())]
    return played
"""


@pytest.fixture(scope="module")
def programs(framework):
    return framework("inspect-ai", "openai")


@pytest.fixture
def inspect_eval(programs, tmp_path):
    """``inspect_eval(server, task, *options)``: the samples of the log."""

    def run(server, task, *options):
        done = _inspect(programs, tmp_path, server.url, task, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        (log,) = tmp_path.glob("*.eval")
        read = subprocess.run(
            [programs / "python", "-c", READ_LOG, log], capture_output=True, text=True, check=False
        )
        assert read.returncode == 0, read.stderr
        return json.loads(read.stdout)

    return run


def _inspect(programs, folder, url, task, *options):
    command = [programs / "inspect", "eval", task, "--model", "openai-api/local/scripted", *options]
    command += ["--model-base-url", url, "--log-dir", folder, "--display", "plain"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env |= {"LOCAL_API_KEY": "none", "INSPECT_CACHE_DIR": str(folder / "cache")}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=folder)


def test_what_is_wrong_is_a_sentence(programs, tmp_path):
    done = _inspect(programs, tmp_path, "http://127.0.0.1:9", "debug_gym/nightmares", "-T", "tasks=none-such")
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "there is no task named 'none-such'" in said and "Traceback" not in said


def _gold():
    return DebugGymEnv("nightmares", task=TASK).tasks[TASK].gold_patch


def test_a_benchmark_is_a_task(inspect_eval):
    tasks = ("-T", f"tasks={OTHER},{TASK}", "--max-samples", "1")
    with ScriptedServer() as server:
        server.say("I cannot.")
        server.say("Really not.")
        server.say(None, server.call("bash", {"command": f"patch -p1 <<'END'\n{_gold()}\nEND"}, key="1"))
        server.say("Now it is right.")
        server.say(None, server.call("eval", key="2"))
        idle, solved = inspect_eval(server, "debug_gym/nightmares", *tasks)
        offered = {tool["function"]["name"] for tool in server.requests[0].body["tools"]}
    assert {"pdb", "eval", "view", "submit"} <= offered
    assert (idle["id"], idle["score"]) == (OTHER, "I")
    assert "required tests do not pass" in idle["why"]
    assert (solved["id"], solved["score"], solved["why"]) == (TASK, "C", "resolved")
    assert "--- a/" in solved["patch"]
    assert any("passed of" in text and text.endswith("The episode is over.") for text in solved["texts"])


def test_an_agent_with_inspects_own_tools_works_in_our_sandbox(inspect_eval, tmp_path):
    (shown,) = BLOCK.findall((ROOT / "docs/frameworks.md").read_text())
    (tmp_path / "my_agent.py").write_text(shown)
    (tmp_path / "shell.py").write_text(SHELL)
    with ScriptedServer() as server:
        server.say(None, server.call("bash", {"command": f"patch -p1 <<'END'\n{_gold()}\nEND"}, key="1"))
        server.say(None, server.call("view", {"path": "README.md"}, key="3"))
        server.say(None, server.call("submit", {"answer": "done"}, key="2"))
        (sample,) = inspect_eval(server, "shell.py@by_shell")
    assert sample["score"] == "C", sample
    assert any(text.startswith("README.md") for text in sample["texts"])
