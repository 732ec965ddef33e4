"""SWE-bench and its parts: what a row becomes."""

import json

import pytest

from debug_gym.benchmarks.swe.swebench import SweBench, SweBenchDebug, SweBenchMultilingual, SweBenchVerified
from debug_gym.errors import ConfigError, TaskError
from debug_gym.plugins import make

GOLD = "diff --git a/src/a.py b/src/a.py\n--- a/src/a.py\n+++ b/src/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
TESTS = (
    "diff --git a/tests/test_a.py b/tests/test_a.py\n--- a/tests/test_a.py\n+++ b/tests/test_a.py\n@@ -1 +1 @@\n"
    "-y = 1\n+y = 2\n"
    "diff --git a/tests/data/b.json b/tests/data/b.json\n--- a/tests/data/b.json\n+++ b/tests/data/b.json\n@@ -1 +1 @@\n"
    "-{}\n+[]\n"
    "diff --git a/tests/test_new.py b/tests/test_new.py\nnew file mode 100644\n--- /dev/null\n"
    "+++ b/tests/test_new.py\n@@ -0,0 +1 @@\n+z = 1\n"
)
ROW = {
    "instance_id": "pallets__flask-4045",
    "repo": "pallets/flask",
    "version": "2.0",
    "base_commit": "d8c37f43724cd9fb0870f77877b7c4c7e38a19e0",
    "patch": GOLD,
    "test_patch": TESTS,
    "problem_statement": "Dots in names.",
    "FAIL_TO_PASS": '["tests/test_a.py::test_dots"]',
    "PASS_TO_PASS": ["tests/test_a.py::test_plain"],
    "created_at": "2021-05-13T21:32:41Z",
    "hints_text": None,
}


@pytest.fixture
def load(tmp_path):
    """The task of a row, whose other columns are as they were."""

    def made(kind=SweBench, options=None, /, **columns):
        (tmp_path / "test.jsonl").write_text(json.dumps({**ROW, **columns}) + "\n")
        benchmark = kind(tmp_path, **(options or {}))
        return benchmark.task(benchmark.ids()[0])

    return made


def test_where_all_test_files_are_new_others_that_must_stay_whole_are_run(load):
    new = TESTS[TESTS.index("diff --git a/tests/test_new.py") :]
    renamed = (
        "diff --git a/tests/old.py b/tests/moved.py\nsimilarity index 90%\nrename from tests/old.py\n"
        "rename to tests/moved.py\n--- a/tests/old.py\n+++ b/tests/moved.py\n@@ -1 +1 @@\n-y = 1\n+y = 2\n"
    )
    kept = ["tests/test_new.py::test_a", "tests/test_b.py::T::test_x[a::b]", "tests/test_b.py::test_y"]
    kept += ["tests/moved.py::test_m"]
    assert load(test_patch=new, PASS_TO_PASS=kept[:3]).tests.visible == ("tests/test_b.py",)
    assert load(test_patch=new, PASS_TO_PASS=kept[:1]).tests.visible == ()
    assert load(test_patch=new + renamed, PASS_TO_PASS=kept).tests.visible == ("tests/old.py",)


def test_a_row_becomes_a_task(load):
    task = load()
    assert (task.id, task.benchmark, task.problem) == ("pallets__flask-4045", "swe-bench", "Dots in names.")
    assert task.gold_patch == GOLD
    assert task.tests.fail_to_pass == ("tests/test_a.py::test_dots",)
    assert task.tests.pass_to_pass == ("tests/test_a.py::test_plain",)
    assert task.tests.hidden_patch == TESTS
    assert task.tests.visible == ("tests/test_a.py",)  # of the test patch's files, those that exist before it
    assert task.harness.script == "pytest -rA tests/test_a.py tests/test_new.py"
    assert task.harness.restored == ("tests/test_a.py", "tests/data/b.json", "tests/test_new.py")
    assert task.is_editable("src/a.py")
    assert task.is_editable("docs/index.rst")
    assert not task.is_editable("tests/test_a.py")


def test_nothing_of_the_answer_is_in_what_an_agent_gets(load):
    seen = load().for_agent().model_dump_json()
    for secret in ("x = 2", "y = 2", "test_dots", "test_new", "d8c37f4"):
        assert secret not in seen


