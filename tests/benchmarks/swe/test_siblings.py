"""The benchmarks made after SWE-bench: what their rows become."""

import json
import subprocess

import pytest

from debug_gym.benchmarks.swe.gym import SweGym
from debug_gym.benchmarks.swe.live import SweBenchLive
from debug_gym.benchmarks.swe.r2e import R2EGym
from debug_gym.benchmarks.swe.rebench import SweRebench, SweRebenchV2
from debug_gym.benchmarks.swe.smith import SweSmith
from debug_gym.errors import ConfigError, TaskError
from debug_gym.judge.harness.run import score
from debug_gym.runners.harness_logs import PARSERS

PATCH = "diff --git a/src/a.py b/src/a.py\n--- a/src/a.py\n+++ b/src/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
TESTS = PATCH.replace("src/a.py", "tests/test_a.py")
ROW = {
    "instance_id": "getmoto__moto-7365",
    "repo": "getmoto/moto",
    "version": "5.0",
    "base_commit": "7f6c9cb1deafb280fe7fcc7551c38e397f11a706",
    "patch": PATCH,
    "test_patch": TESTS,
    "problem_statement": "Sums are wrong.",
    "FAIL_TO_PASS": ["tests/test_a.py::test_sum"],
    "PASS_TO_PASS": ["tests/test_a.py::test_plain"],
}
CASE = "-- test --\n[case testGuard]\n[case testOther]\n"


@pytest.fixture
def load(tmp_path):
    """The task of the first of some rows."""

    def made(kind, *rows, **options):
        file = tmp_path / "rows.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        benchmark = kind(file, **options)
        return benchmark.task(benchmark.ids()[0])

    return made


# -- SWE-Gym -------------------------------------------------------------------------------------


def test_swe_gym(load):
    task = load(SweGym, ROW)
    assert task.source.image == "xingyaoww/sweb.eval.x86_64.getmoto_s_moto-7365:latest"
    assert task.harness.script == "pytest -n0 -rA tests/test_a.py"
    assert task.tests.hidden_patch == TESTS


def test_swe_gym_names_mypys_cases(load):
    row = {
        **ROW,
        "instance_id": "python__mypy-1",
        "repo": "python/mypy",
        "version": "1.10",
        "test_patch": TESTS + CASE,
    }
    assert load(SweGym, row).harness.script == 'pytest -rA -k "testGuard or testOther"'


def test_swe_gym_knows_its_repositories(load):
    with pytest.raises(TaskError, match="SWE-Gym tests no repository a/b"):
        load(SweGym, {**ROW, "repo": "a/b"})


# -- SWE-bench-Live --------------------------------------------------------------------------------


def live(**columns):
    return {**ROW, "test_cmds": ["pytest -rA"], "log_parser": "pytest", **columns}


def test_swe_bench_live(load):
    task = load(SweBenchLive, live(instance_id="Aws__Moto-1"))
    assert task.source.image == "starryzhang/sweb.eval.x86_64.aws_1776_moto-1:latest"
    assert (task.source.setup, task.harness.script) == ((), "pytest -rA")
    assert load(SweBenchLive, live(docker_image="a/b:1")).source.image == "a/b:1"


def test_swe_bench_live_enters_the_environment_that_its_command_does(load):
    task = load(SweBenchLive, live(test_cmds=["poetry run pytest -rA"]))
    assert task.source.setup == ('source "$(poetry env info --path)/bin/activate"',)


def test_swe_bench_live_in_another_language_is_named(load):
    with pytest.raises(TaskError, match="its tests are not told by pytest"):
        load(SweBenchLive, live(log_parser="def parse(log): ..."))


@pytest.mark.parametrize(
    ("log", "resolved"),
    [
        ("PASSED tests/test_a.py::test_sum\nPASSED tests/test_a.py::test_plain", True),
        ("PASSED tests/test_a.py::test_sum", True),  # what is missing of pass-to-pass counts for nothing
        ("PASSED tests/test_a.py::test_plain", False),
        ("PASSED tests/test_a.py::test_sum\nFAILED tests/test_a.py::test_plain - x", False),
        ("XFAIL tests/test_a.py::test_sum", False),
    ],
)
def test_the_rule_of_swe_bench_live(load, log, resolved):
    assert score(load(SweBenchLive, live()).harness, log, 0).resolved == resolved


# -- SWE-rebench -----------------------------------------------------------------------------------

