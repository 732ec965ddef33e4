import gc
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from debug_gym.cli import main
from debug_gym.report.load import load
from debug_gym.store.records import Run
from debug_gym.store.validations import read_validations

COMMAND = [sys.executable, "-m", "debug_gym"]
PATIENT = """
import time
from debug_gym.agents.base import Agent, Decision
from debug_gym.episode import ToolCall


class Patient(Agent):
    "Thinks before each step, and knows the fix in every other attempt."

    name = "patient"

    def __init__(self, seconds=0.1):
        self.seconds = seconds

    def start(self, briefing):
        fix = "sed -i s/-/+/ calc.py" if briefing.seed % 2 == 0 else "true"
        commands = ["ls", "cat calc.py", fix]
        self.calls = [ToolCall(name="bash", arguments={"command": command}) for command in commands]
        self.calls.append(ToolCall(name="submit"))

    def act(self, observation):
        time.sleep(self.seconds)
        return Decision(self.calls.pop(0))
"""


@pytest.fixture
def cli(monkeypatch, capsys):
    """Call the command in this process; gives the exit code and what it wrote."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["debug-gym", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def calc(calc, tmp_path):
    patch = "--- a/calc.py\n+++ b/calc.py\n@@ -2 +2 @@\n-    return a - b\n+    return a + b\n"
    (tmp_path / "fix.diff").write_text(patch)
    return calc


@pytest.fixture
def start(tmp_path, calc):
    """Start ``debug-gym run`` with the agent ``patient``, which another package provides."""
    plugin = tmp_path / "plugin"
    facts = plugin / "patient-1.dist-info"
    facts.mkdir(parents=True)
    (plugin / "patient.py").write_text(PATIENT)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: patient\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[debug_gym.agents]\npatient = patient:Patient\n")
    running = []

    def begin(output, *arguments):
        command = [
            *COMMAND,
            "run",
            "repo",
            "--path",
            calc,
            "--agent",
            "patient",
            "--output",
            output,
            *arguments,
        ]
        process = subprocess.Popen(
            list(map(str, command)),
            env={**os.environ, "PYTHONPATH": f"{plugin}:{os.environ.get('PYTHONPATH', '')}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(process, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def finish(process):
    """Wait for the end; the exit code and the output."""
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


def outcomes(folder):
    return [
        (item.task, item.attempt, item.seed, item.status, item.steps) for item in Run.open(folder).results()
    ]


# -- runs ------------------------------------------------------------------------------


def test_a_run_prints_each_episode_a_summary_and_where_it_is_stored(cli, calc, tmp_path):
    out = tmp_path / "out"
    options = (
        "-b",
        f"gold_patch={tmp_path / 'fix.diff'}",
        "--path",
        calc,
        "--problem",
        "sum: wrong",
        "-k",
        2,
    )
    code, text, errors = cli("run", "repo", *options, "--agent", "oracle", "--output", out, "--workers", 1)
    assert (code, errors) == (0, "starting the sandbox\n")
    assert "[1/2] calc #1: resolved, 2 steps, " in text
    assert "2/2 resolved" in text
    assert "resolved 2/2 (100.0%), 2.0 steps on average" in text
    assert f"stored in {out}" in text
    stored = json.loads((out / "config.json").read_text())["config"]
    assert stored["benchmark_options"]["problem"] == "sum: wrong"
    assert stored["attempts"] == 2


def test_settings_come_from_a_file_and_the_command_line(cli, calc, tmp_path):
    file = tmp_path / "night.yaml"
    file.write_text(
        f"benchmark: repo\nbenchmark_options: {{path: {calc}}}\nagent: random\nmax_steps: 9\ntools: [view]\n"
    )
    out = tmp_path / "out"
    code, text, _ = cli("run", "-c", file, "-c", "max_steps=2", "-o", "seed=3", "--output", out)
    assert code == 0
    assert "unresolved, 2 steps" in text
    config = json.loads((out / "config.json").read_text())["config"]
    assert (config["max_steps"], config["tools"], config["agent_options"]) == (2, ["view"], {"seed": 3})


def test_a_run_whose_tests_pytest_could_run_says_so(cli, tmp_path):
    (tmp_path / "sums").mkdir()
    (tmp_path / "sums/test_sums.py").write_text(
        "import unittest\n\n\nclass Sums(unittest.TestCase):\n    def test_add(self):\n        self.assertEqual(1, 2)\n"
    )
    options = ("--path", tmp_path / "sums", "--test-command", "python -m unittest", "-a", "random")
    code, text, _ = cli("run", "repo", *options, "--output", tmp_path / "out", "-c", "max_steps=1")
    assert code == 0
    assert "Pytest runs unittest's tests too" in text
    refused = ("--path", tmp_path / "sums", "--test-command", "A=b pytest", "-a", "random")
    code, _, errors = cli("run", "repo", *refused, "--output", tmp_path / "other")
    assert code == 2
    assert "'A=b' cannot be run: write  bash -c" in errors


def test_an_infrastructure_error_gives_exit_code_1(cli, calc, tmp_path):
    code, text, _ = cli("run", "repo", "--path", calc, "--agent", "oracle", "--output", tmp_path / "out")
    assert code == 1
    assert "1 ended in an infrastructure error, such as: calc has no gold patch" in text
    assert "1 attempt left: the same command again resumes the run" in text


def test_a_killed_run_is_completed_by_the_same_command(start, tmp_path):
    out = tmp_path / "out"
    options = ("--attempts", 5, "--workers", 2)
    first = start(out, *options)
    wait_for(first, lambda: len(lines(out / "results.jsonl")) >= 2)
    first.kill()
    finish(first)
    kept = lines(out / "results.jsonl")
    assert 2 <= len(kept) < 5
    code, text = finish(start(out, *options))
    assert code == 0, text
    assert f"{len(kept)} already finished" in text
    assert set(kept) <= set(lines(out / "results.jsonl"))
    assert len(lines(out / "results.jsonl")) == 5
    fixed = ["resolved", "unresolved", "resolved", "unresolved", "resolved"]
    assert outcomes(out) == [("calc", attempt, attempt, fixed[attempt], 4) for attempt in range(5)]
    for attempt in range(5):
        assert len(Run.open(out).trajectory("calc", attempt).steps) == 4
    assert len(lines(out / "predictions.jsonl")) == 1


def test_ctrl_c_stops_with_130_and_the_same_command_resumes(start, tmp_path):
    out = tmp_path / "out"
    options = ("--attempts", 3, "--workers", 1)
    process = start(out, *options)
    wait_for(process, lambda: len(lines(out / "results.jsonl")) >= 1)
    os.killpg(process.pid, signal.SIGINT)
    code, text = finish(process)
    assert code == 130, text
    assert "stopping: nothing new is started" in text
    assert "the same command again resumes the run" in text
    assert "Traceback" not in text
    assert 1 <= len(outcomes(out)) < 3
    code, text = finish(start(out, *options))
    assert code == 0, text
    assert [item[1] for item in outcomes(out)] == [0, 1, 2]


def test_a_second_ctrl_c_ends_at_once(start, tmp_path):
    out = tmp_path / "out"
    process = start(out, "-o", "seconds=60")
    wait_for(process, lambda: lines(out / "trajectories" / "calc.0.jsonl"))
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    code, text = finish(process)
    assert code == 130, text
    assert time.monotonic() - began < 20  # it would sleep for 60
    assert "Traceback" not in text


# -- what is wrong with the input ---------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("run", "nightmare", "-a", "random"),
            "there is no benchmark named 'nightmare': did you mean 'nightmares'?",
        ),
        (
            ("run", "repo", "-a", "rndom", "--path", "."),
            "there is no agent named 'rndom': did you mean 'random'?",
        ),
        (("run", "repo", "-a", "random"), "the benchmark 'repo' needs the option 'path'"),
        (("run", "repo", "-a", "random", "--path", "no/such"), "path: no/such is not a folder"),
        (("run", "repo", "--path", "."), "debug-gym list agents shows them"),
        (("run", "repo", "-a", "random", "--path", ".", "-c", "max_stepz=1"), "did you mean 'max_steps'?"),
        (("run", "repo", "-a", "random", "--path", ".", "-c", "no.yaml"), "no.yaml: No such file"),
        (
            ("run", "repo", "-a", "random", "--path", ".", "--max-steps", "0"),
            "max_steps: input should be greater",
        ),
        (("run", "repo", "-a", "random", "--path", ".", "-o", "seed"), "--agent-option takes key=value"),
        (("run", "repo", "-a", "random", "--path", ".", "--tools", "viev"), "did you mean 'view'?"),
        (("run", "repo", "-a", "random", "--path", ".", "--sandbox", "proces"), "did you mean 'process'?"),
        (("run", "repo", "-a", "llm", "--path", "."), "the agent 'llm' needs a model"),
        (("run", "repo", "-a", "random", "--path", ".", "-t", "nope"), "there is no task named 'nope'"),
        (("list", "benchmark"), "did you mean 'benchmarks'?"),
        (("validate", "repo"), "the benchmark 'repo' needs the option 'path'"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(cli, monkeypatch, calc, arguments, message):
    monkeypatch.chdir(calc)
    code, out, errors = cli(*arguments)
    assert (code, out) == (2, "")
    assert message in errors
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert not (calc / "runs").exists()


def test_an_unknown_option_gives_exit_code_2(cli):
    code, _, errors = cli("run", "repo", "--stepz", "3")
    assert code == 2
    assert "--stepz" in errors


def test_a_folder_with_another_run_is_refused(cli, calc, tmp_path):
    options = ("run", "repo", "--path", calc, "-a", "random", "--tools", "view", "--output", tmp_path / "out")
    assert cli(*options, "--max-steps", 1)[0] == 0
    code, _, errors = cli(*options, "--max-steps", 2)
    assert code == 2
    assert "holds a run with max_steps = 1, not 2" in errors


# -- the other commands ---------------------------------------------------------------------


def test_list_shows_every_kind_as_tab_separated_lines(cli):
    code, text, _ = cli("list")
    rows = [line.split("\t") for line in text.splitlines()]
    assert code == 0
    assert {row[0] for row in rows} == {"benchmark", "agent", "model", "tool", "runner", "sandbox"}
    assert all(len(row) == 3 and row[2] and "cannot be loaded" not in row[2] for row in rows)
    assert ["sandbox", "namespace"] in [row[:2] for row in rows]


def test_lists_are_json_for_programs(cli):
    _, text, _ = cli("list", "agents", "--json")
    assert {"kind", "name", "description"} == set(json.loads(text)[0])
    _, text, _ = cli("list", "nightmares", "--limit", "2", "--json")
    assert [set(row) for row in json.loads(text)] == [{"task", "category", "problem"}] * 2
    code, text, _ = cli("doctor", "--json")
    probed = json.loads(text)
    assert code == int(not any(probe["guarantees"]["files"] for probe in probed.values()))
    assert probed["process"]["works"]


def test_list_shows_the_card_beside_the_tasks(cli):
    code, text, err = cli("list", "nightmares", "--limit", "2", "--shuffle", "1")
    assert (code, len(text.splitlines())) == (0, 2)
    assert "version: 2\nsource: part of debug-gym\nlicence: " in err


def test_the_tasks_of_all_benchmarks_are_listed(cli):
    code, text, errors = cli("list", "tasks")
    assert "not fetched yet: " in errors
    assert "swe-bench-verified" in errors
    rows = [line.split("\t") for line in text.splitlines()]
    assert code == 0
    assert len(rows) >= 24 and {len(row) for row in rows} == {4}
    assert ["nightmares", "meter-days"] in [row[:2] for row in rows]


def test_list_shows_the_tasks_of_a_benchmark(cli, calc):
    code, text, _ = cli("list", "repo", "-b", f"path={calc}", "-b", "problem=Sums are wrong. Always.")
    assert (code, text) == (0, "calc\t\tSums are wrong.\n")


def test_what_an_ascii_terminal_cannot_show_is_replaced():
    variables = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*COMMAND, "list", "gr\u00f6\u00dfe"], env=variables, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"named 'gr??e'" in done.stderr


def test_a_server_that_is_not_there_is_nothing_that_was_typed_wrong(cli, calc, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    model = ("-a", "llm", "--model", "m", "--base-url", "http://127.0.0.1:1/v1")
    code, _, errors = cli("run", "repo", "--path", calc, *model, "--output", tmp_path / "out")
    assert code == 1
    assert "cannot reach http://127.0.0.1:1/v1" in errors
    assert not (tmp_path / "out").exists()


def test_validate_proves_a_task(cli, calc, tmp_path):
    options = ("validate", "repo", "-b", f"path={calc}", "--repeats", "2", "-o", tmp_path / "kept")
    code, text, _ = cli(*options)
    assert code == 1
    assert "calc: it has no gold patch" in text
    code, text, _ = cli(*options, "-b", f"gold_patch={tmp_path / 'fix.diff'}", "--baselines")
    assert code == 0
    assert "2/2" in text
    assert "1/1 tasks are sound" in text
    kept = read_validations(tmp_path / "kept")
    [task] = kept.tasks
    assert (task.task, task.problems, task.resolved, task.lines) == ("calc", (), 2, 2)
    assert {run.agent for run in load([tmp_path / "kept"])} == {"repair", "random"}
    assert "repair solves" in text and "difficulty" in text
    page = tmp_path / "report.html"
    assert cli("report", tmp_path / "kept", "-o", page)[1] == f"2 runs and 1 validation in {page}\n"
    assert "Quality of repo" in page.read_text()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_doctor_says_what_works_and_what_is_promised(cli):
    code, text, _ = cli("doctor")
    gc.collect()  # the docker package leaves a socket that it cannot connect to the garbage collector
    assert code == 0
    assert "namespace works" in text
    assert "reaches no network" in text
    assert "process" in text


def test_version_and_help(cli):
    assert cli("--version")[1].startswith("debug-gym 0.")
    code, text, _ = cli("run", "--help")
    assert code == 0
    assert "debug-gym run nightmares --agent repair" in text


def test_the_command_starts_without_heavy_imports():
    program = "import sys, debug_gym.cli; print({'openai', 'docker', 'torch'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_checkout_that_is_not_installed_plays(calc, tmp_path):
    """Its packages are there, its own metadata is not: as after ``git clone`` in another project's environment."""
    hide = (
        "import importlib.metadata as metadata, runpy, sys\n"
        "found = metadata.Distribution.from_name\n"
        "def gone(name):\n"
        "    if name.replace('_', '-') == 'debug-gym':\n"
        "        raise metadata.PackageNotFoundError(name)\n"
        "    return found(name)\n"
        "metadata.Distribution.from_name = gone\n"
        "runpy.run_module('debug_gym', run_name='__main__')\n"
    )
    wanted = ["run", "repo", "--path", str(calc), "--agent", "random", "--max-steps", "1", "--workers", "1"]
    command = [sys.executable, "-c", hide, *wanted, "--output", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(Run.open(tmp_path / "run").results()) == 1


def test_a_cache_that_is_no_folder_is_named_as_such(calc, tmp_path):
    (tmp_path / "file").touch()
    done = subprocess.run(
        [*COMMAND, "validate", "repo", "-b", f"path={calc}"],
        env={**os.environ, "DEBUG_GYM_CACHE": str(tmp_path / "file/cache")},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    *_, said = done.stderr.splitlines()
    assert said.startswith("error: the cache cannot be written: ")
    assert "Not a directory" in said and "set DEBUG_GYM_CACHE" in said and "Docker" not in said
    assert done.returncode == 1


@pytest.mark.parametrize("command", [("run", "-a", "random"), ("validate",), ("audit",)])
def test_a_full_cache_disk_is_named_as_such(calc, tmp_path, command):
    (calc / "data.bin").write_bytes(b"x" * 300_000)
    disk = tmp_path / "disk"
    disk.mkdir()
    name, *options = command
    mount = f'mount -t tmpfs -o size=200k none {disk} && exec "$@"'
    gym = [*COMMAND, name, "repo", *options, "-b", f"path={calc}"]
    done = subprocess.run(
        ["unshare", "--mount", *(["--map-root-user"] * (os.getuid() != 0)), "sh", "-c", mount, "sh", *gym],
        env={**os.environ, "DEBUG_GYM_CACHE": str(disk)},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    if "mount" in done.stderr:
        pytest.skip("no file system may be mounted here")
    *_, said = done.stderr.splitlines()
    assert said.startswith("error: the cache cannot be written: ")
    assert "No space left on device: make room there, or set DEBUG_GYM_CACHE" in said
    assert done.returncode == 1
