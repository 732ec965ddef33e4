import json
import subprocess
import sys

import pytest

from debug_gym.episode import Observation, Step, ToolCall, Verdict
from debug_gym.errors import ConfigError, DebugGymError, UnknownNameError
from debug_gym.store.records import End, Manifest, Result, Run, Start
from debug_gym.store.writer import RunWriter, StorageError

CONFIG = {"benchmark": "b", "agent": "a", "model": None, "attempts": 2, "max_steps": 5, "workers": 1}
CONFIG["agent_options"] = {"window": 3}


def manifest(tasks=("one", "two"), benchmark_version="1", **changes):
    return Manifest(config={**CONFIG, **changes}, benchmark_version=benchmark_version, tasks=tasks)


def result(task="one", attempt=0, status="resolved", **fields):
    fields = {"seed": attempt, "ending": "terminated", "steps": 1, "seconds": 0.5, **fields}
    return Result(task=task, attempt=attempt, status=status, **fields)


def step(index):
    return Step(
        index=index,
        call=ToolCall(name="view", arguments={"path": "é.py"}),
        observation=Observation(text="line\n", data={"n": index}),
        reward=0.0,
        terminated=False,
        truncated=False,
        seconds=0.1,
    )


def play(writer, task="one", attempt=0, patch="--- a\n"):
    file = writer.episode(task, attempt)
    file.write(Start(task=task, benchmark="b", agent="a", attempt=attempt, seed=0, first_observation="hello"))
    file.write(step(0))
    verdict = Verdict(resolved=True, fail_to_pass=1.0)
    file.write(
        End(
            status="resolved",
            ending="terminated",
            verdict=verdict,
            patch=patch,
            stop_reason="tired",
            usage={"input_tokens": 5.0},
            seconds=0.5,
        )
    )
    file.close()
    writer.add(result(task, attempt))


def test_what_was_written_can_be_read(tmp_path):
    with RunWriter.begin(tmp_path / "deep" / "run", manifest()) as writer:
        play(writer, "two")
        play(writer, "one", 1)
        play(writer, "one", 0)
    run = Run.open(tmp_path / "deep" / "run")
    assert [item.key for item in run.results()] == [("one", 0), ("one", 1), ("two", 0)]
    assert run.manifest.tasks == ("one", "two")
    assert run.manifest.total == 4
    assert set(run.manifest.versions) == {"debug_gym", "python", "platform"}
    trajectory = run.trajectory("two")
    assert trajectory.steps == (step(0),)
    assert trajectory.first_observation == "hello"
    assert trajectory.verdict.resolved
    assert (trajectory.stop_reason, trajectory.usage) == ("tired", {"input_tokens": 5.0})
    assert run.end("two").patch == "--- a\n"


def test_every_line_is_on_disk_before_the_episode_ends(tmp_path):
    with RunWriter.begin(tmp_path, manifest()) as writer:
        file = writer.episode("one", 0)
        file.write(Start(task="one", benchmark="b", agent="a", attempt=0, seed=0))
        file.write(step(0))
        seen = Run.open(tmp_path).trajectory("one")
        file.close()
    assert seen.steps == (step(0),)
    assert seen.verdict is None
    assert Run.open(tmp_path).end("one") is None
    assert Run.open(tmp_path).results() == []


def test_a_torn_last_line_is_ignored_and_gone_after_resuming(tmp_path):
    with RunWriter.begin(tmp_path, manifest()) as writer:
        play(writer)
    for file in (tmp_path / "results.jsonl", tmp_path / "trajectories" / "one.0.jsonl"):
        with file.open("ab") as stream:
            stream.write(b'{"task": "tw')
    assert [item.key for item in Run.open(tmp_path).results()] == [("one", 0)]
    assert Run.open(tmp_path).trajectory("one").verdict.resolved
    with RunWriter.begin(tmp_path, manifest()) as writer:
        play(writer, "two")
    lines = (tmp_path / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["task"] for line in lines] == ["one", "two"]


