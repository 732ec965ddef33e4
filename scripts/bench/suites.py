"""Rows about test runs: warm ones as env steps, and the judge's whole verdict."""

from bench.measure import Contender, Figure, Sample, clock, race
from bench.steps import live, step
from bench.workplace import FIXED, HUGE_FIX, Row, Workplace

from debug_gym.judge import judge
from debug_gym.sandbox import Changes, FileEntry, Sandbox
from debug_gym.task import Environment, Task

COLD = "python -m pytest -p no:cacheprovider"
NO_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def eval_tiny(place: Workplace) -> Figure:
    return _eval(place, place.small, "1 failed, 4 passed", exit_code=1, faster=4, at_most=50)


def eval_tiny_bare(place: Workplace) -> Figure:
    return _eval(place, bare(place.small), "1 failed, 4 passed", exit_code=1, faster=4, at_most=50)


def eval_science(place: Workplace) -> Figure:
    return _eval(place, place.science, "2 passed", exit_code=0, faster=10, at_most=80)


def eval_science_bare(place: Workplace) -> Figure:
    return _eval(place, bare(place.science), "2 passed", exit_code=0, faster=10, at_most=80)


def bare(task: Task) -> Task:
    """The same task without the plugins that happen to be installed: they make a cold start slow."""
    return task.model_copy(update={"environment": Environment(variables=NO_PLUGINS)})


def _eval(
    place: Workplace, task: Task, expected: str, *, exit_code: int, faster: float, at_most: float
) -> Figure:
    env = place.env(task, tools=("eval",))
    sandbox = live(env)
    cold = clock(lambda: sandbox.exec(COLD), lambda seen: seen.exit_code == exit_code)
    beside = [Contender(f"cold `{COLD}` in the same sandbox", cold, faster=faster)]
    sample = step(env, "eval", {}, expected, warm=True, complete=True, exit_code=exit_code)
    return race(sample, beside, runs=place.runs, at_most=at_most)


def verdict(place: Workplace) -> Figure:
    """Resolved for the right fix; before that, once, not resolved without it."""
    fix = Changes(files={"shop/prices.py": FileEntry(data=FIXED.encode())})
    clock(lambda: judge(place.small, Changes(), place.backend), lambda seen: not seen.resolved)()
    sample = clock(
        lambda: judge(place.small, fix, place.backend), lambda seen: seen.resolved and seen.controls > 0
    )
    sandbox = place.sandbox(place.small)
    cold = clock(lambda: sandbox.exec(COLD), lambda seen: seen.exit_code == 1)
    beside = [
        Contender("the tests once, warm, in a live sandbox", _warm(sandbox), floor=True),
        Contender(f"the tests once by `{COLD}`", cold),
    ]
    return race(sample, beside, runs=place.runs, at_most=120)


def verdict_many(place: Workplace) -> Figure:
    """The fix of the task with thousands of required tests, beside one plain run of these."""
    task = place.huge
    required = task.tests.required
    fix = Changes(files={"stock/part0.py": FileEntry(data=HUGE_FIX.encode())})
    sandbox = place.sandbox(task)
    sandbox.write("stock/part0.py", HUGE_FIX.encode())
    plain = clock(
        lambda: sandbox.run_tests(required, timeout=600), lambda run: len(run.passed) == len(required)
    )
    sample = clock(lambda: judge(task, fix, place.backend), lambda seen: seen.resolved and seen.controls > 0)
    beside = [Contender(f"one warm run of the {len(required)} tests, alone in a sandbox", plain, within=2)]
    return race(sample, beside, runs=min(place.runs, 5))


def _warm(sandbox: Sandbox) -> Sample:
    return clock(sandbox.run_tests, lambda run: run.complete and run.warm and len(run.outcomes) == 5)


ROWS = (
    Row("eval", "`eval` of five tests as an env step", eval_tiny),
    Row("eval-bare", "`eval` of five tests, plugins of pytest off", eval_tiny_bare),
    Row("eval-science", "`eval` of a suite that imports numpy and pandas", eval_science),
    Row("eval-science-bare", "`eval` with numpy and pandas, plugins of pytest off", eval_science_bare),
    Row("judge", "The judge's verdict on a 5-test task, controls included", verdict),
    Row("judge-many", "The judge's verdict on 3000 required tests, controls included", verdict_many),
)
