"""What mining shows: how far it is while it works, and where candidates fell at the end."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

from debug_gym.cli.screens.progress import PAUSE
from debug_gym.cli.screens.summary import clock, count
from debug_gym.mining.card import fallen
from debug_gym.mining.ledger import Outcome


@contextmanager
def watched(what: str) -> Iterator[Callable[[Outcome], None]]:
    """Say on stderr how many candidates were looked at and became tasks. Gives a function to tell of each."""
    console = Console(stderr=True)
    began = last = time.monotonic()
    looked = made = 0

    def line(outcome: Outcome) -> Text:
        nonlocal looked, made
        looked += 1
        made += not outcome.stage
        word = f"{outcome.id} is a task" if not outcome.stage else f"{outcome.id}: {outcome.why}"
        took = clock(time.monotonic() - began)
        return Text(f"{what}: {count(looked, 'candidate')}, {count(made, 'task')}, {took}: {word}")

    if console.is_terminal:
        with console.status(Text(f"{what}: looking for candidates")) as status:
            yield lambda outcome: status.update(line(outcome))
        return
    console.print(Text(f"{what}: looking for candidates"), soft_wrap=True)

    def tell(outcome: Outcome) -> None:
        nonlocal last
        said = line(outcome)
        if not outcome.stage or time.monotonic() - last >= PAUSE:
            last = time.monotonic()
            console.print(said, soft_wrap=True)

    yield tell


def show(console: Console, outcomes: Sequence[Outcome], folder: str, made: int) -> None:
    """Print the table of where candidates fell and why, and what to do with the tasks."""
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    table.add_column("stage")
    table.add_column("why")
    table.add_column("candidates", justify="right")
    table.add_column("for example", overflow="fold")
    for stage, why, number in fallen(outcomes):
        first = next(item for item in outcomes if (item.stage, item.why) == (stage, why))
        table.add_row(
            stage, why, str(number), Text(first.id + (f": {first.detail[:100]}" if first.detail else ""))
        )
    tasks = [item for item in outcomes if not item.stage]
    table.add_row("", Text("tasks", "green"), str(len(tasks)), Text(tasks[0].id if tasks else ""))
    console.print(table)
    for item in tasks:
        if item.detail:
            console.print(Text(f"{item.id} has the template's statement: {item.detail}"), soft_wrap=True)
    if made:
        console.print(
            Text(f"{count(made, 'task')} in {folder}; to play:  debug-gym run {folder} --agent repair"),
            soft_wrap=True,
        )
    else:
        console.print(Text(f"no tasks in {folder}; the table says why"), soft_wrap=True)
