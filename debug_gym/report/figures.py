"""The figures of the debug-gym paper (arXiv 2503.21557), drawn from stored episodes."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from debug_gym.report.episodes import OTHER, Facts
from debug_gym.report.statistics import quantile
from debug_gym.report.svg import WIDTH, Drawing, ticks

COLOURS = 8
"""Classes ``c0`` to ``c7`` of the style sheet."""
SHADES = 4
"""Tools of a kind that a figure tells apart: classes ``shade0`` to ``shade3``."""
REST = "c7"
"""The class of what is left."""
PDB_COMMANDS = ("b", "c", "cl", "p", "n", "l", OTHER)
"""The paper's kinds of debugger commands."""
MAX_REWRITES = 10
"""The paper's budget, and the least that the axis of rewrites shows."""


@dataclass(frozen=True)
class Series:
    """The judged episodes of one run."""

    label: str
    episodes: Sequence[Facts]
    number: int = 0
    """Its place in the leaderboard, which gives its colour."""

    @property
    def colour(self) -> str:
        """A class of the style sheet."""
        return f"c{self.number % COLOURS}"


@dataclass(frozen=True)
class Figure:
    """A drawing with its words."""

    title: str
    note: str
    svg: str
    legend: tuple[tuple[str, str], ...] = ()
    """Pairs of a colour's class and what it stands for."""


def draw(series: Sequence[Series]) -> list[Figure]:
    """All figures for which there is something to draw."""
    played = [item for item in series if item.episodes]
    return [figure for figure in _figures(played) if figure is not None] if played else []


def _figures(series: Sequence[Series]) -> Iterator[Figure | None]:
    yield success_over_rewrites(series)
    tools, kinds = Counter[str](), dict[str, str]()
    for item in series:
        for facts in item.episodes:
            tools.update(facts.tools)
            kinds |= facts.kinds
    yield _distribution(
        "Tool calls",
        "Share of each tool among all calls.",
        series,
        names := _commonest(tools, kinds),
        lambda facts: facts.tools,
        colours=_by_kind(names, kinds),
    )
    yield _distribution(
        "Debugger commands",
        "Share of each pdb command; s, up, down, where and Python statements are among the others.",
        series,
        PDB_COMMANDS,
        lambda facts: facts.pdb,
    )
    yield _spread("Steps", "Tool calls in an episode.", series, lambda facts: facts.steps)
    yield _spread(
        "Response tokens",
        "Tokens that the model wrote in an episode.",
        series,
        lambda facts: facts.output_tokens,
    )
    yield wins(series)


def success_over_rewrites(series: Sequence[Series]) -> Figure:
    """Which share would be resolved, had each episode ended after so many rewrites."""
    most = max(
        [MAX_REWRITES, *(facts.rewrites for item in series for facts in item.episodes if facts.resolved)]
    )
    left, top, right, bottom = 40.0, 12.0, WIDTH - 10.0, 240.0
    drawing = Drawing(280, "Share of resolved attempts over the number of rewrites")

    def place(x: float, share: float) -> tuple[float, float]:
        return left + (right - left) * x / most, bottom - (bottom - top) * share

    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        drawing.line([place(0, share), place(most, share)], "grid")
        drawing.label(left - 8, place(0, share)[1] + 4, f"{share:.0%}", "tick", "end")
    for x in ticks(most, 10):
        drawing.label(place(x, 0)[0], bottom + 18, f"{x:g}", "tick", "middle")
    drawing.label((left + right) / 2, 276, "rewrites", "tick", "middle")
    for item in series:
        points: list[tuple[float, float]] = []
        for count in range(most + 1):
            won = sum(facts.resolved and facts.rewrites <= count for facts in item.episodes)
            x, y = place(count, won / len(item.episodes))
            points += [(x, points[-1][1]), (x, y)] if points else [(x, y)]
        drawing.line(points, f"series {item.colour}", item.label)
    note = "Resolved attempts that needed at most so many rewrites, as a share of all judged ones."
    return Figure(
        "Success over rewrites", note, drawing.text(), tuple((item.colour, item.label) for item in series)
    )


def _distribution(
    title: str,
    note: str,
    series: Sequence[Series],
    kinds: Sequence[str],
    count: Callable[[Facts], Counter[str]],
    *,
    colours: Sequence[str] | None = None,
) -> Figure | None:
    """A bar for each run that did something, divided by kinds; ``colours``: their classes."""
    colours = colours or [f"c{number}" for number in range(COLOURS)]
    totals = [(item.label, sum(map(count, item.episodes), Counter[str]())) for item in series]
    totals = [(label, total) for label, total in totals if total]
    drawing = Drawing(44.0 * len(totals), title)
    for index, (label, total) in enumerate(totals):
        everything = total.total()
        y = 44.0 * index
        drawing.label(0, y + 13, label)
        drawing.label(WIDTH, y + 13, f"{everything:,}", "tick", "end")
        x = 0.0
        for colour, (kind, amount) in zip(colours, _amounts(total, kinds), strict=False):
            if amount:
                width = WIDTH * amount / everything
                hint = f"{kind}: {amount:,} ({amount / everything:.1%})"
                drawing.rectangle((x, y + 19), (max(width - 1, 0.5), 14), f"fill {colour}", hint=hint)
                x += width
    legend = tuple(zip(colours, kinds, strict=False))
    return Figure(title, note, drawing.text(), legend) if totals else None


