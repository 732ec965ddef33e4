"""The tables: success beside the paper's, what it took, and what the grid will cost."""

from collections.abc import Mapping, Sequence

from paper.estimate import GROWTH, OPENING, STEPS, WRITTEN, Estimate
from paper.grid import AGENTS
from paper.outcome import Cell, Section
from paper.published import Paper
from paper.sheet import Group, Sheet

from debug_gym.report.leaderboard import Row
from debug_gym.report.tables import INCOMPARABLE, money, number, percent, remarks

Rates = Mapping[str, tuple[float, float | None]]
"""Agent to mean and standard deviation of its success, in percent; None: there is only one seed."""
DEBUGGERS = [agent for agent in AGENTS if agent != "rewrite"]


def compared(section: Section, paper: Paper) -> list[tuple[str, Mapping[str, Rates]]]:
    """The success of each agent with each model: here, as far as anything was judged, and in the paper."""
    here = {
        model: {agent: _rate(cell.row) for agent, cell in cells.items() if cell.row.attempts}
        for model, cells in section.models.items()
    }
    published = [(f"paper: {table.benchmark}", table.success) for table in paper.tables]
    return [(f"here: {section.board.benchmark}", here), *published]


def _rate(row: Row) -> tuple[float, float | None]:
    return 100 * (row.pass_1 or 0.0), None if row.seed_std is None else 100 * row.seed_std


def success(section: Section, paper: Paper) -> Sheet:
    """Success of each agent with each model, here and in the paper, and what the debugger brings."""
    sources = "; ".join(f"{table.where} ({table.tasks} tasks, {table.runs} runs)" for table in paper.tables)
    return Sheet(
        title="Success in %: mean ± standard deviation over the seeds",
        columns=["model", *AGENTS.values(), *(f"Δ {AGENTS[agent]}" for agent in DEBUGGERS)],
        groups=[Group(heading, _successes(models)) for heading, models in compared(section, paper)],
        note="Δ: what the debugger brings, in points more than rewrite. Rates of different tasks cannot be "
        f"compared. Paper: {paper.url}, {sources}.",
    )


def _successes(models: Mapping[str, Rates]) -> list[list[str]]:
    return [
        [
            model,
            *(mean(*agents[agent]) if agent in agents else "" for agent in AGENTS),
            *(_gain(agents, agent) for agent in DEBUGGERS),
        ]
        for model, agents in models.items()
    ]


def mean(rate: float, deviation: float | None) -> str:
    """A rate with its deviation, if that is known."""
    return f"{rate:.1f}" if deviation is None else f"{rate:.1f} ± {deviation:.1f}"


def _gain(agents: Rates, agent: str) -> str:
    if agent not in agents or "rewrite" not in agents:
        return ""
    return f"{agents[agent][0] - agents['rewrite'][0]:+.1f}"


def effort(section: Section) -> Sheet:
    """What each agent did, and what it cost; means over the judged episodes."""
    return Sheet(
        title="What it took: means of an episode",
        columns=["model", "agent", "won", "steps", "rewrites", "lines", "in", "out", "$", "keeps %"],
        groups=[
            Group("", [[model, *_effort(agent, cell)] for agent, cell in cells.items()])
            for model, cells in section.models.items()
        ],
        left=2,
        note="Won: resolved of judged. Lines: that a rewrite removes and adds. In, out: tokens read and "
        "written by the model. Keeps: of the attempts that rewrite won, how many this agent won with the "
        "same seed. The paper shows these as plots only.",
    )


def _effort(agent: str, cell: Cell) -> list[str]:
    sizes = "" if cell.removed is None else f"-{number(cell.removed)} +{number(cell.added)}"
    return [
        AGENTS[agent],
        f"{cell.row.resolved}/{cell.row.attempts}",
        number(cell.row.steps),
        number(cell.rewrites),
        sizes,
        number(cell.row.input_tokens),
        number(cell.row.output_tokens),
        money(cell.row.dollars),
        percent(cell.kept),
    ]


def warnings(section: Section) -> list[str]:
    """What one has to know to judge the figures."""
    found = [INCOMPARABLE] if not section.board.comparable else []
    for model, agent, cell in section.cells:
        if known := remarks(cell.row):
            found.append(f"{AGENTS[agent]} · {model}: {'; '.join(known)}")
    return found


def plan(estimates: Sequence[Estimate]) -> Sheet:
    """What there is to play, and what it will cost."""
    rows = [
        [
            item.config.benchmark,
            item.config.model or "",
            AGENTS[item.config.agent],
            *_sums([item]),
            item.basis,
        ]
        for item in estimates
    ]
    return Sheet(
        title="The grid, what is left of it, and what that may cost",
        columns=["benchmark", "model", "agent", "episodes", "left", "in", "out", "$", "tokens as in"],
        groups=[Group("", [*rows, ["all", "", "", *_sums(estimates), ""]])],
        left=3,
        note="In, out: tokens read and written by the model. Assumed, where there is no episode to learn "
        f"from: {STEPS} steps, a conversation of {OPENING:,} tokens that grows by {GROWTH} a step, {WRITTEN} "
        "of them written by the model. Prompt caches, which make much of this cheaper, are not counted.",
    )


def _sums(estimates: Sequence[Estimate]) -> list[str]:
    dollars = [item.dollars for item in estimates if item.dollars is not None]
    return [
        str(sum(item.planned for item in estimates)),
        str(sum(item.left for item in estimates)),
        number(sum(item.input_tokens for item in estimates)),
        number(sum(item.output_tokens for item in estimates)),
        money(sum(dollars)) if len(dollars) == len(estimates) else "?",
    ]