CONFIG = {
    "test_cmd": "pytest --no-header -rA -p no:cacheprovider",
    "log_parser": "parse_log_pytest",
    "python": "3.9",
}


def test_swe_rebench(load):
    task = load(SweRebench, {**ROW, "install_config": json.dumps(CONFIG), "docker_image": None})
    assert task.source.image == "swerebench/sweb.eval.x86_64.getmoto_1776_moto-7365:latest"
    assert task.harness.script == "pytest --no-header -rA -p no:cacheprovider tests/test_a.py"
    assert (task.harness.parser, task.harness.rule) == ("old-pytest", "swe-bench-4")


def test_swe_rebench_v2_in_python(load):
    python = {**ROW, "language": "python", "image_name": "docker.io/swerebenchv2/a:1", "install_config": {**CONFIG, "test_cmd": ["pytest -v", "true"]}}  # fmt: skip
    task = load(SweRebenchV2, {**ROW, "instance_id": "c__c-1", "language": "c"}, python)
    assert (task.id, task.source.image, task.source.folder) == (
        ROW["instance_id"],
        "docker.io/swerebenchv2/a:1",
        "/moto",
    )
    assert task.harness.script == "set -e\npytest -v\ntrue"
    with pytest.raises(ConfigError, match="no task in Python"):
        load(SweRebenchV2, {**ROW, "language": "c"})


def test_what_reads_other_languages_is_named(load):
    with pytest.raises(TaskError, match="parse_log_cargo"):
        load(SweRebench, {**ROW, "install_config": {**CONFIG, "log_parser": "parse_log_cargo"}})


@pytest.mark.parametrize(
    ("log", "resolved"),
    [
        ("PASSED tests/test_a.py::test_sum\nPASSED tests/test_a.py::test_plain", True),
        ("PASSED tests/test_a.py::test_sum", False),
        (
            "PASSED tests/test_a.py::test_sum\nPASSED tests/test_a.py::test_plain\nPASSED tests/test_a.py::more",
            False,
        ),
    ],
)
def test_the_rule_of_swe_rebench_v2(load, log, resolved):
    row = {**ROW, "language": "Python", "image_name": "a:1", "install_config": CONFIG}
    assert score(load(SweRebenchV2, row).harness, log, 0).resolved == resolved


def test_the_log_parser_of_swe_rebench_v2():
    log = "[gw0] [ 5%] PASSED a.py::b\na.py::c FAILED [ 10%] in 0.20s\nSKIPPED a.py::d e in 3s\nnothing\n"
    assert PARSERS["pytest-nebo"](log) == {"a.py::b": "PASSED", "a.py::c": "FAILED", "a.py::d e": "SKIPPED"}


# -- SWE-smith -------------------------------------------------------------------------------------


def smith(**columns):
    row = {key: value for key, value in ROW.items() if key != "test_patch"}
    return {**row, "instance_id": "oauthlib__oauthlib.1fd52536.combine_file__09vlzwgc", **columns}


def test_in_swe_smith_the_patch_is_the_bug(load):
    task = load(SweSmith, smith(PASS_TO_PASS=["tests/test_a.py::test_plain", "tests/test_b.py::test_c"]))
    assert task.source.image == "swebench/swesmith.x86_64.oauthlib_1776_oauthlib.1fd52536"
    assert task.source.bug_patch == PATCH
    assert "-x = 2\n+x = 1\n" in task.gold_patch
    assert task.source.remove == task.tests.hidden_paths == ("tests/test_a.py",)
    assert task.tests.visible == ("tests/test_b.py",)
    assert "x = " not in task.for_agent().model_dump_json()
    assert load(SweSmith, smith(image_name="jyangballin/a")).source.image == "jyangballin/a"


def test_swe_smith_without_tests_that_fail_is_named(load):
    with pytest.raises(TaskError, match="names no test that fails"):
        load(SweSmith, smith(FAIL_TO_PASS=[]))


def test_of_swe_smith_what_pytest_tests_is_taken(load):
    other = smith(instance_id="tornadoweb__tornado.d5ac65c1.lm_modify__1")
    assert load(SweSmith, other, smith()).id.startswith("oauthlib")
    with pytest.raises(ConfigError, match="tested by pytest"):
        load(SweSmith, other)


