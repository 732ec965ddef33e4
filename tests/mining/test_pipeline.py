"""From a repository to a benchmark folder that is played, through the command."""

import json
import os
import subprocess
import sys
import time

import pytest
import yaml
from typer.testing import CliRunner

from debug_gym.benchmarks.folder import FolderBenchmark
from debug_gym.checks.validate import validate
from debug_gym.cli import app
from tests.agents.openai_server import ScriptedServer

pytestmark = pytest.mark.slow

OPTIONS = ("--python", sys.executable, "--repeats", "1", "--workers", "1")
ROUNDING = "def test_rounding():\n    assert Cart([('tea', 0.125)]).total() == 13\n"
FRESH = "def test_fresh():\n    assert Cart([('tea', 2.125)]).total() == 213\n"


@pytest.fixture
def mine(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        return CliRunner().invoke(app, ["mine", *arguments, *OPTIONS], env={"COLUMNS": "200"})

    return call


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ScriptedServer() as running:
        yield running


def killed(words, folder, *, when):
    """Mine in a process of its own, and kill it as soon as something holds."""
    command = [sys.executable, "-m", "debug_gym", "mine", *words, *OPTIONS]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL) as process:
        while not when():
            assert process.poll() is None, "it came to its end"
            time.sleep(0.01)
        process.kill()


def outcomes(folder):
    lines = (folder / ".mining/candidates.jsonl").read_text().splitlines()
    return {item["id"]: item for item in map(json.loads, lines)}


def test_commits_become_tasks_or_fall_with_a_reason(shop, mine, tmp_path, backend):
    tests = shop.text("tests/test_cart.py")
    wrong = shop.text("shop/money.py").replace(" + 0.5", "")
    shop.commit("Simpler", {"shop/money.py": wrong})
    fixed = wrong.replace("* 100", "* 100 + 0.5").replace("return whole", "return whole  # in cents")
    more = f"{tests}\n\n{ROUNDING}\n\n{FRESH}"
    fix = shop.commit("Fix lost halves of a cent (#12)", {"shop/money.py": fixed, "tests/test_cart.py": more})
    feature = f"{fixed}\n\ndef euros(amount):\n    return amount / 100\n"
    asks = f"{more}\n\ndef test_euros():\n    from shop.money import euros\n    assert euros(100) == 1\n"
    added = shop.commit("Handle euros", {"shop/money.py": feature, "tests/test_cart.py": asks})
    tidy = shop.commit(
        "Tidy up", {"shop/money.py": f"# money\n{feature}", "tests/test_cart.py": f"# tests\n{asks}"}
    )

    done = mine("git", "shop")
    assert done.exit_code == 0, done.output
    folder = tmp_path / "mined/shop-git"
    found = outcomes(folder)
    assert {name: item["why"] for name, item in found.items()} == {
        f"shop-{fix[:10]}": "",
        f"shop-{added[:10]}": "the tests ask for a feature, not for a fix",
        f"shop-{tidy[:10]}": "no test fails with the bug",
    }
    assert "the tests ask for a feature" in done.output and "1 task in mined/shop-git" in done.output

    benchmark = FolderBenchmark(folder)
    [task] = benchmark.tasks.values()
    assert task.problem.startswith("Lost halves of a cent.\n\n`tests/test_cart.py::test_rounding` fails:\n")
    assert set(task.tests.fail_to_pass) == {
        "tests/test_cart.py::test_rounding",
        "tests/test_cart.py::test_fresh",
    }
    assert len(task.tests.pass_to_pass) == 5
    assert task.gold_patch.count("\n+ ") == 1 and "# in cents" not in task.gold_patch
    with backend.start(task.for_agent()) as sandbox:
        assert "test_fresh" not in sandbox.read("tests/test_cart.py").decode()
        assert "# in cents" not in sandbox.read("shop/money.py").decode()
        assert sandbox.exec("git log --oneline | wc -l").output.strip() == "1"
    assert benchmark.card.licence == "MIT"
    said = yaml.safe_load((folder / task.id / "task.yaml").read_text())
    assert said["metadata"]["commit"] == fix
    assert "| validate | no test fails with the bug | 1 |" in (folder / "README.md").read_text()


def test_mutants_are_sound_and_far_from_their_symptom_whatever_is_killed(
    shop, mine, tmp_path, backend, server
):
    folder = tmp_path / "mined/shop-mutate"
    ledger = folder / ".mining/candidates.jsonl"
    asked = ("mutate", "shop", "--max", "1", "--model", "m", "--model-option", f"base_url={server.url}")
    for _ in range(4):  # killed runs ask as well
        server.say("What I get is not what I put in.")

    killed(asked, tmp_path, when=lambda: ledger.exists() and "\n" in ledger.read_text())
    first = outcomes(folder)
    killed(asked, tmp_path, when=lambda: [*folder.glob(".mining/staging/*/*/task.yaml")])
    second = outcomes(folder)
    assert {**second, **first} == second and all(item["stage"] for item in second.values())
    assert not [*folder.glob("[!._]*/")]  # no part of a task
    ledger.write_text(ledger.read_text()[:-20])  # the last line did not come to its end

    done = mine(*asked)
    assert done.exit_code == 0, done.output
    lines = ledger.read_text().splitlines()
    again = outcomes(folder)
    assert len(lines) == len(again)
    assert list(again)[: len(second)] == list(second)
    assert [again[name] for name in list(second)[:-1]] == list(second.values())[:-1]  # not looked at again
    [task] = FolderBenchmark(folder).tasks.values()
    assert [name for name, item in again.items() if not item["stage"]] == [task.id] == [list(again)[-1]]
    assert not [*folder.glob(".mining/staging/*")]
    assert task.metadata["distance"]["calls"] >= 2
    assert task.metadata["statement"] == {"by": "m"}
    assert task.problem.startswith("What I get is not what I put in.\n\n")
    found = validate(task, backend, repeats=1)
    assert found.sound, found.problems


def test_a_folder_goes_on_with_the_same_question_only(shop, mine, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/notes.txt").write_text("mine")
    done = mine("git", "shop", "-o", "other")
    assert "holds something else" in str(done.exception)
    shop.commit("Fix", {"shop/money.py": "x = 1\n", "tests/test_cart.py": "def test_a(): pass\n"})
    assert mine("git", "shop").exit_code == 1  # its tests do not pass: no task
    done = mine("git", "shop", "--since", "2020-01-01")
    assert "was mined with another since" in str(done.exception)


def test_what_has_no_licence_is_refused(shop, mine):
    shop.git("rm", "-q", "LICENSE")
    shop.git("commit", "-qm", "No licence")
    wrong = shop.text("shop/money.py").replace(" + 0.5", "")
    shop.commit("Simpler", {"shop/money.py": wrong})
    tests = {"tests/test_cart.py": f"{shop.text('tests/test_cart.py')}\n\n{ROUNDING}"}
    shop.commit("Fix halves", {"shop/money.py": wrong.replace("* 100", "* 100 + 0.5"), **tests})
    assert "its licence is unknown: name it by --licence" in mine("git", "shop").output
