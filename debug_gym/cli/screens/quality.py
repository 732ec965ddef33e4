"""The quality of a benchmark in the terminal: the whole in a few lines, and how it is spread."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from debug_gym.report.quality import BOUND, Quality


def show_quality(console: Console, quality: Quality, folder: Path) -> None:
    """Print the quality of all tasks that were validated, now or earlier, and where it is kept."""
    table = Table(show_header=False, show_edge=False, pad_edge=False, box=None)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for title, text in quality.lines():
        table.add_row(title, Text(text))
    for title, counts in quality.spreads_shown:
        shown = "; ".join(f"{name}: {number}" for name, number in counts)
        table.add_row(title, Text(shown))
    console.print()
    console.print(table)
    tested = len(quality.tasks)
    bound = sum(item.odds <= BOUND for item in quality.tasks)
    console.print(
        f"{quality.sound}/{tested} tasks are sound, {bound}/{tested} bound forging: "
        f"the odds that it passes are at most 1 in {1 / BOUND:.0f}",
        highlight=False,
        soft_wrap=True,
    )
    console.print(Text(f"kept in {folder}; as a page:  debug-gym report {folder}"), soft_wrap=True)
