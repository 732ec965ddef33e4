"""What is done as ``swebench`` does it, compared with the package: log parsers, rules, commands, names."""

import contextlib
import re
from types import SimpleNamespace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from debug_gym.benchmarks.swe.rows import NO_TESTS
from debug_gym.benchmarks.swe.specs import SPECS, spec_of, spec_of_parser
from debug_gym.benchmarks.swe.swebench import SweBench, SweRow
from debug_gym.judge.harness.rules import RULES
from debug_gym.judge.harness.run import score
from debug_gym.runners.harness_logs import PARSERS
from debug_gym.task import Harness
from debug_gym.task.harness import END, START

NEW, OLD = "5.0.2", "4.1.0"
TESTS = [
    "tests/test_a.py::test_x",
    "a/test_b.py::T::test_y[/tmp/q/1-2]",
    "test_c.py::test[log(photon",
    "test_ok",
]
NAMES = st.sampled_from(
    [*TESTS, "test_c.py::test[log(photon * x)]", "test_z (mail.tests.Case)", "A first line.", "[3]"]
)
WORDS = st.sampled_from(
    ["PASSED", "FAILED", "SKIPPED", "ERROR", "XFAIL", "XPASS", "ok", "F", "E", "FAIL", "skipped 'no'"]
)
LINES = [
    "{word} {name}",
    "{word} {name} - AssertionError: 1 - 2",
    "\x1b[32m{word}\x1b[0m {name}",
    "{name} {word}",
    "{name} {word} [ 50%]",
    "{name} ... {word}",
    "{name} ...  {word}",
    "Applying sites.0002_alter_domain_unique...test_no_migrations ({name}) ... ok",
    "{word}: {name}",
    "ok",
    "{name} ... Testing against Django installed in '/testbed/django'",
    "with up to 1 processes (0 silenced).",
    "{name} ... Internal Server Error: /{name}/",
    "{name} ... System check identified no issues (0 silenced)",
    "--version is equivalent to version",
    "________ sympy/core/tests/test_a.py:{name} ________",
    "{name} MouseButton.LEFT {word}",
    ">>>>> Tests Errored",
    "   ",
    "",
]
LOGS = st.lists(
    st.builds(
        lambda line, name, word: line.format(name=name, word=word), st.sampled_from(LINES), NAMES, WORDS
    ),
    max_size=12,
).map("\n".join)


@pytest.mark.parametrize(
    "name", ["pytest", "pytest_options", "pytest_v2", "matplotlib", "seaborn", "django", "sympy"]
)
def test_logs_are_read_as_there(swebench, name):
    theirs = swebench(NEW, "swebench.harness.log_parsers").PARSER_REGISTRY[f"parse_log_{name}"]
    ours = PARSERS[name.replace("_", "-")]

    @given(log=LOGS)
    @settings(max_examples=150)
    def same(log):
        expected = None
        with contextlib.suppress(IndexError):  # it fails on a line of "FAIL:" and nothing else
            expected = theirs(log, None)
        assume(expected is not None)
        assert ours(log) == expected

    same()


@pytest.mark.parametrize("name", ["pytest", "pytest_options", "pytest_v2"])
def test_logs_are_read_as_there_before_version_5(swebench, name):
    theirs = getattr(swebench(OLD, "swebench.harness.log_parsers.python"), f"parse_log_{name}")
    ours = PARSERS[f"old-{name.replace('_', '-')}"]

    @given(log=LOGS)
    def same(log):
        expected = None
        with contextlib.suppress(IndexError):
            expected = theirs(log, None)
        assume(expected is not None)
        assert ours(log) == expected

    same()


def test_each_repository_has_its_parser(swebench):
    module = swebench(NEW, "swebench.harness.log_parsers.python")
    for repo, parser in module.MAP_REPO_TO_PARSER_PY.items():
        (name,) = {
            name for name, value in vars(module).items() if value is parser and name == parser.__name__
        }
        assert SPECS[repo].parser == name.removeprefix("parse_log_").replace("_", "-")
    for name in swebench(NEW, "swebench.harness.log_parsers").PARSER_REGISTRY:
        known = spec_of_parser(name)
        assert (known is not None) == hasattr(module, name)
        if known is not None:
            assert f"parse_log_{known.parser.replace('-', '_')}" == getattr(module, name).__name__


