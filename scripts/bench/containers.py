"""Rows about containers: a start, a step, a verdict, beside what Docker's own commands take."""

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bench import rivals
from bench.measure import Contender, Figure, Unmeasurable, clock, race
from bench.starts import reset_of
from bench.steps import live, ping, step
from bench.suites import COLD
from bench.workplace import BROKEN_TEST, FIXED, Row, Workplace

from debug_gym.env import DebugGymEnv
from debug_gym.errors import DebugGymError, MissingExtraError
from debug_gym.judge import judge
from debug_gym.sandbox import Changes, FileEntry

if TYPE_CHECKING:
    from debug_gym.sandbox.docker import DockerBackend

REST = 30.0
"""Seconds at most until a sandbox waits in the pool again."""


def reset(place: Workplace) -> Figure:
    beside = [
        rivals.docker_run(place, within=1.3),
        Contender("namespaces: `env.reset`", reset_of(place.env(place.small))),
    ]
    return race(reset_of(_env(place, ready=0)), beside, runs=place.runs)


def reset_ready(place: Workplace) -> Figure:
    backend = _backend(place, ready=1)
    sample = reset_of(place.env(place.small, backend=backend))

    def rested() -> float:
        _rest(lambda: backend.waiting)
        return sample()

    return race(rested, [rivals.docker_run(place, faster=10)], runs=place.runs, at_most=30)


def bash(place: Workplace) -> Figure:
    env = _env(place, ready=0, tools=("bash",))
    beside = [rivals.docker_exec(place, faster=50), Contender("ping", ping(live(env)), floor=True)]
    sample = step(env, "bash", {"command": "true"}, "", exit_code=0)
    return race(sample, beside, runs=place.runs, at_most=1)


def evaluation(place: Workplace) -> Figure:
    env = _env(place, ready=0, tools=("eval",))
    sandbox = live(env)
    cold = clock(lambda: sandbox.exec(COLD), lambda seen: seen.exit_code == 1)
    sample = step(env, "eval", {}, BROKEN_TEST, warm=True, complete=True)
    beside = [Contender(f"cold `{COLD}` in the same container", cold, faster=4)]
    return race(sample, beside, runs=place.runs)


def verdict(place: Workplace) -> Figure:
    backend = _backend(place, ready=os.cpu_count() or 1)
    fix = Changes(files={"shop/prices.py": FileEntry(data=FIXED.encode())})
    sample = clock(lambda: judge(place.small, fix, backend), lambda seen: seen.resolved and seen.controls > 0)
    beside = [
        rivals.docker_run(place),
        Contender(
            "namespaces: the same verdict",
            clock(lambda: judge(place.small, fix, place.backend), lambda seen: seen.resolved),
        ),
    ]
    return race(sample, beside, runs=min(place.runs, 5))


def _env(place: Workplace, *, ready: int, tools: tuple[str, ...] = ()) -> DebugGymEnv:
    return place.env(place.small, tools=tools, backend=_backend(place, ready))


def _backend(place: Workplace, ready: int) -> "DockerBackend":
    """A backend whose repositories are put into the image that is measured with.

    Raises:
        Unmeasurable: there is no daemon, or the image is not here or cannot be used.
    """
    if place.without_docker:
        raise Unmeasurable(place.without_docker)
    os.environ["DEBUG_GYM_DOCKER_IMAGE"] = place.image
    try:
        from debug_gym.sandbox.docker import DockerBackend

        backend = DockerBackend(ready=ready)
        place.keep(backend.close)
        trying = DockerBackend(ready=0)  # what that pool keeps is for the row alone
        place.keep(trying.close)
        with trying.start(place.small) as sandbox:
            run_ = sandbox.run_tests()
    except (DebugGymError, MissingExtraError) as error:
        raise Unmeasurable(str(error)) from None
    if not run_.complete:
        raise Unmeasurable(f"the image {place.image} cannot run tests: {run_.output.strip()[-200:]}")
    return backend


def _rest(waiting: Callable[[], int]) -> None:
    """The pool fills up behind the episode."""
    end = time.monotonic() + REST
    while not waiting() and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.1)


ROWS = (
    Row("docker-reset", "Containers: `env.reset` with no pool", reset),
    Row("docker-reset-ready", "Containers: `env.reset` from a ready pool", reset_ready),
    Row("docker-bash", "Containers: persistent bash, `true` as an env step", bash),
    Row("docker-eval", "Containers: `eval` of five tests as an env step", evaluation),
    Row("docker-judge", "Containers: the judge's verdict on a 5-test task, controls included", verdict),
)
