"""OpenEnv's client plays on our server of its protocol; the real judge."""

import json
import os
import subprocess

import pytest

from tests.integrations.conftest import ROOT

TASK = "operator-pair-00000"
PLAY = """
import json, os, pathlib, socket, sys, threading, time, urllib.request
import uvicorn
from openenv.core import GenericEnvClient
from openenv.validation.parsers.openenv_yaml import OpenEnvYamlParser
from debug_gym.cli import main
from debug_gym.integrations.openenv import CallToolAction, DebugGymClient, app_of_environ, serve
from debug_gym.integrations.world import World

def begin(target, *arguments):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    thread = threading.Thread(target=target, args=(port, *arguments), daemon=True)
    thread.start()
    while thread.is_alive():
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return f"http://127.0.0.1:{port}"
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit("the server has ended")

def command(port):
    sys.argv = ["debug-gym", "openenv", "sprouts", "--tasks", "operator-pair-0000*", "--limit", "1", "--port", str(port)]
    main()

def wrong(what, *arguments, **options):
    try:
        what(*arguments, **options)
    except Exception as error:
        return str(error)
    return "nothing"

def ask(path, body):
    asked = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(asked))

TASK, package, told = sys.argv[1], pathlib.Path(sys.argv[2]), {}
url = begin(command)
with DebugGymClient(base_url=url).sync() as env:
    start = env.reset(task=TASK)
    told["start"] = start.observation.model_dump(mode="json")
    edit = env.step(CallToolAction(tool_name="bash", arguments={"command": "sed -i s/+/-/ sprout.py"}))
    told["edit"] = [edit.done, edit.reward]
    told["typo"] = env.step(CallToolAction(tool_name="veiw")).observation.text
    end = env.step(CallToolAction(tool_name="eval"))
    told["end"] = [end.done, end.reward, end.metadata]
    told["state"] = env.state().model_dump()
    told["over"] = wrong(env.step, CallToolAction(tool_name="eval"))
    told["unknown"] = wrong(env.reset, task="none-such")
    told["option"] = wrong(env.reset, tsak=TASK)
    told["full"] = wrong(GenericEnvClient(base_url=url).sync().reset)
while True:  # the server sees a moment later that its only client has gone
    try:
        with GenericEnvClient(base_url=url).sync() as env:
            told["listed"] = [tool["name"] for tool in env.step({"type": "list_tools"}).observation["tools"]]
            told["early"] = wrong(env.step, {"type": "call_tool", "tool_name": "view"})
            env.reset(split="all", index=1)
            told["second"] = env.state()["task"]
            quit = env.step({"type": "call_tool", "tool_name": "submit"})
            told["quit"] = [quit.done, quit.reward, quit.metadata["status"]]
        break
    except RuntimeError as error:
        assert "capacity" in str(error), error
        time.sleep(0.05)
told["tasks"] = ask("/debug_gym/num_tasks", {"split": "all"})["num_tasks"]
told["task"] = ask("/debug_gym/task", {"split": "all", "index": 1})["task"]
world = World(benchmark="sprouts", tasks=(TASK,))
url = begin(lambda port: serve(world, "127.0.0.1", port, 1, "secret"))
told["stranger"] = wrong(GenericEnvClient(base_url=url).sync().reset)
with DebugGymClient(base_url=url, headers={"Authorization": "Bearer secret"}).sync() as env:
    told["known"] = env.reset().observation.text
declared = OpenEnvYamlParser().parse(package).capabilities
told["declared"] = [declared.declared_tools, declared.declared_task_count]
sys.path.insert(0, str(package))
url = begin(lambda port: uvicorn.run("server.app:app", port=port))
told["served"] = ask("/debug_gym/num_tasks", {"split": "all"})["num_tasks"]
os.environ["DEBUG_GYM_OPENENV"] = '{"benchmark": "sprouts", "task": "x"}'
told["setting"] = wrong(app_of_environ)
told["open"] = wrong(serve, world, "0.0.0.0", 0, 1, None)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(framework, tmp_path_factory):
    """What happened in one process, with server and clients: to import OpenEnv takes longer than all of it."""
    programs = framework("openenv")
    done = subprocess.run(
        [programs / "python", "-c", PLAY, TASK, ROOT / "environments/openenv"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HOME": str(tmp_path_factory.mktemp("home"))},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_an_episode_is_played_and_the_judge_rewards(told):
    assert "is right" in told["start"]["text"]
    assert {"view", "bash", "eval", "pdb", "submit"} <= {tool["name"] for tool in told["start"]["tools"]}
    assert told["edit"] == [False, 0.0]
    assert told["end"] == [True, 1.0, {"status": "resolved", "reason": ""}]
    assert (told["state"]["task"], told["state"]["step_count"]) == (TASK, 3)


def test_a_client_that_knows_nothing_of_us_plays_too(told):
    assert told["listed"] == [tool["name"] for tool in told["start"]["tools"]]
    assert told["second"] == told["task"]["id"] == "operator-pair-00001"
    assert told["quit"] == [True, 0.0, "unresolved"]
    assert told["tasks"] == 10
    assert told["task"].keys() == {"id", "index", "problem"}  # and no answer


def test_the_package_serves_what_it_declares(told):
    tools, counts = told["declared"]
    assert tools == told["listed"]
    assert counts == {"all": told["served"]}


def test_what_is_wrong_is_a_sentence(told):
    assert "there is no tool named 'veiw'" in told["typo"]
    assert "the episode is over: resolved" in told["over"]
    assert "there is no task named 'none-such'" in told["unknown"]
    assert "not tsak" in told["option"]
    assert "reset comes first" in told["early"]
    assert "capacity" in told["full"]
    assert "DEBUG_GYM_OPENENV takes settings" in told["setting"] and "task: Extra inputs" in told["setting"]


def test_strangers_are_turned_away(told):
    assert "403" in told["stranger"]
    assert "is right" in told["known"]
    assert "DEBUG_GYM_OPENENV_TOKEN" in told["open"]