def test_commands_and_variables_are_theirs(swebench):
    specs = swebench(OLD, "swebench.harness.constants.python").MAP_REPO_VERSION_TO_SPECS_PY
    compared = 0
    for repo in SPECS:
        for version, theirs in specs[repo].items():
            ours = spec_of(repo, version)
            exported = dict(re.findall(r"export (\w+)=(\S+)", "\n".join(theirs.get("eval_commands", ()))))
            assert exported.items() <= ours.variables.items()
            set_before, _, command = theirs["test_cmd"].rpartition("' ")
            assert command == ours.command
            assert all(
                f"{name}='{value}" in set_before
                for name, value in ours.variables.items()
                if name == "PYTHONWARNINGS"
            )
            compared += 1
    assert compared == sum(len(specs[repo]) for repo in SPECS) > 200
    assert tuple(swebench(NEW, "swebench.harness.constants").NON_TEST_EXTS) == NO_TESTS


@pytest.mark.parametrize("namespace", ["swebench", "mine", ""])
def test_images_have_the_names_that_it_gives_them(swebench, namespace):
    kind = swebench(NEW, "swebench.image_builder.image_spec").ImageSpec
    row = SweRow(instance_id="Pylint-dev__pylint-1", patch="", test_patch="", FAIL_TO_PASS=[])
    theirs = kind(row.instance_id, "FROM scratch", namespace or None, "v3").name
    assert SweBench(namespace=namespace, tag="v3").image(row) == theirs


def harness(rule, fail_to_pass, pass_to_pass):
    return Harness(
        name="swebench",
        script="",
        parser="pytest",
        rule=rule,
        fail_to_pass=fail_to_pass,
        pass_to_pass=pass_to_pass,
    )


REQUIRED = st.lists(st.sampled_from(TESTS), max_size=3)


@pytest.mark.parametrize(("version", "rule"), [(NEW, "swe-bench"), (OLD, "swe-bench-4")])
def test_statuses_are_scored_as_there(swebench, version, rule):
    grading = swebench(version, "swebench.harness.grading")
    statuses = st.dictionaries(
        NAMES, st.sampled_from(["PASSED", "FAILED", "SKIPPED", "ERROR", "XFAIL"]), max_size=5
    )

    @given(seen=statuses, fail_to_pass=REQUIRED, pass_to_pass=REQUIRED)
    @settings(max_examples=200)
    def same(seen, fail_to_pass, pass_to_pass):
        gold = {"FAIL_TO_PASS": fail_to_pass, "PASS_TO_PASS": pass_to_pass}
        report = grading.get_eval_tests_report(seen, gold)
        resolved = grading.get_resolution_status(report) == grading.ResolvedStatus.FULL.value
        assert (not list(RULES[rule](harness(rule, fail_to_pass, pass_to_pass), seen))) == resolved

    same()


@pytest.mark.parametrize(("version", "rule"), [(NEW, "swe-bench"), (OLD, "swe-bench-4")])
def test_a_run_is_scored_as_there(swebench, tmp_path, version, rule):
    grading = swebench(version, "swebench.harness.grading")
    file = tmp_path / "test_output.txt"
    parser = "pytest" if version == NEW else "old-pytest"

    @given(output=LOGS, exit_code=st.sampled_from([0, 1, None]), fail_to_pass=REQUIRED, pass_to_pass=REQUIRED)
    @settings(max_examples=150)
    def same(output, exit_code, fail_to_pass, pass_to_pass):
        code = f">>>>> Test Exit Code: {exit_code}\n" if exit_code is not None and version == NEW else ""
        file.write_text(f"+ : '{START}'\n+ pytest\n{output}\n+ : '{END}'\n{code}")
        spec = SimpleNamespace(
            instance_id="a", repo="pallets/flask", version="2.0", log_parser="parse_log_pytest", eval_type="pass_and_fail",
            FAIL_TO_PASS=fail_to_pass, PASS_TO_PASS=pass_to_pass,
        )  # fmt: skip
        prediction = {"instance_id": "a", "model_patch": "diff"}
        report = grading.get_eval_report(spec, prediction, file, include_tests_status=False)
        ours = harness(rule, fail_to_pass, pass_to_pass).model_copy(update={"parser": parser})
        assert score(ours, output, exit_code).resolved == report["a"]["resolved"]

    same()
