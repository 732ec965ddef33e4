"""Leaderboards as text: for the terminal, for Markdown, and as CSV and JSON for programs."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields

from rich.console import Console
from rich.table import Table
from rich.text import Text

from debug_gym.report.leaderboard import Board, Row
from debug_gym.report.pairs import pairs
from debug_gym.report.statistics import Paired

INCOMPARABLE = "The runs were asked to play different tasks: their rates cannot be compared."


def percent(share: float | None) -> str:
    """``66.7``; empty for None."""
    return "" if share is None else f"{100 * share:.1f}"


def number(value: float | None) -> str:
    """A mean with three digits that matter, thousands as k; empty for None."""
    if value is None:
        return ""
    if value >= 1e6:
        return f"{value / 1e6:.3g}M"
    return f"{value / 1e3:.3g}k" if value >= 1e4 else f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def money(value: float | None) -> str:
    """Dollars, small ones with more digits; empty for None."""
    return "" if value is None else f"{value:.2f}" if value >= 1 or value == 0 else f"{value:.2g}"


def pass_1(row: Row) -> str:
    """The rate with its confidence interval."""
    if row.low is None or row.high is None:
        return ""
    return f"{percent(row.pass_1)} [{percent(row.low)}, {percent(row.high)}]"


def pass_k(row: Row) -> str:
    """The rate of tasks that are resolved by one of k attempts."""
    return f"{percent(row.pass_k)} (k={row.k})" if row.pass_k is not None else ""


def remarks(row: Row) -> list[str]:
    """What one has to know to judge the figures of a row."""
    return [
        remark
        for remark in (
            row.reference,
            row.damage,
            row.partial and f"no rank: {row.partial}",
            _some(row.cheating, "attempt cheated", "attempts cheated"),
            _some(row.errors, "error does not count", "errors do not count"),
            _some(row.unfinished, "attempt is unfinished", "attempts are unfinished"),
            _some(row.unguarded, "fix without a bound on forging", "fixes without a bound on forging"),
            _some(row.disputed, "verdict differs from the harness's", "verdicts differ from the harness's"),
            _some(row.excluded, "task has unstable tests", "tasks have unstable tests"),
        )
        if remark
    ]


TITLES = ("#", "run", "pass@1 % [95%]", "± seeds", "pass@k %", "resolved", "steps", "in", "out", "$", "s")
_LEFT = {"run"}
_COSTS = {"in", "out", "$", "s"}
_NARROW = 110
"""Characters of a terminal that shows no costs, so that the rates stay readable."""


def cells(row: Row) -> tuple[str, ...]:
    """A row under ``TITLES``."""
    return (
        "" if row.rank is None else str(row.rank),
        row.label,
        pass_1(row),
        percent(row.seed_std),
        pass_k(row),
        f"{row.resolved}/{row.attempts}",
        number(row.steps),
        number(row.input_tokens),
        number(row.output_tokens),
        money(row.dollars),
        number(row.seconds),
    )


def as_table(console: Console, boards: Sequence[Board], *, compare: bool = False) -> None:
    """Print the boards for people; a narrow terminal leaves out what the runs cost. ``compare``: and all
    pairs of runs."""
    for board in boards:
        narrow = console.width < _NARROW
        kept = [column for column in _filled(board.rows) if not (narrow and TITLES[column] in _COSTS)]
        table = Table(
            title=Text(f"{board.benchmark}: {_some(len(board.tasks), 'task', 'tasks')}"),
            title_justify="left",
            title_style="bold",
            header_style="bold",
            show_edge=False,
            pad_edge=False,
            box=None,
            padding=(0, 2, 0, 0),
        )
        for column in kept:
            title = TITLES[column]
            left = title in _LEFT
            table.add_column(title, justify="left" if left else "right", no_wrap=not left, overflow="fold")
        for row in board.rows:
            shown = cells(row)
            table.add_row(
                *[Text(shown[column]) for column in kept], style="dim" if row.rank is None else None
            )
        console.print(table)
        for line in notes(board):
            console.print(Text(line, style="dim"), soft_wrap=True)
        for line in against(board) if compare else ():
            console.print(Text(line), soft_wrap=True)
        console.print()


def as_markdown(boards: Sequence[Board], *, compare: bool = False) -> str:
    """The boards as Markdown tables. ``compare``: and all pairs of runs."""
    lines = []
    for board in boards:
        kept = _filled(board.rows)
        lines += [f"### {_escape(board.benchmark)}", ""]
        lines.append(f"| {' | '.join(TITLES[column] for column in kept)} |")
        lines.append(f"|{'|'.join(' --- ' if TITLES[column] in _LEFT else ' ---: ' for column in kept)}|")
        for row in board.rows:
            shown = cells(row)
            lines.append(f"| {' | '.join(_escape(shown[column]) for column in kept)} |")
        said = notes(board) + (against(board) if compare else [])
        lines += ["", *(f"- {_escape(line)}" for line in said), ""]
    return "\n".join(lines)


def as_csv(boards: Sequence[Board]) -> str:
    """All figures, one line for each run, rates from 0 to 1; unknown ones are empty."""
    text = io.StringIO()
    names = [field.name for field in fields(Row)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["benchmark", "version", *names])
    for board in boards:
        for row in board.rows:
            writer.writerow([board.benchmark, board.version, *(getattr(row, name) for name in names)])
    return text.getvalue()


def as_json(boards: Sequence[Board], *, compare: bool = False) -> str:
    """All figures, a list of boards; unknown ones are null. ``compare``: and all pairs of runs."""
    content = [
        {
            "benchmark": board.benchmark,
            "version": board.version,
            "tasks": board.tasks,
            "comparable": board.comparable,
            "rows": [asdict(row) for row in board.rows],
            **({"pairs": [asdict(pair) for pair in pairs(board)]} if compare else {}),
        }
        for board in boards
    ]
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def notes(board: Board) -> list[str]:
    """The remarks on all rows of a board, and whether they can be compared."""
    lines = [] if board.comparable else [INCOMPARABLE]
    return lines + [f"{row.run}: {'; '.join(remarks(row))}" for row in board.rows if remarks(row)]


def versus(compared: Paired) -> str:
    """A difference with its interval, in points of percent: ``+12.5 [+4.2, +20.8]``."""
    return f"{100 * compared.difference:+.1f} [{100 * compared.low:+.1f}, {100 * compared.high:+.1f}]"


def against(board: Board) -> list[str]:
    """A line for each pair of runs that compete."""
    return [
        f"{pair.first} less {pair.second}: {versus(pair.compared)} points, "
        f"{_some(pair.compared.tasks, 'task', 'tasks')} ({pair.compared.wins} for, {pair.compared.losses} "
        f"against): {'they differ' if pair.compared.distinct else 'no difference shown'}"
        for pair in pairs(board)
    ]


def _some(count: int, one: str, more: str) -> str:
    """``1 task``, ``2 tasks``; nothing for none."""
    return f"{count} {one if count == 1 else more}" if count else ""


def _filled(rows: Sequence[Row]) -> list[int]:
    """The columns that say something."""
    shown = [cells(row) for row in rows]
    return [column for column in range(len(TITLES)) if any(line[column] for line in shown)]


def _escape(text: str) -> str:
    """Text that means nothing special in a Markdown table."""
    for sign in "\\|*_`<>[]":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())
