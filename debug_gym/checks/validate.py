"""Prove that tasks are sound: their tests fail before the gold patch and pass after it, again and again."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from debug_gym.benchmarks.base import Benchmark
from debug_gym.checks.leaks import answers_in_reach
from debug_gym.episode import Verdict
from debug_gym.errors import DebugGymError, TaskError
from debug_gym.judge import judge
from debug_gym.judge.controls.make import check_controls, dump_controls, make_controls
from debug_gym.judge.controls.sample import shuffled
from debug_gym.judge.hidden import revealed
from debug_gym.judge.plan import Trial
from debug_gym.judge.trials import TrialRunner
from debug_gym.runners import runner_of
from debug_gym.runners.pytest import is_pytest
from debug_gym.sandbox import Backend, Changes, TestRun
from debug_gym.store.writer import write_atomically
from debug_gym.task import Task

_FAILING = {"failed", "error", "missing"}
"""Outcomes that count as a failure; ``missing``: the test's file could not even be imported."""


@dataclass(frozen=True)
class Validation:
    """What was found out about one task."""

    task: str
    problems: tuple[str, ...] = ()
    """Sentences; empty: the task is sound."""
    resolved: int = 0
    """How many times in a row the gold patch was judged to resolve it."""
    seconds: float = 0.0
    """Wall-clock time of all checks."""
    controls: int = 0
    """Negative controls in a judgement of the gold patch; 0: this task can have none."""
    odds: float = 1.0
    """Upper bound of the chance to get past them blindly."""
    open_ended: bool = False
    """Nothing can be run that would prove it: there is a question and a reference answer."""
    excluded: tuple[str, ...] = ()
    """Tests that the task itself calls unstable: they do not count."""
    leaks: tuple[str, ...] = ()
    """Those of the problems that tell where an agent can read an answer."""
    unstable: tuple[str, ...] = ()
    """Tests that gave different outcomes with the gold patch."""

    @property
    def sound(self) -> bool:
        """Whether every check passed."""
        return not self.problems


def validate(task: Task, backend: Backend, *, repeats: int = 5) -> Validation:
    """Check one task. What is wrong with it is found and told, not raised.

    With no changes, the judge must see each fail-to-pass test fail and each pass-to-pass test pass. With the
    gold patch, the visible tests must pass where they decide (``Tests.visible_decide``), the judge must say
    resolved, ``repeats`` times in a row, each time with the tests in another order, and so must the
    benchmark's own harness, if it has one; no test may give different outcomes, and every control must fail.
    """
    began = time.monotonic()
    if task.question is not None:
        return _validate_question(task, backend)
    verdicts: list[Verdict] = []
    try:
        task = revealed(task, backend)
        problems = _check_broken(task, backend)
        if task.gold_patch is None and task.gold_script is None:
            problems.append("it has no gold patch, so nothing proves that it can be solved")
        else:
            gold, visible = apply_gold(task, backend)
            if task.tests.visible_decide:  # else the hidden tests may contradict them
                problems += _check_visible(visible)
            problems += _check_ids(task, backend)
            verdicts = [_judge(_reordered(task), gold, backend, harness=not n) for n in range(repeats)]
            problems += _check_fixed(verdicts)
            problems += check_controls(task, gold, backend)
    except DebugGymError as error:
        problems = [str(error)]
    return Validation(
        task.id,
        tuple(problems),
        unstable=tuple(_unstable(verdicts)),
        resolved=sum(verdict.resolved for verdict in verdicts),
        seconds=time.monotonic() - began,
        controls=max((verdict.controls for verdict in verdicts), default=0),
        odds=min((verdict.odds for verdict in verdicts), default=1.0),
        excluded=task.tests.unstable,
    )


def _validate_question(task: Task, backend: Backend) -> Validation:
    """Whether the repository of an open-ended task can be had, and there is something to grade by."""
    began = time.monotonic()
    problems = [] if task.question and task.question.reference.strip() else ["it has no reference answer"]
    try:
        backend.start(task.for_agent()).close()
    except DebugGymError as error:
        problems.append(str(error))
    return Validation(task.id, tuple(problems), seconds=time.monotonic() - began, open_ended=True)


def validate_all(
    tasks: Sequence[Task],
    backend: Backend,
    *,
    repeats: int = 5,
    workers: int = 1,
    search: bool = False,
    on_done: Callable[[Validation], None] = lambda validation: None,
) -> list[Validation]:
    """Check tasks side by side; ``on_done`` is called in this thread for each, in order.

    ``search`` looks for the answers in everything that an agent's sandbox shows, not only in what is its own;
    that takes about a minute for each environment.
    """
    found: list[Validation] = []
    leaks = answers_in_reach(tasks, backend, everywhere=search)
    with ThreadPoolExecutor(workers, thread_name_prefix="validate") as pool:
        try:
            for validation in pool.map(lambda task: validate(task, backend, repeats=repeats), tasks):
                told = tuple(leaks[validation.task])
                validation = replace(validation, problems=(*validation.problems, *told), leaks=told)
                on_done(validation)
                found.append(validation)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def write_controls(
    benchmark: Benchmark,
    tasks: Sequence[Task],
    backend: Backend,
    *,
    on_done: Callable[[str, int], None] = lambda task, count: None,
) -> dict[str, int]:
    """Make the controls of tasks and store them where the benchmark keeps them; task id to their number.
    ``on_done`` is told of each task.

    Raises:
        TaskError: a task has no gold patch, or it does not apply.
    """
    counts = {}
    for task in tasks:
        task = revealed(task, backend)
        controls = make_controls(task, apply_gold(task, backend)[0], backend)
        path = benchmark.controls_file(task.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, dump_controls(controls))
        counts[task.id] = len(controls)
        on_done(task.id, len(controls))
    return counts


