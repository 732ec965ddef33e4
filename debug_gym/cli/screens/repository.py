"""What a person is told of a repository of one's own before anybody plays it."""

from rich.console import Console
from rich.text import Text

from debug_gym.cli.screens.summary import count
from debug_gym.runners import runner_of
from debug_gym.runs.plan import Plan
from debug_gym.runs.sightings import Sighting

SHOWN = 20
"""Files that look like secrets and are named."""


def look_at(console: Console, plan: Plan) -> list[Sighting]:
    """Run the tests once where nobody has validated them, and say how that went; gives what looks like a
    secret and that the run's model could read.

    Raises:
        TaskError: nothing can be played like this; the message says why and what may help.
    """
    if hint := runner_of(plan.tasks.first.tests).hint:
        console.print(f"[dim]{hint[0].upper()}{hint[1:]}.[/]")
    found = plan.first_look()
    if found is not None:
        console.print(Text(found.sentence, "" if found.failing else "yellow"), soft_wrap=True)
    return plan.sightings()


def tell(console: Console, seen: list[Sighting]) -> None:
    """List what looks like a secret."""
    console.print(
        Text(f"What looks like a secret and the model can read: {count(len(seen), 'file')}", "yellow"),
        soft_wrap=True,
    )
    for item in seen[:SHOWN]:
        console.print(Text(f"  {item.path} ({item.why})"), soft_wrap=True)
    if len(seen) > SHOWN:
        console.print(f"  and {len(seen) - SHOWN} more")
    console.print(Text("-b exclude=PATH keeps one out of the sandbox.", "dim"), soft_wrap=True)