@pytest.mark.parametrize(
    ("log", "resolved"),
    [
        ("tests/test_a.py::test_sum PASSED [ 50%]\ntests/test_a.py::test_plain XFAIL [100%]", True),
        ("tests/test_a.py::test_sum PASSED [ 50%]", False),
        ("tests/test_a.py::test_sum PASSED [ 50%]\ntests/test_a.py::test_plain SKIPPED (x) [100%]", True),
        ("tests/test_a.py::test_sum PASSED\ntests/test_a.py::test_plain FAILED [100%]", False),
    ],
)
def test_the_rule_of_swe_smith(load, log, resolved):
    assert score(load(SweSmith, smith()).harness, log, 0).resolved == resolved


# -- R2E-Gym ---------------------------------------------------------------------------------------


def change(path, old, new):
    lines = [{"content": old, "type": "deleted"}, {"content": new, "type": "added"}]
    spot = {"start": 1, "length": None}
    hunk = {
        "descriptor": {"old_range": spot, "new_range": spot, "section": ""},
        "line_group": {"all_lines": lines},
    }
    names = {"minus_file": {"path": f"a/{path}"}, "plus_file": {"path": f"b/{path}"}}
    return {
        "header": {"file": {"path": path}, "misc_line": None},
        "hunks": [hunk],
        "is_binary_file": False,
        **names,
    }


def r2e(**columns):
    execution = {
        "test_file_names": ["test_1.py"],
        "test_file_codes": ["def test_sum(): ...\n"],
        "old_commit_res_stdout": "== short test summary info ==\nFAILED r2e_tests/test_1.py::T::test_sum - x\n"
        "PASSED r2e_tests/test_1.py::test_plain\n",
    }
    commit = {
        "file_diffs": [change("src/a.py", "x = 1", "x = 2"), change("tests/test_a.py", "y = 1", "y = 2")]
    }
    row = {
        "repo_name": "aiohttp",
        "docker_image": "namanjain12/aiohttp_final:f0d7488",
        "commit_hash": "f0d7488",
        "problem_statement": "[ISSUE]\nSums are wrong.\n[/ISSUE]",
        "parsed_commit_content": json.dumps(commit),
        "execution_result_content": json.dumps(execution),
        "expected_output_json": json.dumps(
            {"T.test_sum": "PASSED", "\u001b[1mtest_plain": "PASSED", "test_bad": "FAILED"}
        ),
    }
    return {**row, **columns}


def test_r2e_gym(load, tmp_path):
    task = load(R2EGym, r2e())
    assert (task.id, task.problem, task.source.image) == (
        "f0d7488",
        "Sums are wrong.",
        "namanjain12/aiohttp_final:f0d7488",
    )
    assert (task.tests.fail_to_pass, task.tests.pass_to_pass) == (("T.test_sum",), ("test_plain",))
    assert task.tests.hidden["r2e_tests/test_1.py"] == "def test_sum(): ...\n"
    assert {"r2e_tests", "run_tests.sh", "parsed_commit.json"} <= {*task.source.remove}
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text("x = 1\n")
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=task.gold_patch.encode(), check=True)
    assert (tmp_path / "src/a.py").read_text() == "x = 2\n"  # and its tests are left out


@pytest.mark.parametrize(
    "columns", [{"expected_output_json": "{"}, {"parsed_commit_content": "{}"}, {"repo_name": None}]
)
def test_a_row_of_r2e_gym_that_does_not_serve_is_named(load, columns):
    with pytest.raises(TaskError, match=r"R2E-Gym/R2E-Gym-Subset \(f0d7488\)"):
        load(R2EGym, r2e(**columns))


SUMMARY = "== short test summary info ==\nPASSED r2e_tests/test_1.py::T::test_sum\nPASSED r2e_tests/test_1.py::test_plain\n"


@pytest.mark.parametrize(
    ("log", "resolved"),
    [
        (f"{SUMMARY}FAILED r2e_tests/test_1.py::test_bad - x", True),
        (SUMMARY, False),
        (f"{SUMMARY}PASSED r2e_tests/test_1.py::test_bad", False),  # what is expected to fail has to
        (f"{SUMMARY}FAILED r2e_tests/test_1.py::test_bad - x\nPASSED r2e_tests/test_1.py::more", False),
        ("nothing", False),
    ],
)
def test_the_rule_of_r2e_gym(load, log, resolved):
    assert score(load(R2EGym, r2e()).harness, log, 0).resolved == resolved