def test_resuming_keeps_results_and_drops_errors(tmp_path):
    with RunWriter.begin(tmp_path, manifest()) as writer:
        play(writer, "one")
        writer.add(result("two", status="error", reason="no memory"))
    assert [item.status for item in Run.open(tmp_path).results()] == ["resolved", "error"]
    with RunWriter.begin(tmp_path, manifest()) as writer:
        assert [item.key for item in writer.run.results()] == [("one", 0)]
        writer.add(result("two", status="unresolved"))
    assert [item.status for item in Run.open(tmp_path).results()] == ["resolved", "unresolved"]


def test_a_result_without_its_trajectory_is_played_again(tmp_path):
    with RunWriter.begin(tmp_path, manifest()) as writer:
        for task, attempt in (("one", 0), ("one", 1), ("two", 0), ("two", 1)):
            play(writer, task, attempt)
    torn, empty, gone = (
        (tmp_path / "trajectories" / name) for name in ("one.0.jsonl", "one.1.jsonl", "two.0.jsonl")
    )
    torn.write_bytes(torn.read_bytes()[:-1])
    empty.write_bytes(b"")
    gone.unlink()
    with RunWriter.begin(tmp_path, manifest()) as writer:
        assert [item.key for item in writer.run.results()] == [("two", 1)]


@pytest.mark.parametrize("name", ["results.jsonl", "trajectories/two.0.jsonl"])
def test_a_last_line_cut_at_any_byte_is_an_attempt_to_play_again(tmp_path, name):
    with RunWriter.begin(tmp_path, manifest()) as writer:
        play(writer, "one")
        play(writer, "two")
    results, text = (tmp_path / "results.jsonl").read_bytes(), (tmp_path / name).read_bytes()
    for cut in range(text.rfind(b"\n", 0, -1) + 1, len(text)):
        (tmp_path / "results.jsonl").write_bytes(results)
        (tmp_path / name).write_bytes(text[:cut])
        with RunWriter.begin(tmp_path, manifest()) as writer:
            assert [item.key for item in writer.run.results()] == [("one", 0)]
    with RunWriter.begin(tmp_path, manifest()) as writer:
        play(writer, "two")
        assert [item.key for item in writer.run.results()] == [("one", 0), ("two", 0)]


def test_a_new_try_replaces_the_trajectory(tmp_path):
    with RunWriter.begin(tmp_path, manifest()) as writer:
        file = writer.episode("one", 0)
        for line in (Start(task="one", benchmark="b", agent="a", attempt=0, seed=0), step(0), step(1)):
            file.write(line)
        file.close()
        play(writer)
    assert len(Run.open(tmp_path).trajectory("one").steps) == 1


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (manifest(max_steps=6), r"max_steps = 5, not 6"),
        (manifest(agent_options={"window": 4}), r"agent_options.window = 3, not 4"),
        (manifest(agent_options={"history": 1}), r"agent_options.history = None, not 1"),
        (manifest(extra=1), r"extra = None, not 1"),
        (manifest(benchmark_version="2"), r"another state of the benchmark"),
        (manifest(tasks=("one",)), r"another state of the benchmark"),
        (manifest().model_copy(update={"versions": {"debug_gym": "9"}}), r"begun with debug-gym \d"),
    ],
)
def test_another_configuration_is_refused_with_the_key_that_differs(tmp_path, other, message):
    with RunWriter.begin(tmp_path, manifest()) as writer:
        writer.add(result())
    with pytest.raises(ConfigError, match=message):
        RunWriter.begin(tmp_path, other)
    assert len(Run.open(tmp_path).results()) == 1
    RunWriter.begin(tmp_path, manifest()).close()  # the refused one holds no lock


