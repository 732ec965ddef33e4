"""What the grid will cost: from the episodes that are there, else from a stated assumption."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from debug_gym.agents.models.base import Usage
from debug_gym.agents.models.prices import find_prices
from debug_gym.agents.models.settings import OpenAISettings
from debug_gym.agents.settings import configure
from debug_gym.report.load import Entry, load
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import make_benchmark, selected
from debug_gym.store.records import Result

STEPS, OPENING, GROWTH, WRITTEN = 25, 1_500, 500, 200
"""The assumption: an episode of so many steps, whose conversation begins with so many tokens and grows by so
many a step, of which the model writes so many; all of it is read again at each step."""
ASSUMED = Usage(
    input_tokens=sum(OPENING + GROWTH * step for step in range(STEPS)), output_tokens=STEPS * WRITTEN
)


@dataclass(frozen=True)
class Estimate:
    """One cell of the grid: what there is to play, and what it may cost."""

    config: RunConfig
    planned: int
    """Episodes."""
    left: int
    """Those to play."""
    input_tokens: float
    """Of all that is left, as are the following."""
    output_tokens: float
    dollars: float | None
    """None: the model's price is not known."""
    basis: str
    """Where the tokens of an episode are taken from."""


def estimates(configs: Sequence[RunConfig]) -> list[Estimate]:
    """What each cell will cost, given what the cells' folders hold.

    Raises:
        ConfigError, UnknownNameError, TaskError: as ``debug_gym.runs.plan.prepare`` does.
    """
    tasks: dict[str, int] = {}
    for config in configs:
        if config.benchmark not in tasks:
            benchmark = make_benchmark(config.benchmark, config.benchmark_options)
            tasks[config.benchmark] = len(selected(benchmark, config))
    begun = [config.folder for config in configs if (config.folder / "config.json").exists()]
    entries = load(begun)
    return [_estimate(config, tasks[config.benchmark] * config.attempts, entries) for config in configs]


def _estimate(config: RunConfig, planned: int, entries: Sequence[Entry]) -> Estimate:
    usage, basis = _episode(config, entries)
    price = usage.dollars if usage.dollars is not None else _price(config, usage)
    here = [entry for entry in entries if entry.run.path == config.folder.resolve()]
    left = planned - len(_judged(here))
    return Estimate(
        config=config,
        planned=planned,
        left=left,
        input_tokens=left * usage.input_tokens,
        output_tokens=left * usage.output_tokens,
        dollars=None if left and price is None else left * (price or 0.0),
        basis=basis,
    )


def _episode(config: RunConfig, entries: Sequence[Entry]) -> tuple[Usage, str]:
    """What an episode is expected to use, from the nearest ones that are there, and which these are."""
    model = [entry for entry in entries if entry.model == config.model]
    benchmark = [entry for entry in model if entry.benchmark == config.benchmark]
    agent = [entry for entry in benchmark if entry.agent == config.agent]
    for basis, group in (
        ("this cell", agent),
        ("this model, other agents", benchmark),
        ("this model, other benchmarks", model),
        ("other models", entries),
    ):
        if known := [result.usage for result in _judged(group) if "input_tokens" in result.usage]:
            spent = [used["dollars"] for used in known if "dollars" in used and group is not entries]
            usage = Usage(
                input_tokens=round(fmean(used["input_tokens"] for used in known)),
                output_tokens=round(fmean(used["output_tokens"] for used in known)),
                dollars=fmean(spent) if spent else None,
            )
            return usage, basis
    return ASSUMED, "assumed"


def _judged(entries: Sequence[Entry]) -> list[Result]:
    results = (attempt.result for entry in entries for attempt in entry.attempts)
    return [result for result in results if result is not None and result.status != "error"]


def _price(config: RunConfig, usage: Usage) -> float | None:
    own = {key: value for key, value in config.agent_options.items() if key == "prices"}
    prices = find_prices(config.model or "", configure(OpenAISettings, own, "the model").prices)
    return None if prices is None else prices.dollars(usage)
