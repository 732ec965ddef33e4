"""Programs with a command line play an episode: a real process, the real server, the real judge."""

import json
import os
import shlex
import subprocess
import sys
import time

import pytest

from debug_gym.agents.cli import CliAgent
from debug_gym.env import DebugGymEnv
from debug_gym.errors import ConfigError
from debug_gym.plugins import make
from debug_gym.session.playing import play

TASK = "month-statements"


@pytest.fixture
def env(backend):
    with_limit = []

    def make_env(**options):
        with_limit.append(DebugGymEnv("nightmares", task=TASK, sandbox=backend, **options))
        return with_limit[-1]

    yield make_env
    for each in with_limit:
        each.close()


@pytest.fixture
def gold(env):
    return env().tasks[TASK].gold_patch


def _agent(command, **options):
    return make("agents", f"cli:{command}", options)


def _fix(gold):
    return f"patch -p1 --no-backup-if-mismatch <<'END'\n{gold}\nEND\n"


def test_a_program_edits_its_folder_and_calls_tools(env, gold):
    command = f'gym-tool eval | head -1\n{_fix(gold)}gym-tool eval | head -1\ngym-tool view \'{{"path": "README.md"}}\''
    played = play(env(stop_when_passing=False), _agent(command))
    assert played.verdict.resolved
    assert [step.call.name for step in played.steps] == ["eval", "bash", "eval", "view", "submit"]
    assert played.steps[0].observation.text.startswith("1 failed, 7 passed")
    assert played.steps[2].observation.text.startswith("8 passed")
    told = played.steps[-1].thought.splitlines()
    assert told[0] == "1 failed, 7 passed of 8" and "8 passed of 8" in told


def test_what_it_changed_last_counts_and_new_and_deleted_files_too(env):
    command = (
        "gym-tool eval >/dev/null; rm README.md; mkdir more; printf 'a\\0b' >more/new.bin; git log --oneline"
    )
    played = play(env(), _agent(command))
    assert not played.verdict.resolved
    assert [step.call.name for step in played.steps] == ["eval", "bash", "submit"]
    assert "As found" in played.steps[1].thought
    carried = played.steps[1].call.arguments["command"]
    assert "a/README.md" in carried and "GIT binary patch" in carried
    assert played.steps[1].observation.data["exit_code"] == 0


def test_it_is_told_what_to_do(env, tmp_path):
    names = ("PROMPT", "PROMPT_FILE", "MODEL", "BASE_URL", "MCP_CONFIG", "MCP_URL")
    look = f"import json, os; json.dump({{n: os.environ[n] for n in {names}}}, open('told.json', 'w'))"
    command = f"{sys.executable} -c {shlex.quote(look)}; cat told.json; cat $MCP_CONFIG >&2; rm told.json"
    played = play(env(), _agent(command, model="m", base_url="http://b"))
    decoder = json.JSONDecoder()
    told, end = decoder.raw_decode(played.steps[-1].thought)
    config, _ = decoder.raw_decode(played.steps[-1].thought[end:].lstrip())
    assert "The statement for January" in told["PROMPT"] and "pdb" in told["PROMPT"]
    assert (told["MODEL"], told["BASE_URL"]) == ("m", "http://b")
    assert config["mcpServers"]["debug-gym"] == {"type": "http", "url": told["MCP_URL"]}


def test_answers_are_out_of_its_reach(env):
    package = os.path.dirname(os.path.realpath(sys.modules["debug_gym.benchmarks"].__path__[0]) + "/x")
    command = f"""
    look() {{ find "$1" -name gold.patch 2>/dev/null | head -3; }}
    look {package}
    umount {package}; look {package}
    unshare --user --map-root-user --mount umount {package}; look {package}
    for process in /proc/[0-9]*; do look $process/root{package}; look $process/cwd/; done
    echo looked everywhere
    """
    played = play(env(), _agent(command))
    assert "looked everywhere" in played.steps[-1].thought
    assert "gold.patch" not in played.steps[-1].thought
    trusted = play(env(), _agent(f"find {package} -name gold.patch | head -1", trusted=True))
    assert "gold.patch" in trusted.steps[-1].thought


