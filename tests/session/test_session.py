"""One attempt, pushed call by call, from one thread or several."""

import threading
import time

import pytest

from debug_gym.env import DebugGymEnv
from debug_gym.episode import ToolCall
from debug_gym.errors import ConfigError, DebugGymError, SandboxError
from debug_gym.session import AbandonedError, Attempt, AttemptSession, EpisodeOverError
from debug_gym.store.records import End, Start
from debug_gym.store.writer import StorageError
from debug_gym.task import DirectorySource, Environment, Tests

FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": "from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n",
}
FIX = ToolCall(name="replace", arguments={"path": "calc.py", "old": "a - b", "new": "a + b"})
EVAL, LIST, SUBMIT = (ToolCall(name=name) for name in ("eval", "listdir", "submit"))
SLEEP = ToolCall(name="bash", arguments={"command": "sleep 30"})


class Kept:
    """A recorder in memory."""

    def __init__(self, full=()):
        self.lines, self.results, self.closed, self.full = [], [], False, full

    @property
    def empty(self):
        return not self.lines

    def write(self, line):
        if isinstance(line, tuple(self.full)):
            raise StorageError("the disk is full")
        self.lines.append(line)

    def add(self, result):
        self.results.append(result)

    def close(self):
        self.closed = True


@pytest.fixture
def task(make_task):
    return make_task(
        FILES, environment=Environment(preload=()), tests=Tests(fail_to_pass=("test_calc.py::test_add",))
    )


@pytest.fixture
def start(backend, task):
    """``start(**options of AttemptSession)``: a session that has begun, and its recorder."""
    with_env = []

    def make(recorder=None, env=None, **options):
        recorder = recorder or Kept()
        with_env.append(env or DebugGymEnv(task=task, sandbox=backend, max_steps=options.pop("max_steps", 9)))
        session = AttemptSession(with_env[-1], Attempt(task, 2, 7), recorder=recorder, agent="me", **options)
        session.begin()
        return session, recorder

    yield make
    for env in with_env:
        env.close()


def test_a_step_that_ends_the_episode_has_the_result_and_the_patch(start):
    session, kept = start(model="m")
    session.step(FIX, thought="the sign", usage={"input_tokens": 3.0})
    assert (session.live, session.result, session.tests) == (True, None, None)
    step = session.step(EVAL, usage={"input_tokens": 4.0})
    assert (step.terminated, step.reward, session.live) == (True, 1.0, False)
    result = session.result
    assert (result.key, result.seed, result.model) == ((session.attempt.task.id, 2), 7, "m")
    assert (result.status, result.ending, result.steps) == ("resolved", "terminated", 2)
    assert result.usage == {"input_tokens": 7.0}
    assert "+    return a + b" in session.end.patch
    assert [line.kind for line in kept.lines] == ["start", "step", "step", "end"]
    assert (kept.results, kept.closed) == ([result], True)
    assert session.trajectory.verdict.resolved
    assert session.finish() == result
    with pytest.raises(EpisodeOverError, match="the episode is over: resolved"):
        session.step(LIST)


def test_finish_judges_it_as_it_stands(start):
    session, _ = start()
    session.step(FIX)
    result = session.finish("enough", {"seconds": 2.0})
    assert (result.status, result.ending, result.stop_reason) == ("resolved", "gave up", "enough")
    assert result.usage == {"seconds": 2.0}


def test_the_step_in_which_the_time_passes_is_the_last(start):
    session, _ = start(time_limit=0.0)
    step = session.step(FIX)
    assert (step.truncated, step.reward, session.result.ending) == (True, 1.0, "time limit")


def test_the_limit_of_steps_is_the_environments(start):
    session, _ = start(max_steps=1)
    assert session.step(FIX).truncated
    assert session.result.ending == "step limit"


def test_nobody_calls_and_it_is_judged(start):
    session, kept = start(idle=0.2)
    session.step(FIX)
    deadline = time.monotonic() + 20
    while session.live and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (session.result.status, session.result.stop_reason) == ("resolved", "there was no call for 0.2 s")
    assert kept.closed


def test_a_long_call_is_not_idleness(start):
    session, _ = start(idle=0.3)
    for _ in range(2):
        session.step(ToolCall(name="bash", arguments={"command": "sleep 0.6"}))
    assert session.live


def test_a_fork_is_another_try_from_where_it_stands(start):
    session, kept = start()
    session.step(LIST)
    copy = Kept()
    forked = session.fork(Attempt(session.attempt.task, number=1), copy)
    forked.step(FIX)
    assert forked.step(SUBMIT).terminated
    assert session.step(SUBMIT).terminated
    assert (forked.result.key, forked.result.status) == ((session.attempt.task.id, 1), "resolved")
    assert (session.result.key, session.result.status) == ((session.attempt.task.id, 2), "unresolved")
    assert [line.index for line in copy.lines[1:-1]] == [0, 1, 2]
    assert [line.index for line in kept.lines[1:-1]] == [0, 1]
    assert copy.closed