def _amounts(total: Counter[str], kinds: Sequence[str]) -> list[tuple[str, int]]:
    """How many there are of each kind; ``other``, which comes last, takes what is left."""
    amounts = [(kind, total[kind]) for kind in kinds if kind != OTHER]
    rest = sum(total.values()) - sum(amount for _, amount in amounts)
    return [*amounts, (OTHER, rest)] if OTHER in kinds else amounts


def _commonest(counts: Counter[str], kinds: Mapping[str, str]) -> list[str]:
    """The commonest tools of each kind, as many as it has shades; those of a kind stand together. The others
    are left to ``other``."""
    groups: dict[str, list[str]] = {}
    for name in sorted(counts, key=lambda name: (-counts[name], name)):
        groups.setdefault(kinds.get(name, OTHER), []).append(name)
    shown = [name for group in groups.values() for name in group[:SHADES]]
    return shown if len(shown) == len(counts) else [*shown, OTHER]


def _by_kind(names: Sequence[str], kinds: Mapping[str, str]) -> list[str]:
    """The classes of tools: the colour of their kind, as in the episodes, and a shade for each of a kind."""
    found = [kinds.get(name, OTHER) for name in names]
    classes = [f"kind {kind} shade{found[:place].count(kind)}" for place, kind in enumerate(found)]
    return [REST if name == OTHER else shade for name, shade in zip(names, classes, strict=True)]


def _spread(
    title: str, note: str, series: Sequence[Series], value: Callable[[Facts], float]
) -> Figure | None:
    """The median, the middle half and the middle four fifths of the episodes of each run that has any."""
    values = [(item, [value(facts) for facts in item.episodes]) for item in series]
    values = [(item, group) for item, group in values if any(group)]
    if not values:
        return None
    top = max(1.0, *(quantile(group, 0.9) for _, group in values))
    marks = ticks(top)
    scale = (WIDTH - 24) / top
    height = 44.0 * len(values)
    drawing = Drawing(height + 20, title)
    for mark in marks:
        drawing.line([(8 + mark * scale, 0), (8 + mark * scale, height)], "grid")
        drawing.label(8 + mark * scale, height + 16, f"{mark:,g}", "tick", "middle")
    for index, (item, group) in enumerate(values):
        low, first, middle, third, high = (
            8 + quantile(group, q) * scale for q in (0.1, 0.25, 0.5, 0.75, 0.9)
        )
        y = 44.0 * index + 28
        drawing.label(0, y - 12, item.label, "over")
        hint = f"median {quantile(group, 0.5):,.4g}, mean {sum(group) / len(group):,.4g}"
        drawing.line([(low, y), (high, y)], f"series {item.colour}", hint)
        drawing.rectangle((first, y - 6), (max(third - first, 1), 12), f"fill {item.colour}", hint=hint)
        drawing.circle(middle, y, 4, "median", hint)
    return Figure(title, f"{note} Dot: median; box: the middle half; line: the middle 80%.", drawing.text())


def wins(series: Sequence[Series]) -> Figure:
    """A row for each run, a column for each task, darker the more attempts are resolved."""
    won: list[dict[str, list[bool]]] = []
    for item in series:
        tasks: dict[str, list[bool]] = {}
        for facts in item.episodes:
            tasks.setdefault(facts.task, []).append(facts.resolved)
        won.append(tasks)
    names = sorted({task for tasks in won for task in tasks})
    names.sort(key=lambda task: -sum(sum(tasks.get(task, [])) for tasks in won))
    width = min(24.0, WIDTH / len(names))
    gap = 1.0 if width > 4 else 0.0
    drawing = Drawing(40.0 * len(series), "Wins per task")
    for index, (item, tasks) in enumerate(zip(series, won, strict=True)):
        y = 40.0 * index
        drawing.label(0, y + 13, item.label)
        for column, task in enumerate(names):
            if attempts := tasks.get(task):
                share = sum(attempts) / len(attempts)
                hint = f"{task}: {sum(attempts)} of {len(attempts)}"
                kind, opacity = ("fill good", 0.25 + 0.75 * share) if share else ("fill none", 1.0)
                corner = (column * width, y + 18)
                drawing.rectangle(corner, (width - gap, 14), kind, hint=hint, opacity=opacity)
    note = "Each column is a task, those that most attempts resolve first; darker: more attempts resolved."
    return Figure("Wins per task", note, drawing.text())
