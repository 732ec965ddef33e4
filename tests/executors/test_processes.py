"""Attempts in several processes: as in threads, whoever is killed, and with shared warm interpreters."""

import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from debug_gym.errors import SandboxError
from debug_gym.executors.processes import ProcessExecutor
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import execute
from debug_gym.sandbox.namespace import NamespaceBackend

FILES = {"a.py": "x = 1\n"}


@pytest.fixture
def lending(backend):
    """A backend that lends, and another that borrows from it as if it were in another process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    thread = threading.Thread(target=backend.lend, args=(ours,), daemon=True)
    thread.start()
    borrowing = NamespaceBackend(lender=theirs)
    yield borrowing, theirs
    borrowing.close()
    theirs.close()
    thread.join(5)
    assert not thread.is_alive()


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])


def pid_of(pidfd):
    return int(Path(f"/proc/self/fdinfo/{pidfd}").read_text().split("Pid:")[1].split()[0])


def test_copies_of_a_warm_interpreter_start_sandboxes_of_their_own(backend, lending, make_task):
    borrowing, _ = lending
    task = make_task(FILES)
    with backend.start(task) as first, borrowing.start(task) as second:
        assert first.exec("cat a.py").output == second.exec("cat a.py").output == "x = 1\n"
        second.write("a.py", b"changed")
        assert second.changes().paths == ("a.py",)
        assert not first.changes().paths
    (template,) = borrowing._templates.values()
    copy = pid_of(template._process._pidfd)
    originals = {held._process.pid for held in backend._templates.values()}
    assert parent_of(copy) in originals, "it is a fork, not an interpreter that had to warm up"
    os.kill(copy, signal.SIGKILL)
    with borrowing.start(task) as third, backend.start(task) as fourth:
        assert third.exec("cat a.py").output == fourth.exec("cat a.py").output == "x = 1\n"


def test_a_lender_that_is_gone(lending, make_task):
    borrowing, theirs = lending
    theirs.shutdown(socket.SHUT_RDWR)
    with pytest.raises(SandboxError, match="warm interpreter"):
        borrowing.start(make_task(FILES))


def _config(tmp_path, name, broken, **fields):
    values = {"benchmark": "repo", "benchmark_options": broken(name), "agent": "random", "max_steps": 3}
    return RunConfig.model_validate({**values, "attempts": 4, "output": tmp_path / f"{name}-run", **fields})


def test_processes_play_as_threads_do(tmp_path, broken, told):
    seen = []
    options = broken()
    for name, fields in {"threads": {"workers": 2}, "processes": {"workers": 3, "processes": 2}}.items():
        config = _config(tmp_path, name, lambda name: options, **fields)
        execution = execute(prepare(config))
        assert [result.status for result in execution.results] == ["unresolved"] * 4
        seen.append(told(tmp_path / f"{name}-run"))
    assert seen[0] == seen[1]


def test_an_attempt_whose_process_is_killed_is_played_again(tmp_path, broken, monkeypatch):
    killed = []
    play = ProcessExecutor.play

    def kill_the_first(self, worker, attempt, recorder, on_step):
        def kill(step, tests):
            if not killed:
                killed.append(attempt.key)
                self._processes[0]._program.kill()
            on_step(step, tests)

        return play(self, worker, attempt, recorder, kill)

    monkeypatch.setattr(ProcessExecutor, "play", kill_the_first)
    config = _config(tmp_path, "killed", broken, attempts=2, workers=1, processes=2)
    execution = execute(prepare(config))
    assert killed
    assert [result.status for result in execution.results] == ["unresolved"] * 2