def _reordered(task: Task) -> Task:
    """The task with its tests in a random order: in it they run where they share a sandbox."""
    tests = task.tests
    orders = {"fail_to_pass": shuffled(tests.fail_to_pass), "pass_to_pass": shuffled(tests.pass_to_pass)}
    changed = tests.model_copy(update={name: tuple(order) for name, order in orders.items()})
    return task.model_copy(update={"tests": changed})


def _judge(task: Task, changes: Changes, backend: Backend, *, harness: bool = False) -> Verdict:
    unsafe = not backend.guarantees.isolated  # then somebody named it on purpose
    return judge(task, changes, backend, allow_unsafe=unsafe, harness=harness)


def _check_broken(task: Task, backend: Backend) -> list[str]:
    verdict = _judge(task, Changes(), backend)
    problems = ["it counts as resolved with no change at all"] if verdict.resolved else []
    seen = {test: verdict.seen.get(test, "missing") for test in task.tests.required}
    if runner_of(task.tests).selects:  # beside one that never ends, nothing can be seen of the others
        alone = TrialRunner(task, Changes(), backend)
        for test in set(task.tests.pass_to_pass) & seen.keys():
            if seen[test] == "missing":
                seen |= alone.run(Trial((test,))).seen
    problems += [
        f"{test} must fail before the fix, but: {seen[test]}"
        for test in task.tests.fail_to_pass
        if test in seen and seen[test] not in _FAILING
    ]
    problems += [
        f"{test} must pass before the fix, but: {seen[test]}"
        for test in task.tests.pass_to_pass
        if test in seen and seen[test] != "passed"
    ]
    return problems


def _unstable(verdicts: Sequence[Verdict]) -> dict[str, list[str]]:
    """Tests that gave different outcomes, with these."""
    tests = verdicts[0].seen if verdicts else ()
    seen = {test: sorted({verdict.seen[test] for verdict in verdicts}) for test in tests}
    return {test: outcomes for test, outcomes in seen.items() if len(outcomes) > 1}


def _check_fixed(verdicts: Sequence[Verdict]) -> list[str]:
    """What is wrong with the judgements of the gold patch."""
    problems = [
        f"{test} is unstable with the gold patch ({', '.join(outcomes)}): list it as unstable"
        for test, outcomes in _unstable(verdicts).items()
    ]
    theirs = verdicts[0].harness
    if theirs is not None and not theirs.resolved:
        problems.append(f"with the gold patch, {theirs.name} says that it is not resolved: {theirs.reason}")
    for number, verdict in enumerate(verdicts, 1):
        if not verdict.resolved:
            which = f"judgement {number} of {len(verdicts)}"
            problems.append(f"with the gold patch, {which} is not resolved: {verdict.reason}")
            break
    return problems


def apply_gold(task: Task, backend: Backend) -> tuple[Changes, TestRun]:
    """Apply the gold patch (or run the gold script) in a sandbox of its own; give the changes and a run of
    the visible tests.

    Raises:
        TaskError: there is none, it does not apply, or fails.
    """
    if task.gold_patch is None and task.gold_script is None:
        raise TaskError(f"the task {task.id} has no gold patch")
    with backend.start(task.for_agent()) as sandbox:
        if task.gold_patch is not None:
            applied = sandbox.exec(["git", "apply", "-p1", "-"], stdin=task.gold_patch.encode())
        else:
            script = (task.gold_script or "").encode()
            applied = sandbox.exec(["bash", "-s"], stdin=script, timeout=task.tests.timeout)
        if applied.exit_code != 0:
            output = " ".join(applied.output.split())
            what = "patch does not apply" if task.gold_patch is not None else "script fails"
            raise TaskError(f"the gold {what}: {output}")
        gold = sandbox.changes()
        return gold, sandbox.run_tests()


def _check_ids(task: Task, backend: Backend) -> list[str]:
    """Ids as pytest prints them where its rootdir is another folder: they run, but the judge cannot tell
    which file it has to protect and to make controls of."""
    files = dict.fromkeys(test.partition("::")[0] for test in task.tests.required)
    unknown = [path for path in files if path not in task.tests.hidden]
    if not unknown or not is_pytest(task.tests):
        return []
    with backend.start(task.for_agent()) as sandbox:
        words = ["bash", "-c", 'for path; do test -e "$path" || echo "$path"; done', "bash", *unknown]
        missing = sandbox.exec(words).output.splitlines()
    return [f"there is no file {path}: name its tests by their path in the workspace" for path in missing]


def _check_visible(run: TestRun) -> list[str]:
    if run.success or (run.complete and not run.collected):  # all of its tests may be hidden
        return []
    first = run.failed[0] if run.failed else run.note or f"exit code {run.exit_code}"
    return [f"with the gold patch the visible tests do not pass: {first}"]