@pytest.mark.parametrize(
    ("options", "columns", "name"),
    [
        ({}, {}, "swebench/sweb.eval.x86_64.pallets_1776_flask-4045:latest"),
        ({"namespace": "mine", "tag": "v2"}, {}, "mine/sweb.eval.x86_64.pallets_1776_flask-4045:v2"),
        ({"namespace": ""}, {"instance_id": "Pallets__Flask-1"}, "sweb.eval.x86_64.pallets__flask-1:latest"),
        ({}, {"image": "registry.example/a:1"}, "registry.example/a:1"),
    ],
)
def test_images_are_named_as_their_harness_names_them(load, options, columns, name):
    assert load(SweBench, options, **columns).source.image == name


def test_the_variant_for_debuggers_shows_the_tests(load):
    task = load(SweBenchDebug)
    assert (task.tests.hidden_patch, task.source.bug_patch) == (None, TESTS)
    assert task.tests.visible == ("tests/test_a.py", "tests/test_new.py")
    assert task.tests.visible_decide
    assert not load().tests.visible_decide


def test_django_is_tested_by_its_own_program(load):
    task = load(
        repo="django/django",
        version="2.2",
        test_patch=TESTS.replace("test_a", "mail/tests"),
        FAIL_TO_PASS=["test_a (mail.tests.MailTests)", "A docstring's first line"],
        PASS_TO_PASS=[],
    )
    assert task.tests.command[:3] == ("python", "./tests/runtests.py", "--verbosity")
    assert task.tests.fail_to_pass == ("mail.tests.MailTests.test_a", "A docstring's first line")
    assert task.tests.visible == ("mail.tests",)
    assert task.environment.variables["PYTHONPATH"] == "/testbed"  # its environment holds a copy
    assert task.harness.script.endswith("--parallel 1 mail.tests test_new")
    assert task.harness.fail_to_pass == ("test_a (mail.tests.MailTests)", "A docstring's first line")


def test_a_row_that_says_how_it_is_tested_is_believed(load):
    script = (
        "#!/bin/bash\nset -uxo pipefail\ncd /testbed\n: '>>>>> Start Test Output'\npytest -rA -x tests/test_a.py\n"
        ": '>>>>> End Test Output'\ngit checkout abc tests/test_a.py\n"
    )
    task = load(repo="new/one", eval_script=script, log_parser="parse_log_pylint", eval_type="pass_and_fail")
    assert task.harness.script == "pytest -rA -x tests/test_a.py"
    assert task.harness.parser == "pytest-options"


def test_what_the_fix_changes_counts_even_where_it_looks_like_a_test(load):
    task = load(patch=GOLD.replace("src/a.py", "src/testing/tests.py"))
    assert task.is_editable("src/testing/tests.py")
    assert not task.is_editable("src/tests.py")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"repo": "new/one"}, "nothing tells how new/one is tested"),
        ({"repo": "new/one", "log_parser": "parse_log_cargo"}, "nothing tells how new/one is tested"),
        ({"patch": None}, "SWE-bench/SWE-bench (pallets__flask-4045) is no row of SWE-bench: patch"),
        ({"FAIL_TO_PASS": "[broken"}, "FAIL_TO_PASS: it is neither a list nor JSON"),
        ({"FAIL_TO_PASS": '{"a": 1}'}, "FAIL_TO_PASS"),
    ],
)
def test_a_row_that_does_not_serve_is_named(load, columns, said):
    with pytest.raises(TaskError) as error:
        load(**columns)
    assert said in str(error.value)


def test_of_the_multilingual_part_only_python_is_taken(tmp_path):
    rows = [ROW, {**ROW, "instance_id": "redis__redis-1", "repo": "redis/redis"}]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert SweBenchMultilingual(tmp_path).ids() == ("pallets__flask-4045",)
    (tmp_path / "test.jsonl").write_text(json.dumps(rows[1]) + "\n")
    with pytest.raises(ConfigError, match="no task in Python"):
        SweBenchMultilingual(tmp_path).ids()


def test_one_folder_may_hold_several_of_them(tmp_path):
    for name in ("SWE-bench_Lite", "SWE-bench_Verified"):
        (tmp_path / name).mkdir()
        row = {**ROW, "instance_id": f"pallets__flask-{len(name)}"}
        (tmp_path / name / "test.jsonl").write_text(json.dumps(row) + "\n")
    lite, verified = make("benchmarks", "swe-bench-lite", {"data_dir": tmp_path}), SweBenchVerified(tmp_path)
    assert (lite.ids(), verified.ids()) == (("pallets__flask-14",), ("pallets__flask-18",))
    assert lite.version != verified.version