def test_one_that_fails_is_judged_as_it_stands(env, gold):
    agent = _agent(f"{_fix(gold)}echo 'no key' >&2; exit 3")
    played = play(env(), agent)
    assert played.verdict.resolved
    assert agent.stop_reason == "the program ended with exit code 3: no key"


def test_one_that_does_not_end_is_ended_with_all_it_started(env, tmp_path):
    mark = tmp_path / "pids"
    agent = _agent(
        f"(setsid sleep 1001 & echo $! >{mark}); echo x >>README.md; sleep 1001", timeout=3, trusted=False
    )
    played = play(env(), agent)
    assert agent.stop_reason == "the program did not end within 3 s"
    assert played.steps[0].call.name == "bash"
    assert not any(_runs("sleep 1001", entry) for entry in os.listdir("/proc") if entry.isdigit())


def _runs(command, pid):
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read().replace("\0", " ").strip() == command
    except OSError:
        return False


KILLED = """
import sys, threading, time
from debug_gym.env import DebugGymEnv
from debug_gym.plugins import make
from debug_gym.session.playing import play
agent = make("agents", "cli:gym-tool listdir; touch started; sleep 1003", {})
env = DebugGymEnv("nightmares", task="month-statements")
threading.Thread(target=play, args=(env, agent), daemon=True).start()
while not getattr(agent, "_played_any", False):
    time.sleep(0.05)
print("plays", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("killed", [False, True])
def test_it_ends_with_the_gym(killed, tmp_path):
    gym = subprocess.Popen(
        [sys.executable, "-c", KILLED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    with gym:
        assert gym.stdout.readline() == "plays\n"
        if killed:
            gym.kill()
        else:
            gym.stdin.close()
        gym.wait()
    deadline = time.monotonic() + 60
    while any(_runs("sleep 1003", pid) for pid in os.listdir("/proc") if pid.isdigit()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert killed or not list(tmp_path.glob("debug-gym-cli-*"))


def test_a_program_that_is_not_there_is_told_at_once(env):
    with pytest.raises(ConfigError, match=r"cannot be run: .*no-such-program"):
        play(env(), _agent("no-such-program"))


def test_the_end_of_the_episode_is_its_end(env):
    played = play(env(max_steps=2), _agent("for i in 1 2 3 4; do gym-tool listdir; done; sleep 1002"))
    assert [step.call.name for step in played.steps] == ["listdir", "listdir"]
    assert not any(_runs("sleep 1002", entry) for entry in os.listdir("/proc") if entry.isdigit())


def test_wrong_calls_are_told(env):
    played = play(
        env(),
        _agent(
            'gym-tool bash \'{"command": "id"}\'; gym-tool view not-json; gym-tool --help | grep -c arguments:'
        ),
    )
    said = played.steps[-1].thought
    assert "there is no tool named 'bash'" in said
    assert "gym-tool: the arguments are not JSON" in said
    assert "rewrite" not in said


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"command": " "}, "needs a command"),
        ({"command": "true", "timeout": 0}, "option 'timeout' of the agent cli: .*greater than 0"),
        ({"command": "true", "timeout": "long"}, "option 'timeout' of the agent cli: .*number"),
        ({"command": "true", "trusted": "perhaps"}, "option 'trusted' of the agent cli: .*boolean"),
        ({"command": "true", "time": 1}, "did you mean 'timeout'|timeout"),
    ],
)
def test_options_that_are_wrong(options, complaint):
    with pytest.raises(ConfigError, match=complaint):
        CliAgent(**options)


def test_a_folder_of_its_own_that_would_be_hidden_is_refused(env, tmp_path, monkeypatch):
    monkeypatch.setenv("DEBUG_GYM_CACHE", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(ConfigError, match="set TMPDIR to a folder elsewhere"):
        play(env(), _agent("true"))
    assert not list(tmp_path.glob("debug-gym-cli-*"))


def test_an_environment_without_bash_is_refused(env):
    with pytest.raises(ConfigError, match="add it to the environment's tools"):
        play(env(tools=["view", "eval"]), _agent("true"))
