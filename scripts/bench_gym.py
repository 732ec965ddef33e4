"""Measure the gym: each figure as a median beside its floor or its rival of the same run.

    python scripts/bench_gym.py --runs 15 --json figures.json
    python scripts/bench_gym.py --only reset bash

See docs/performance.md for what the rows mean.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench import containers, debugging, limits, reference, starts, steps, suites
from bench.measure import Figure, RowError, Series, Unmeasurable
from bench.workplace import Row, Workplace
from rich.console import Console
from rich.table import Table
from rich.text import Text

from debug_gym.errors import DebugGymError, SandboxUnavailableError, UnknownNameError

ROWS = {
    row.name: row
    for row in (
        *starts.ROWS,
        *steps.ROWS,
        *suites.ROWS,
        *debugging.ROWS,
        *limits.ROWS,
        *containers.ROWS,
        *reference.ROWS,
    )
}


@dataclass(frozen=True)
class Outcome:
    """A row's figure, or why there is none."""

    row: Row
    figure: Figure | None = None
    skipped: str = ""
    failed: str = ""

    def summary(self) -> dict[str, Any]:
        """For the JSON file."""
        head = {"name": self.row.name, "title": self.row.title}
        figure = self.figure.summary() if self.figure else None
        return {**head, "figure": figure, "skipped": self.skipped or None, "failed": self.failed or None}


def main() -> int:
    """Measure what was asked for. 0: every row was measured or cannot be here; 1: one failed; 2: bad name."""
    options = _options()
    if options.list:
        for row in ROWS.values():
            print(f"{row.name:15} {row.title}")
        return 0
    try:
        rows = [_row(name) for name in options.only or ROWS]
    except UnknownNameError as error:
        print(error, file=sys.stderr)
        return 2
    console = Console(width=None if sys.stdout.isatty() else 120)
    runs = 2 if options.quick else options.runs
    place = Workplace(
        runs=runs,
        quick=options.quick,
        rivals=options.rivals,
        image=options.image,
        reference=options.reference,
    )
    outcomes = []
    with place, console.status("") as status:
        for row in rows:
            status.update(f"{row.name}: {row.title}")
            outcomes.append(_measure(row, place))
    if options.markdown:
        print("\n".join(_markdown(outcomes)))
    else:
        console.print(_table(outcomes))
    if options.json is not None:
        report = {"machine": _machine(), "runs": runs, "rows": [outcome.summary() for outcome in outcomes]}
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return int(any(outcome.failed for outcome in outcomes))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the gym; see docs/performance.md.")
    parser.add_argument("--only", nargs="+", metavar="ROW", help="measure these rows only")
    parser.add_argument("--list", action="store_true", help="print the rows and end")
    parser.add_argument(
        "--runs", type=_positive, default=15, help="rounds for each row (default: %(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="2 rounds and small loads: shows that it works")
    parser.add_argument("--rivals", metavar="PYTHON", help="a Python that has swe-rex installed")
    parser.add_argument(
        "--reference", metavar="PYTHON", help="a Python that has the reference implementation installed"
    )
    parser.add_argument(
        "--image", default="python:3.11-slim", help="for Docker's rows (default: %(default)s)"
    )
    parser.add_argument("--markdown", action="store_true", help="print the table for docs/performance.md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _row(name: str) -> Row:
    if name not in ROWS:
        raise UnknownNameError("row", name, ROWS)
    return ROWS[name]


def _measure(row: Row, place: Workplace) -> Outcome:
    try:
        return Outcome(row, row.measure(place))
    except Unmeasurable as reason:
        return Outcome(row, skipped=str(reason))
    except SandboxUnavailableError as error:
        if place.without_sandboxes:
            return Outcome(row, skipped=place.without_sandboxes)
        return Outcome(row, failed=str(error))
    except (RowError, DebugGymError) as error:
        return Outcome(row, failed=f"{type(error).__name__}: {error}")


# -- what is shown -------------------------------------------------------------------------


_COLUMNS: dict[str, Literal["left", "right"]] = {
    "figure": "left",
    "median": "right",
    "min to max": "right",
    "ratio": "right",
    "goal": "left",
    "met": "left",
}
_MET = {True: "yes", False: "no", None: ""}


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(title="debug-gym beside its floors and rivals, of the same run", title_justify="left")
    for name, justify in _COLUMNS.items():
        table.add_column(name, justify=justify, overflow="fold")
    for outcome in outcomes:
        for line in _lines(outcome):
            table.add_row(*map(Text, line))
        table.add_section()
    return table


def _markdown(outcomes: list[Outcome]) -> Iterator[str]:
    yield f"| {' | '.join(_COLUMNS)} |"
    yield "|" + "".join(" ---: |" if justify == "right" else " --- |" for justify in _COLUMNS.values())
    for outcome in outcomes:
        for title, *cells in _lines(outcome):
            indented = "&emsp;" * title.startswith(" ") + title.strip()
            yield f"| {' | '.join([indented, *cells])} |".replace("\n", "<br>")


def _lines(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    """The cells of a line for ours, then of an indented one for each thing beside it."""
    figure = outcome.figure
    if figure is None:
        why = f"failed: {outcome.failed}" if outcome.failed else f"not measured: {outcome.skipped}"
        yield f"{outcome.row.title}\n{why}", "", "", "", "", ""
        return
    title = "\n".join([outcome.row.title, *figure.notes])
    yield title, *_show(figure.ours, figure.unit), "", figure.goal, _MET[figure.met]
    for item in figure.beside:
        name = f"  {item.contender.name}"
        if item.series is None:
            yield f"{name}\n  not measured: {item.contender.missing}", "", "", "", item.goal, ""
        else:
            ratio = "" if item.ratio is None else f"{item.ratio:.2f} x"
            yield name, *_show(item.series, figure.unit), ratio, item.goal, _MET[item.met]


def _show(series: Series, unit: str) -> tuple[str, str]:
    values = series.values
    return f"{_number(series.median)} {unit}", f"{_number(min(values))} to {_number(max(values))}"


def _number(value: float) -> str:
    """Three digits or so, never an exponent."""
    places = next((places for places, above in enumerate((100, 10, 1, 0.1)) if abs(value) >= above), 4)
    return f"{value:.{places}f}"


def _machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


if __name__ == "__main__":
    sys.exit(main())