def test_what_cannot_be_forked_is_said_and_goes_on(start, backend, task):
    with AttemptSession(DebugGymEnv(task=task, sandbox=backend)) as unbegun:
        with pytest.raises(DebugGymError, match="call begin"):
            unbegun.fork()
        unbegun.begin()
        with pytest.raises(StorageError):
            unbegun.fork(recorder=Kept(full=(Start,)))
        assert unbegun.step(LIST).observation.text
    with pytest.raises(EpisodeOverError):
        unbegun.fork()


def test_who_leaves_stores_no_end(start):
    session, kept = start()
    with session:
        session.step(FIX)
    assert (session.live, session.left, session.result) == (False, True, None)
    assert ([line.kind for line in kept.lines], kept.results, kept.closed) == (["start", "step"], [], True)
    for call in (lambda: session.step(LIST), session.finish):
        with pytest.raises(AbandonedError, match="it was left"):
            call()


def test_leaving_does_not_wait_for_a_call_under_way(start):
    session, kept = start()
    played = threading.Thread(target=lambda: session.step(SLEEP))
    played.start()
    time.sleep(0.5)
    began = time.monotonic()
    session.abandon(wait=0.1)
    assert time.monotonic() - began < 5
    assert session.interrupt()
    played.join(20)
    assert not played.is_alive()
    assert (session.live, session.result, kept.results, kept.closed) == (False, None, [], True)


def test_interrupting_ends_the_call_and_not_the_episode(start):
    session, _ = start()
    steps = []
    played = threading.Thread(target=lambda: steps.append(session.step(SLEEP)))
    played.start()
    deadline = time.monotonic() + 20
    while played.is_alive() and time.monotonic() < deadline:
        session.interrupt()
        played.join(0.1)
    assert steps[0].seconds < 20
    assert session.live


def test_a_run_that_stops_leaves_it_at_the_next_call(start):
    stop = threading.Event()
    session, kept = start(stop=stop)
    stop.set()
    with pytest.raises(AbandonedError):
        session.step(FIX)
    assert (kept.results, kept.closed, session.live) == ([], True, False)


def test_calls_from_many_threads_are_played_one_after_the_other(start):
    session, _ = start(max_steps=None)
    threads = [threading.Thread(target=session.step, args=(LIST,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [step.index for step in session.steps] == list(range(8))


def test_an_episode_that_cannot_begin_is_an_error_with_a_name(backend, make_task, tmp_path):
    gone = make_task(FILES).model_copy(update={"source": DirectorySource(path=tmp_path / "gone")})
    kept = Kept()
    session = AttemptSession(DebugGymEnv(task=gone, sandbox=backend), Attempt(gone), recorder=kept)
    with pytest.raises(DebugGymError, match="gone"):
        session.begin()
    assert (session.result.status, session.result.ending) == ("error", "error")
    assert [type(line) for line in kept.lines] == [Start, End]


def test_a_sandbox_that_fails_is_a_result_and_is_raised(start, monkeypatch):
    session, kept = start()

    def fail(action):
        raise SandboxError("no sandbox any more")

    monkeypatch.setattr(session.env, "step", fail)
    with pytest.raises(SandboxError, match="no sandbox any more"):
        session.step(LIST)
    assert (session.result.status, session.result.reason) == ("error", "no sandbox any more")
    assert kept.lines[-1].error == "no sandbox any more"
    assert kept.closed


def test_a_bug_of_the_environment_is_stored_with_its_traceback(start, monkeypatch):
    session, kept = start()
    monkeypatch.setattr(session.env, "step", lambda action: 1 / 0)
    with pytest.raises(DebugGymError, match="ZeroDivisionError"):
        session.step(LIST)
    assert "Traceback" in kept.lines[-1].error


def test_a_call_that_is_too_long_is_neither_played_nor_stored_in_full(start):
    session, kept = start()
    long = ToolCall(name="rewrite", arguments={"path": "calc.py", "content": "x" * 30_000_000})
    observation = session.step(long).observation
    assert observation.error
    assert "30,000,018 characters, and 1,048,576 are the most" in observation.text
    assert len(kept.lines[-1].model_dump_json()) < 10_000
    assert kept.lines[-1].call.arguments["content"].endswith("[29998000 more characters]")
    assert not session.env.session.sandbox.changes().paths


def test_what_cannot_be_stored_ends_it_without_a_result(start):
    session, kept = start(Kept(full=[End]))
    with pytest.raises(StorageError):
        session.step(SUBMIT)
    assert (session.live, session.result, kept.results, kept.closed) == (False, None, [], True)
    with pytest.raises(EpisodeOverError, match="an error broke it off: the disk is full"):
        session.step(LIST)


def test_it_is_played_through_wrappers(start, backend, task):
    import gymnasium

    class Loud(gymnasium.ObservationWrapper):
        def observation(self, observation):
            return observation.upper()

    session, _ = start(env=Loud(DebugGymEnv(task=task, sandbox=backend)))
    assert session.step(LIST).observation.text.split()[1] == "CALC.PY"


def test_another_environment_is_refused():
    import gymnasium

    with pytest.raises(ConfigError, match="an environment of debug-gym"):
        AttemptSession(gymnasium.make("CartPole-v1"))
