"""The table of an audit: how many tasks each attack would have scored on, under each harness."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from debug_gym.checks.audit import LEVELS, AttackResult


def show(console: Console, attempts: Sequence[AttackResult], *, tasks: int) -> None:
    """Print how many of the tasks each attack would have scored on, under each harness."""
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    table.add_column("attack", overflow="fold")
    for level in LEVELS:
        table.add_column(level, justify="right")
    for name in dict.fromkeys(attempt.attack for attempt in attempts):
        mine = [attempt for attempt in attempts if attempt.attack == name]
        counts = [sum(attempt.scored[i] for attempt in mine) for i in range(len(LEVELS))]
        table.add_row(Text(name), *(_cell(count, tasks) for count in counts))
    console.print(table)
    for attempt in attempts:
        if attempt.scored[-1]:
            line = Text.assemble((attempt.attack, "bold red"), f" is judged to resolve {attempt.task}")
            console.print(line, soft_wrap=True)
    names = {attempt.attack for attempt in attempts}
    scored = [{item.attack for item in attempts if item.scored[i]} for i in range(len(LEVELS))]
    ends = ", ".join(f"{len(hits)} under {level}" for level, hits in zip(LEVELS, scored, strict=True))
    console.print(
        f"{len(names)} attacks, {tasks} task{'s' * (tasks != 1)}; that score on any: {ends}", highlight=False
    )


def _cell(count: int, tasks: int) -> Text:
    if not count:
        return Text("stopped", style="green")
    return Text("scores" if tasks == 1 else f"scores on {count}", style="red")
