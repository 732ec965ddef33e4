"""Benchmarks around images, from a row of a data set to both verdicts, in images as their harness builds them."""

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from filelock import FileLock

from debug_gym.benchmarks.swe.swebench import SweBench, SweBenchDebug
from debug_gym.checks.leaks import answers_in_reach
from debug_gym.checks.validate import apply_gold, validate
from debug_gym.env import DebugGymEnv
from debug_gym.judge import judge
from debug_gym.sandbox import Changes, FileEntry

pytestmark = pytest.mark.docker

ACTIVATE = """conda() { export PATH=/opt/miniconda3/envs/$2/bin:$PATH CONDA_DEFAULT_ENV=$2; }
"""
PYTEST = """#!/opt/miniconda3/envs/testbed/bin/python3
import pytest
raise SystemExit(pytest.main())
"""
CONDA = {"opt/miniconda3/bin/activate": ACTIVATE, "opt/miniconda3/envs/testbed/bin/pytest": PYTEST}
BROKEN = "def mean(values):\n    return sum(values) / 2\n"
FIXED = """\
def mean(values):
    number_of_values = len(values)
    if number_of_values == 0:
        return float("nan")  # nothing has no mean
    return sum(values) / number_of_values
"""
OLD_TEST = "from flask import mean\n\n\ndef test_pair():\n    assert mean([1, 3]) == 2\n"
NEW_TEST = f"{OLD_TEST}\n\ndef test_three_numbers():\n    assert mean([1, 2, 6]) == 3\n"


IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in {"NAME": "A", "EMAIL": "a@example.org", "DATE": "2020-02-02T00:00:00Z"}.items()
}


def git(folder, *words):
    done = subprocess.run(
        ["git", "-C", folder, *words],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **IDENTITY},
    )
    return done.stdout


def write(folder, files):
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(0o755)
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "-m", "Next")


@pytest.fixture(scope="session")
def history(tmp_path_factory):
    """``history(before, gold, tests)``: a repository as images have it, at the commit before a fix, which a
    later tag still holds; and the two patches."""

    def make(before, gold, tests):
        folder = tmp_path_factory.mktemp("repository")
        git(folder, "init", "--quiet", "-b", "main")
        write(folder, before)
        write(folder, gold)
        write(folder, tests)
        git(folder, "tag", "v2.0")
        patches = git(folder, "diff", "HEAD~2", "HEAD~1"), git(folder, "diff", "HEAD~1", "HEAD")
        git(folder, "reset", "--quiet", "--hard", "HEAD~2")
        return folder, *patches

    return make


@pytest.fixture(scope="session")
def put(daemon, testbed, tmp_path_factory):
    """``put(name, folder)``: an image with this folder as its ``/testbed``."""

    def make(name, folder):
        with FileLock(Path(tmp_path_factory.getbasetemp().parent, "put.lock")):
            if not daemon.images.list(name):
                _add(name, folder)

    def _add(name, folder):
        empty = ["-c", "rm -rf /testbed/* /testbed/.git"]
        container = daemon.containers.create(testbed, empty, entrypoint="/bin/bash")
        container.start()
        container.wait()
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            archive.add(folder, "testbed")
            for path, text in CONDA.items():
                entry = tarfile.TarInfo(path)
                entry.size, entry.mode = len(text), 0o755
                archive.addfile(entry, io.BytesIO(text.encode()))
        container.put_archive("/", buffer.getvalue())
        container.commit(*name.rsplit(":", 1))
        container.remove()

    return make


@pytest.fixture(scope="session")
def flask(history, put, tmp_path_factory):
    """A folder with a row of SWE-bench, whose image is there by the name that the harness computes."""
    folder, gold, tests = history(
        {"flask.py": BROKEN, "test_mean.py": OLD_TEST},
        {"flask.py": FIXED},
        {"test_mean.py": NEW_TEST},
    )
    namespace = f"debug-gym-test-{git(folder, 'rev-parse', 'v2.0').strip()[:12]}"
    put(f"{namespace}/sweb.eval.x86_64.pallets_1776_flask-1:latest", folder)
    row = {
        "instance_id": "pallets__flask-1",
        "repo": "pallets/flask",
        "version": "2.3",
        "base_commit": git(folder, "rev-parse", "HEAD").strip(),
        "patch": gold,
        "test_patch": tests,
        "problem_statement": "The mean of three numbers is wrong.",
        "FAIL_TO_PASS": json.dumps(["test_mean.py::test_three_numbers"]),
        "PASS_TO_PASS": json.dumps(["test_mean.py::test_pair"]),
    }
    data = tmp_path_factory.mktemp("data")
    (data / "test.jsonl").write_text(json.dumps(row) + "\n")
    return {"data_dir": data, "namespace": namespace}


@pytest.fixture
def task(flask):
    return SweBench(**flask).task("pallets__flask-1")


def test_a_task_of_swe_bench_is_sound(docker_backend, task):
    assert validate(task, docker_backend, repeats=1).problems == ()
    assert answers_in_reach([task], docker_backend, everywhere=False) == {task.id: []}


def test_a_history_that_holds_the_fix_would_be_found(docker_backend, task):
    """The image has it: what is not removed is seen by the search."""
    source = task.source.model_copy(update={"setup": (*task.source.setup, "cp -r .git kept")})
    (found,) = answers_in_reach(
        [task.model_copy(update={"source": source})], docker_backend, everywhere=False
    ).values()
    assert any("the gold patch in /testbed/kept" in leak for leak in found)


def test_both_verdicts_on_the_fix_and_on_none(docker_backend, task):
    gold, _ = apply_gold(task, docker_backend)
    verdict = judge(task, gold, docker_backend)
    assert (verdict.resolved, verdict.harness.resolved) == (True, True)
    verdict = judge(task, Changes(), docker_backend)
    assert (verdict.resolved, verdict.harness.resolved) == (False, False)
    assert verdict.harness.reason == "against it: test_mean.py::test_three_numbers"


def test_who_patches_pytest_has_solved_it_for_the_harness_alone(docker_backend, task):
    forged = b"import _pytest.python\n_pytest.python.Function.runtest = lambda self: None\nmean = None\n"
    verdict = judge(task, Changes(files={"flask.py": FileEntry(data=forged)}), docker_backend)
    assert (verdict.resolved, verdict.harness.resolved) == (False, True)


def test_an_episode_of_hidden_tests_ends_by_submitting(docker_backend, task):
    env = DebugGymEnv(task=task, sandbox=docker_backend)
    env.reset()
    call = {"name": "replace", "arguments": {"path": "flask.py", "old": "/ 2", "new": "/ len(values)"}}
    env.step(call)
    text, _, terminated, _, _ = env.step({"name": "eval", "arguments": {}})
    assert "1 passed" in text
    assert not terminated
    _, reward, terminated, _, info = env.step({"name": "submit", "arguments": {}})
    env.close()
    assert (reward, terminated, info["resolved"]) == (1.0, True, True)


def test_with_the_tests_in_sight_the_debugger_starts_on_the_one_that_fails(docker_backend, flask):
    task = SweBenchDebug(**flask).task("pallets__flask-1")
    with docker_backend.start(task.for_agent()) as box:
        assert box.run_tests().failed == ("test_mean.py::test_three_numbers",)
        reply = box.debug_start(test="test_mean.py::test_three_numbers", at="failure")
        assert reply.stop.file == "test_mean.py"
