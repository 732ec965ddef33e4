"""Is a bundle what it says? Its digests, its records beside each other, and all of its episodes once more.

A bundle is from anybody. Of its configuration only the benchmark's name and options, the names of tools and
the number of steps are used here: no agent is made, no MCP server is started, no address is called.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from debug_gym.benchmarks.base import Benchmark
from debug_gym.benchmarks.select import select
from debug_gym.checks.replay import Difference, Replay, replay
from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.runs.plan import make_benchmark
from debug_gym.sandbox import Backend
from debug_gym.sandbox.registry import shared_backend, try_out
from debug_gym.session import Attempt
from debug_gym.session.record import result_of
from debug_gym.session.setup import AttemptConfig, Setup
from debug_gym.store.bundles import Bundle
from debug_gym.store.exports.predictions import predictions
from debug_gym.store.records import Result, Run, versions

_PATIENCE = 1e9
"""Seconds that an episode may take here: how long it took elsewhere decides nothing."""
_MOST = 1_000_000
"""Attempts of a run."""
_ROUNDING = 1e-6
"""By which sums of what models cost may differ."""


@dataclass(frozen=True)
class Report:
    """What was found."""

    bundle: Bundle
    differences: tuple[Difference, ...] = ()
    """Of the bundle as a whole."""
    replays: tuple[Replay, ...] = ()
    """One for each attempt that was looked at."""
    notes: tuple[str, ...] = ()
    """What may explain a difference, and what cannot be verified."""

    @property
    def sound(self) -> bool:
        """Nothing is altered, and everything that was played again went as recorded."""
        found = self.bundle.altered or self.differences or any(item.differences for item in self.replays)
        return not found


def verify(
    bundle: Bundle,
    *,
    play: bool = True,
    tasks: Collection[str] = (),
    benchmark: str | None = None,
    options: Mapping[str, Any] | None = None,
    sandbox: str | None = None,
    workers: int = 1,
    on_begin: Callable[[int], None] = lambda total: None,
    on_done: Callable[[Replay], None] = lambda item: None,
) -> Report:
    """Look at a bundle that was unpacked. Where its digests are wrong, nothing else is looked at.

    Args:
        bundle: what ``unpack`` gave.
        play: replay the episodes; else only the records are compared with each other.
        tasks: ids and globs of those to replay; none: all.
        benchmark: where the tasks are here; None: what the run's configuration names.
        options: of the benchmark, in place of the configuration's of the same names.
        sandbox: where to play; None: what the run's configuration names.
        workers: attempts at a time.
        on_begin: called with the number of attempts before the first is played.
        on_done: called for each, in order.

    Raises:
        ConfigError: the configuration cannot be read, or the benchmark here is of another version.
        UnknownNameError: there is no such benchmark, task, tool or sandbox here.
        SandboxUnavailableError: the sandbox does not work here.
    """
    if bundle.altered:
        return Report(bundle)
    run = bundle.run()
    try:
        results = run.results()
        whole, by_attempt = list(_whole(run, results)), {one.key: list(_records(run, one)) for one in results}
    except DebugGymError as error:
        return Report(bundle, (Difference("records", str(error).replace(f"{bundle.folder}{os.sep}", "")),))
    notes = list(_notes(run))
    replays: dict[tuple[str, int], Replay] = {
        result.key: Replay(*result.key, tuple(by_attempt[result.key]), steps=result.steps)
        for result in results
    }
    if play:
        setup, known = _setup(run, benchmark, options or {}, sandbox)
        wanted = set(select(known, list(tasks))) if tasks else set(run.manifest.tasks)
        chosen = [
            (one, Attempt(known.task(one.task), one.attempt, one.seed))
            for one in results
            if one.task in wanted and not by_attempt[one.key]
        ]
        if chosen:
            setup.environment(chosen[0][1].task).close()
            try_out(setup.backend, chosen[0][1].task)
            on_begin(len(chosen))
        foreign = bool(run.manifest.config.get("mcp"))
        with ThreadPoolExecutor(workers, thread_name_prefix="verify") as pool:
            try:
                for item in pool.map(
                    lambda pair: replay(run, *pair, session=setup.session, foreign=foreign), chosen
                ):
                    replays[item.task, item.attempt] = item
                    on_done(item)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    return Report(bundle, tuple(whole), tuple(replays.values()), tuple(notes))


def _whole(run: Run, results: list[Result]) -> Iterator[Difference]:
    """What contradicts itself in the run as a whole."""
    planned = {(task, number) for task in run.manifest.tasks for number in range(_attempts(run))}
    for result in results:
        if result.key not in planned:
            yield Difference(
                "records", f"{result.task}.{result.attempt} is in the results, but was not planned"
            )
    if missing := len(planned - {result.key for result in results if result.status != "error"}):
        yield Difference("records", f"{missing} of {len(planned)} attempts have no verdict")
    made = predictions(run)
    stored = {
        path.name: path.read_text(encoding="utf-8", errors="replace")
        for path in run.path.glob("predictions*.jsonl")
    }
    names = {
        f"predictions.{number}.jsonl" if number else "predictions.jsonl": made[number] for number in made
    }
    for name in sorted(names.keys() | stored.keys()):
        if names.get(name) != stored.get(name):
            yield Difference("records", f"{name} does not hold the patches of the trajectories")


def _records(run: Run, result: Result) -> Iterator[Difference]:
    """What contradicts itself in the records of an attempt."""
    trajectory, end = run.trajectory(*result.key), run.end(*result.key)
    if end is None or end.verdict is None:
        yield Difference("records", "its trajectory has no verdict")
        return
    config, steps = run.manifest.config, trajectory.steps
    told = {"task": result.task, "attempt": result.attempt, "seed": result.seed}
    told |= {name: config.get(name) for name in ("benchmark", "agent")}
    for name in (key for key in told if getattr(trajectory, key) != told[key]):
        yield Difference(
            "records",
            f"{name} is {getattr(trajectory, name)!r} in its trajectory, but should be {told[name]!r}",
        )
    derived = result_of(
        task=result.task,
        attempt=result.attempt,
        seed=result.seed,
        model=config.get("model"),
        steps=steps,
        end=end,
    ).model_dump()
    stored = result.model_dump()
    for name in (key for key in derived if derived[key] != stored[key]):
        yield Difference(
            "records",
            f"{name} is {stored[name]!r} in results.jsonl, but its trajectory gives {derived[name]!r}",
        )
    if end.verdict.resolved != (end.status == "resolved"):
        yield Difference("records", "its status is not that of its verdict")
    if [step.index for step in steps] != list(range(len(steps))):
        yield Difference("records", "steps are missing, or not in order")
    for name, spent in end.usage.items():
        if sum(step.usage.get(name, 0.0) for step in steps) > spent + _ROUNDING * max(1.0, abs(spent)):
            yield Difference("records", f"its steps have cost more {name} than all of it")


def _notes(run: Run) -> Iterator[str]:
    here = versions()
    for name, was in run.manifest.versions.items():
        if here.get(name, was) != was:
            yield f"{name} was {was}, and is {here[name]} here"
    if run.manifest.config.get("mcp"):
        yield "tools of MCP servers are not here: what they answered was not compared"
    if run.manifest.config.get("model"):
        yield "tokens, dollars and seconds are as they were handed in: nobody can play a model again"


def _setup(
    run: Run, name: str | None, options: Mapping[str, Any], sandbox: str | None
) -> tuple[Setup, Benchmark]:
    """The tasks and the sandbox, as they are here."""
    config = run.manifest.config
    try:
        asked = AttemptConfig(
            benchmark=config["benchmark"],
            agent=config["agent"],
            model=config.get("model"),
            tools=config.get("tools"),
            max_steps=config.get("max_steps", 50),
            time_limit=_PATIENCE,
            sandbox=sandbox or config.get("sandbox", "namespace"),
        )
    except (ValidationError, KeyError) as error:
        raise ConfigError(
            f"the bundle's config.json is not that of a run: {' '.join(str(error).split())}"
        ) from None
    backend = shared_backend(asked.sandbox)
    _demand_isolation(backend, named=sandbox is not None)
    given = config.get("benchmark_options") or {} if name is None else {}
    known = make_benchmark(name or asked.benchmark, {**given, **options})
    if known.state != run.manifest.benchmark_version:
        raise ConfigError(
            f"the run was played on {asked.benchmark} {run.manifest.benchmark_version}, and here it is "
            f"{known.state}: get that version, or say where it is by --benchmark or --benchmark-option"
        )
    return Setup(asked, backend), known


def _demand_isolation(backend: Backend, *, named: bool) -> None:
    if not backend.guarantees.isolated and not named:
        raise ConfigError(
            f"the run was played in the sandbox {backend.name!r}, which isolates nothing: --sandbox says "
            "where to play what somebody else has sent"
        )


def _attempts(run: Run) -> int:
    """How often each task was to be played."""
    count = run.manifest.config.get("attempts", 1)
    if not isinstance(count, int) or not 0 < count * len(run.manifest.tasks) <= _MOST:
        raise ConfigError(
            f"the bundle's config.json names {count!r} attempts at {len(run.manifest.tasks)} tasks"
        )
    return count
