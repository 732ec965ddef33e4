"""The table of a validation: which tasks are sound, and what is wrong with the others."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from debug_gym.checks.validate import Validation
from debug_gym.cli.screens.summary import clock


def show(console: Console, validations: Sequence[Validation], *, repeats: int) -> None:
    """Print a table of the tasks and what is wrong with them."""
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    table.add_column("task", overflow="fold")
    table.add_column("sound")
    table.add_column("gold patch", justify="right")
    table.add_column("controls", justify="right")
    table.add_column("odds", justify="right")
    table.add_column("time", justify="right")
    for item in validations:
        verdict = Text("yes", style="green") if item.sound else Text("no", style="red")
        table.add_row(Text(item.task), verdict, *_counts(item, repeats), clock(item.seconds))
    console.print(table)
    for item in validations:
        for problem in item.problems:
            console.print(Text.assemble((item.task, "bold red"), f": {problem}"), soft_wrap=True)
        if item.excluded:
            console.print(
                Text.assemble((item.task, "bold"), f": unstable, not counted: {', '.join(item.excluded)}"),
                soft_wrap=True,
            )


def _counts(item: Validation, repeats: int) -> tuple[str, str, str]:
    """How often the gold patch was judged a fix, a verdict's negative controls, and the odds of forging."""
    if item.open_ended:
        return "open-ended", "-", "-"
    odds = f"{item.odds:.0e}" if item.odds < 1 else "-"
    return f"{item.resolved}/{repeats}", str(item.controls) if item.controls else "none possible", odds