def test_inert_keys_may_differ(tmp_path):
    RunWriter.begin(tmp_path, manifest()).close()
    RunWriter.begin(tmp_path, manifest(workers=8), inert={"workers"}).close()
    assert Run.open(tmp_path).manifest.config["workers"] == 1


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match="is not empty and holds no run"):
        RunWriter.begin(tmp_path, manifest())
    with pytest.raises(ConfigError, match=r"Not a directory|File exists"):
        RunWriter.begin(tmp_path / "thesis.tex", manifest())
    assert [item.name for item in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema_version": 1}'])
def test_a_folder_without_a_run_cannot_be_opened(tmp_path, text):
    with pytest.raises(ConfigError, match="there is no run in"):
        Run.open(tmp_path)
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ConfigError, match=r"is not the config\.json of a run"):
        Run.open(tmp_path)


def test_a_newer_format_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"schema_version": 99}')
    with pytest.raises(ConfigError, match="newer debug-gym"):
        Run.open(tmp_path)


def test_a_missing_trajectory_names_the_nearest(tmp_path):
    with RunWriter.begin(tmp_path, manifest()) as writer:
        play(writer)
    with pytest.raises(UnknownNameError, match=r"did you mean 'one\.0'"):
        Run.open(tmp_path).trajectory("onne")


def test_a_file_damaged_in_the_middle_is_named(tmp_path):
    with RunWriter.begin(tmp_path, manifest()) as writer:
        play(writer)
    file = tmp_path / "trajectories" / "one.0.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"kind":"step"', b'"kind":"ste'))
    with pytest.raises(DebugGymError, match=r"one\.0\.jsonl is damaged in line \d"):
        Run.open(tmp_path).trajectory("one")


def test_predictions_have_one_file_for_each_attempt_and_no_errors(tmp_path):
    with RunWriter.begin(tmp_path, manifest(model="m")) as writer:
        play(writer, "one", 0, patch="p10")
        play(writer, "two", 0, patch="p20")
        play(writer, "one", 1, patch="p11")
        writer.add(result("two", 1, status="error"))
        writer.write_predictions()
    first = [json.loads(line) for line in (tmp_path / "predictions.jsonl").read_text().splitlines()]
    second = [json.loads(line) for line in (tmp_path / "predictions.1.jsonl").read_text().splitlines()]
    assert [(line["instance_id"], line["model_patch"]) for line in first] == [("one", "p10"), ("two", "p20")]
    assert second == [{"instance_id": "one", "model_name_or_path": "a-m", "model_patch": "p11"}]


def test_a_full_disk_is_said(tmp_path):
    with RunWriter.begin(tmp_path, manifest()) as writer:
        (tmp_path / "results.jsonl").symlink_to("/dev/full")
        (tmp_path / "trajectories" / "one.0.jsonl").symlink_to("/dev/full")
        with pytest.raises(StorageError, match=r"results.jsonl cannot be written: No space left on device"):
            writer.add(result())
        file = writer.episode("one", 0)
        with pytest.raises(StorageError, match=r"one.0.jsonl cannot be written: No space left on device"):
            file.write(step(0))
        file.close()


def test_two_processes_cannot_work_on_one_run(tmp_path):
    program = (
        "import pathlib, sys; from debug_gym.store.records import Manifest as M\n"
        "from debug_gym.store.writer import RunWriter\n"
        "writer = RunWriter.begin(pathlib.Path(sys.argv[1]), M.model_validate_json(sys.argv[2]))\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(tmp_path), manifest().model_dump_json()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ConfigError, match="another debug-gym is working on"):
            RunWriter.begin(tmp_path, manifest())
        other.kill()
    RunWriter.begin(tmp_path, manifest()).close()


def test_damaged_results_are_named(tmp_path):
    with RunWriter.begin(tmp_path, manifest()) as writer:
        play(writer)
    (tmp_path / "results.jsonl").write_text('{"task": "one"}\n{"task": "two"\n')
    with pytest.raises(DebugGymError, match=r"results\.jsonl is damaged in line \d .*: remove it"):
        Run.open(tmp_path).results()
