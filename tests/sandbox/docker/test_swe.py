"""Benchmarks around images, from a row of a data set to both verdicts, in images as their harness builds them."""

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from filelock import FileLock

from debug_gym.benchmarks.swe.r2e import R2EGym
from debug_gym.benchmarks.swe.smith import SweSmith
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
def swe_bench(history, put, tmp_path_factory):
    """``swe_bench("owner/name", version, before, gold, tests, fail_to_pass, pass_to_pass)``: options of SWE-bench
    with this one task, whose image is there by the name that the harness computes."""

    def make(repo, version, before, gold, tests, fail_to_pass, pass_to_pass):  # noqa: PLR0917
        folder, patch, test_patch = history(before, gold, tests)
        namespace = f"debug-gym-test-{git(folder, 'rev-parse', 'v2.0').strip()[:12]}"
        put(f"{namespace}/sweb.eval.x86_64.{repo.replace('/', '_1776_')}-1:latest", folder)
        row = {
            "instance_id": f"{repo.replace('/', '__')}-1",
            "repo": repo,
            "version": version,
            "base_commit": git(folder, "rev-parse", "HEAD").strip(),
            "patch": patch,
            "test_patch": test_patch,
            "problem_statement": "The mean of three numbers is wrong.",
            "FAIL_TO_PASS": json.dumps(fail_to_pass),
            "PASS_TO_PASS": json.dumps(pass_to_pass),
        }
        data = tmp_path_factory.mktemp("data")
        (data / "test.jsonl").write_text(json.dumps(row) + "\n")
        return {"data_dir": data, "namespace": namespace}

    return make


@pytest.fixture(scope="session")
def flask(swe_bench):
    """A task that pytest tests."""
    return swe_bench(
        "pallets/flask",
        "2.3",
        {"flask.py": BROKEN, "test_mean.py": OLD_TEST},
        {"flask.py": FIXED},
        {"test_mean.py": NEW_TEST},
        ["test_mean.py::test_three_numbers"],
        ["test_mean.py::test_pair"],
    )


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


# -- test programs of their own -------------------------------------------------------------------

RUNTESTS = """#!/opt/miniconda3/envs/testbed/bin/python3
import os, sys, unittest
sys.path[:0] = [os.getcwd(), os.path.dirname(os.path.abspath(__file__))]
labels = [word for word in sys.argv[1:] if word[0] != "-" and not word.isdigit()]
suite = unittest.defaultTestLoader.loadTestsFromNames(labels)
result = unittest.TextTestRunner(verbosity=2).run(suite)
sys.exit(not result.wasSuccessful())
"""
CASE = """import unittest
from django import mean

class MeanTests(unittest.TestCase):
    def test_pair(self):
        self.assertEqual(mean([1, 3]), 2)
"""
NEW_CASE = (
    CASE
    + """
    def test_three(self):
        \"\"\"Three numbers have a mean.\"\"\"
        self.assertEqual(mean([1, 2, 6]), 3)
"""
)
BIN_TEST = """#!/opt/miniconda3/envs/testbed/bin/python3
import os, sys, traceback
sys.path.insert(0, os.getcwd())
bad = False
for path in [word for word in sys.argv[1:] if word[0] != "-"]:
    names = {}
    exec(compile(open(path).read(), path, "exec"), names)
    tests = [name for name in names if name.startswith("test_")]
    print("%s[%d]" % (path, len(tests)))
    for name in tests:
        try:
            names[name]()
            print(name, "ok")
        except AssertionError:
            bad = True
            print(name, "F")
sys.exit(bad)
"""


@pytest.mark.parametrize("repo", ["django/django", "sympy/sympy"])
def test_programs_of_the_repositories_become_outcomes_and_both_verdicts(docker_backend, swe_bench, repo):
    if repo == "django/django":
        program, path, old, new = "tests/runtests.py", "tests/mail/tests.py", CASE, NEW_CASE
        names = ["Three numbers have a mean."], ["test_pair (mail.tests.MeanTests)"]
        ids = {"mail.tests.MeanTests.test_three", "mail.tests.MeanTests.test_pair"}
        body, version = RUNTESTS, "4.0"
    else:
        program, path = "bin/test", "sympy/core/tests/test_mean.py"
        old, new = OLD_TEST.replace("flask", "sympy"), NEW_TEST.replace("flask", "sympy")
        names = ["test_three_numbers"], ["test_pair"]
        ids = {f"{path}::test_three_numbers", f"{path}::test_pair"}
        body, version = BIN_TEST, "1.9"
    module = "django.py" if repo == "django/django" else "sympy/__init__.py"
    before = {module: BROKEN, program: body, path: old}
    options = swe_bench(repo, version, before, {module: FIXED}, {path: new}, *names)
    (task,) = SweBench(**options).tasks.values()
    gold, visible = apply_gold(task, docker_backend)
    assert visible.success
    verdict = judge(task, gold, docker_backend)
    assert verdict.seen == dict.fromkeys(ids, "passed")
    assert (verdict.resolved, verdict.harness.resolved) == (True, True)
    verdict = judge(task, Changes(), docker_backend)
    assert (verdict.resolved, verdict.harness.resolved) == (False, False)
    if repo == "django/django":
        with docker_backend.start(task) as box:
            reply = box.debug_start(test="mail.tests.MeanTests.test_pair")
            assert reply.stop.file == "tests/mail/tests.py"


