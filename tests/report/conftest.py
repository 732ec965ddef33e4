"""Runs on disk, written as debug-gym writes them, with whatever results a test wants."""

from functools import partial

import pytest

from debug_gym.episode import HarnessVerdict, ModelReply, Observation, RequestedCall, Step, ToolCall, Verdict
from debug_gym.store.records import End, Manifest, Result, Start
from debug_gym.store.writer import RunWriter


@pytest.fixture
def store_run(store_run_in, tmp_path):
    """``store_run("name", {"task": "10!-"}, **config)``: see ``store_run_in``; the folder is the test's own."""
    return partial(store_run_in, tmp_path)


@pytest.fixture(scope="session")
def store_run_in():
    """``store_run_in(folder, "name", {"task": "10!-"}, **config)``: a run with these attempts; gives its folder.

    Attempts: ``1`` resolved, ``0`` not resolved, ``!`` infrastructure error, ``c`` cheated, ``u`` resolved
    without a bound on forging, ``h`` resolved for the benchmark's harness alone, ``.`` begun but not over, ``-`` not begun. ``steps`` are those of every attempt.
    """

    def store(folder, name, tasks, *, steps=(), usage=None, benchmark="demo", version="1", **config):
        attempts = max(map(len, tasks.values()))
        config = {"benchmark": benchmark, "agent": "llm", "attempts": attempts, **config}
        manifest = Manifest(config=config, benchmark_version=version, tasks=tuple(tasks))
        with RunWriter.begin(folder / name, manifest) as writer:
            for task, marks in tasks.items():
                for number, mark in enumerate(marks):
                    if mark != "-":
                        _attempt(writer, config, task, number, mark, steps=steps, usage=usage or {})
        return folder / name

    return store


def _attempt(writer, config, task, number, mark, *, steps, usage):
    start = Start(
        task=task,
        benchmark=config["benchmark"],
        agent=config["agent"],
        attempt=number,
        seed=number,
        first_observation="Something is wrong.",
    )
    file = writer.episode(task, number)
    for line in (start, *steps):
        file.write(line)
    if mark != ".":
        end = _end(mark)
        file.write(end)
        verdict = end.verdict or Verdict(resolved=False)
        writer.add(
            Result(
                task=task,
                attempt=number,
                seed=number,
                status=end.status,
                ending=end.ending,
                steps=len(steps),
                seconds=end.seconds,
                fail_to_pass=verdict.fail_to_pass,
                pass_to_pass=verdict.pass_to_pass,
                reason=verdict.reason or end.error,
                cheating=len(verdict.cheating),
                harness=verdict.harness.resolved if verdict.harness else None,
                controls=verdict.controls,
                odds=verdict.odds,
                usage=usage,
            )
        )
    file.close()


def _end(mark):
    if mark == "!":
        return End(status="error", ending="error", error="the sandbox died", seconds=1.0)
    resolved = mark in "1u"
    verdict = Verdict(
        resolved=resolved,
        expected={"test_a.py::test_one": "passed", "test_a.py::test_two": "passed"},
        seen={"test_a.py::test_one": "passed", "test_a.py::test_two": "passed" if resolved else "failed"},
        fail_to_pass=float(resolved),
        pass_to_pass=1.0,
        changed=("a.py",),
        rejected=("conftest.py: it decides how tests run",),
        cheating=("test_one passes in a control too",) if mark == "c" else (),
        controls=0 if mark == "u" else 3,
        odds=1.0 if mark == "u" else 0.125,
        harness=HarnessVerdict(name="swebench", resolved=True) if mark in "1h" else None,
        reason="" if resolved else "1 of 2 required tests does not pass",
        output="2 passed\n",
    )
    return End(
        status="resolved" if resolved else "unresolved",
        ending="terminated",
        verdict=verdict,
        patch=DIFF,
        seconds=2.0,
        replies=(ModelReply(text="I give up.", finish_reason="length", remark="There was no tool call."),),
    )


DIFF = (
    "--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n # end\n"
)


def step(index, name, arguments, text, data=None, **more):
    """One step of a trajectory."""
    return Step(
        index=index,
        call=ToolCall(name=name, arguments=arguments),
        observation=Observation(text=text, data=data or {}, error=more.pop("error", False)),
        reward=0.0,
        terminated=False,
        truncated=False,
        seconds=0.25,
        **more,
    )


STOP = """started test_a.py::test_one, to stop at a breakpoint or failure
breakpoint 1 at a.py:2 in add
   1      def add(a, b):
   2 B->      return a - b
   3
   4      # end
(1, 2)"""


VIEWED = """a.py: lines 1-4 of 4
B> 1\tdef add(a, b):
   2\t    '''Not "if
   3\t    for" but one.''' # why
   4\t    return f"{a}" == 1"""


@pytest.fixture(scope="session")
def story():
    """The steps of an episode with something of everything."""
    one, two = "test_a.py::test_one", "test_a.py::test_two"
    said = ModelReply(
        text="I wonder.", reasoning="Hm.", finish_reason="stop", remark="There was no tool call."
    )
    broken = ModelReply(calls=(RequestedCall("view", '{"path": '),), remark="not valid JSON")
    asked = {"replies": (said, broken, ModelReply(text="", finish_reason="tool_calls"))}
    used = {"usage": {"input_tokens": 100, "output_tokens": 10, "dollars": 0.5, "seconds": 1.5}}
    return [
        step(0, "listdir", {"depth": 2}, "./\n  a.py", {"path": "."}, thought="Let me look.", **used),
        step(1, "view", {"path": "a.py"}, VIEWED, {"path": "a.py"}, **asked),
        step(
            2,
            "eval",
            {},
            "1 failed, 1 passed of 2\nfailed: " + two + " - assert 1 == 2\nsome output",
            {"outcomes": {one: "passed", two: "failed"}},
        ),
        step(
            3,
            "pdb",
            {"command": "b a.py:2\nc ;; p a, b\nx = 1"},
            STOP,
            {"stop": {"file": "a.py", "line": 2, "function": "add", "reason": "breakpoint 1"}},
        ),
        step(
            4,
            "rewrite",
            {"path": "a.py", "start": 2, "end": 2, "content": "    return a + b"},
            "a.py: changed, 1 line added, 1 removed\n" + DIFF,
            {"path": "a.py", "diff": DIFF, "syntax_error": ""},
            **used,
        ),
        step(5, "bash", {"command": "rm nothing"}, "[exit code 1]", {"exit_code": 1}),
        step(6, "view", {"path": "b.py"}, "there is no file b.py", error=True),
        step(7, "eval", {}, "2 passed of 2", {"outcomes": {one: "passed", two: "passed"}}),
        step(8, "submit", {}, "submitted: the episode ends here and the changes are judged"),
    ]
