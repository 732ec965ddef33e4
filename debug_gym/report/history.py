"""How good the runs of a leaderboard were over time, and the best of them so far."""

from collections.abc import Sequence
from datetime import UTC, datetime

from debug_gym.report.leaderboard import Row
from debug_gym.report.svg import WIDTH, Drawing
from debug_gym.report.tables import percent

_LEFT, _TOP, _RIGHT, _BOTTOM = 44.0, 12.0, WIDTH - 16.0, 180.0


def history(runs: Sequence[tuple[Row, str]]) -> str:
    """The markup of a figure: a dot for each run that competes, a line for the best so far.

    Args:
        runs: rows, each with the time at which its run was begun (ISO 8601).

    Returns:
        The figure; empty where there are fewer than two runs to show.
    """
    dated = sorted(
        (
            (_time(created), row.pass_1, row)
            for row, created in runs
            if row.pass_1 is not None and not row.reference and not row.damage
        ),
        key=lambda item: (item[0], item[2].run),
    )
    if len(dated) < 2:
        return ""
    first, last = dated[0][0], dated[-1][0]
    drawing = Drawing(210, "pass@1 of the runs over time, and the best so far")

    def place(time: float, rate: float) -> tuple[float, float]:
        share = (time - first) / (last - first) if last > first else 0.5
        return _LEFT + (_RIGHT - _LEFT) * share, _BOTTOM - (_BOTTOM - _TOP) * rate

    for rate in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = place(first, rate)[1]
        drawing.line([(_LEFT, y), (_RIGHT, y)], "grid")
        drawing.label(_LEFT - 8, y + 4, f"{rate:.0%}", "tick", "end")
    drawing.label(_LEFT, _BOTTOM + 20, _day(first), "tick")
    if _day(last) != _day(first):
        drawing.label(_RIGHT, _BOTTOM + 20, _day(last), "tick", "end")
    best, points = -1.0, list[tuple[float, float]]()
    for time, rate, row in dated:
        if rate > best and not row.partial:
            if points:
                points.append(place(time, best))
            best = rate
            points.append(place(time, rate))
    if points:
        drawing.line([*points, place(last, best)], "series c0", "the best so far")
    for time, rate, row in dated:
        hint = f"{row.label}: {percent(rate)} %, {_day(time)}"
        drawing.circle(*place(time, rate), 5.0, "fill c0", hint)
    return drawing.text()


def _time(text: str) -> float:
    """Seconds since 1970; 0 for what is no time."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _day(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d")