# -- tests and answers in the image -----------------------------------------------------------------


def test_swe_smiths_bug_is_put_in_and_its_tests_stay_hidden(docker_backend, history, put, tmp_path):
    folder, bug, _ = history(
        {"flask.py": FIXED, "test_mean.py": NEW_TEST, "test_more.py": OLD_TEST.replace("pair", "more")},
        {"flask.py": BROKEN},
        {"README": "-"},
    )
    name = f"debug-gym-test/swesmith:{git(folder, 'rev-parse', 'v2.0').strip()[:12]}"
    put(name, folder)
    row = {
        "instance_id": "pallets__flask.1fd52536.lm_rewrite__1",
        "patch": bug,
        "problem_statement": "The mean of three numbers is wrong.",
        "FAIL_TO_PASS": ["test_mean.py::test_three_numbers"],
        "PASS_TO_PASS": ["test_mean.py::test_pair", "test_more.py::test_more"],
        "image_name": name,
    }
    (tmp_path / "train.json").write_text(json.dumps([row]))
    (task,) = SweSmith(tmp_path).tasks.values()
    with docker_backend.start(task.for_agent()) as box:
        assert box.exec("ls; cat flask.py").output == f"flask.py\ntest_more.py\n{BROKEN}"
    assert answers_in_reach([task], docker_backend, everywhere=False) == {task.id: []}
    verdict = judge(task, apply_gold(task, docker_backend)[0], docker_backend)
    assert (verdict.resolved, verdict.harness.resolved) == (True, True)


def test_r2e_gyms_tests_and_answers_leave_the_image(docker_backend, history, put, tmp_path):
    code = "from flask import mean\n\nclass TestMean:\n" + "\n".join(
        f"    {line}" for line in NEW_TEST.partition("\n")[2].splitlines()
    ).replace("()", "(self)")
    folder, gold, _ = history({"flask.py": BROKEN}, {"flask.py": FIXED}, {"README": "-"})
    write(folder, {
        "run_tests.sh": ".venv/bin/python -m pytest -rA r2e_tests",
        "r2e_tests/test_1.py": code,
        "r2e_tests/__init__.py": "",
        "parsed_commit.json": gold,
    })  # fmt: skip
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/python").symlink_to("/opt/miniconda3/envs/testbed/bin/python3")
    name = f"debug-gym-test/r2e:{git(folder, 'rev-parse', 'HEAD').strip()[:12]}"
    put(name, folder)
    new, old = FIXED.splitlines(), BROKEN.splitlines()
    lines = [{"content": old[0], "type": "context"}, {"content": old[1], "type": "deleted"}]
    lines += [{"content": line, "type": "added"} for line in new[1:]]
    places = {
        "old_range": {"start": 1, "length": 2},
        "new_range": {"start": 1, "length": len(new)},
        "section": "",
    }
    change = {
        "header": {"file": {"path": "flask.py"}, "misc_line": None},
        "minus_file": {"path": "a/flask.py"},
        "plus_file": {"path": "b/flask.py"},
        "hunks": [{"descriptor": places, "line_group": {"all_lines": lines}}],
    }
    execution = {"test_file_names": ["test_1.py"], "test_file_codes": [code], "old_commit_res_stdout": (
        "short test summary info\nPASSED r2e_tests/test_1.py::TestMean::test_pair\n"
        "FAILED r2e_tests/test_1.py::TestMean::test_three_numbers\n"
    )}  # fmt: skip
    row = {
        "repo_name": "flask",
        "docker_image": name,
        "commit_hash": "f0d74880",
        "problem_statement": "[ISSUE]The mean of three numbers is wrong.[/ISSUE]",
        "parsed_commit_content": json.dumps({"file_diffs": [change]}),
        "execution_result_content": json.dumps(execution),
        "expected_output_json": json.dumps(
            {"TestMean.test_pair": "PASSED", "TestMean.test_three_numbers": "PASSED"}
        ),
    }
    (tmp_path / "train.json").write_text(json.dumps([row]))
    (task,) = R2EGym(tmp_path).tasks.values()
    assert answers_in_reach([task], docker_backend, everywhere=False) == {task.id: []}
    verdict = judge(task, apply_gold(task, docker_backend)[0], docker_backend)
    assert (verdict.resolved, verdict.harness.resolved) == (True, True)
