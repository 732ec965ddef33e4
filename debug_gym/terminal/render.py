"""What the panes show, as rich renderables: answers, tests, calls, the verdict."""

import re
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from debug_gym.episode import Step, Verdict
from debug_gym.store.records import Result
from debug_gym.terminal.game import Game
from debug_gym.terminal.grammar import DEBUGGER, describe
from debug_gym.terminal.place import split_output

MARKS = {
    "passed": ("✓", "green"),
    "xfailed": ("✓", "green"),
    "failed": ("✗", "red"),
    "error": ("✗", "red"),
    "xpassed": ("✗", "red"),
}
"""Outcome of a test to its mark and colour; all others are skipped."""
SKIPPED = ("-", "yellow")
_PROSE = re.compile(r"(?!\d+[.)] )[\w\"'(`<]")
"""How a line of a paragraph begins."""
_DIFF = (
    (r"\+\+\+|---|@@|diff ", "dim"),
    (r"\+", "green"),
    ("-", "red"),
    (r"\[", "yellow"),
)
_STARTS = {
    "eval": (("FAILED |failed: |error: |E  ", "red"), (">", "bold")),
    DEBUGGER: ((r"\*\*\* ", "red"), ("note: ", "yellow"), (r" *\d+ .?->", "bold")),
}
"""How lines of an answer look, by their first characters."""


def problem(text: str) -> Text:
    """What the player is told, to the letter, but with the lines of each paragraph joined."""
    shown: list[str] = []
    fenced = joins = False
    for line in text.split("\n"):
        fence = line.startswith("```")
        plain = not fenced and not fence and _PROSE.match(line) is not None
        if joins and plain:
            shown[-1] += " " + line
        else:
            shown.append(line)
        fenced, joins = fenced != fence, plain
    return Text("\n".join(shown))


def mark(outcome: str) -> Text:
    """A test's outcome as a character."""
    return Text(*MARKS.get(outcome, SKIPPED))


def call_line(step: Step) -> Text:
    """One step in the history."""
    sign, style = ("✗", "red") if step.observation.error else (" ", "")
    return Text.assemble((f"{step.index + 1:>3} ", "dim"), (f"{sign} ", style), describe(step.call))


def answer(step: Step) -> Text:
    """A call and what came back, without what the program wrote."""
    text = Text.assemble(("> ", "bold cyan"), (describe(step.call), "bold"), "\n")
    said = step.observation.text
    if step.call.name == DEBUGGER:
        said = split_output(said)[0]
    if step.observation.error:
        return text.append(said + "\n", "red")
    changed = "diff" in step.observation.data
    return text.append_text(_lines(said, _DIFF if changed else _STARTS.get(step.call.name, ())))


def _lines(text: str, starts: Sequence[tuple[str, str]]) -> Text:
    """A text whose lines look as their first characters say."""
    shown = Text()
    for line in text.split("\n"):
        shown.append(line + "\n", next((style for start, style in starts if re.match(start, line)), ""))
    return shown


def headline(game: Game, running: str = "") -> Text:
    """The line at the top: task, what runs, tests, steps, where the program stands."""
    good, total = game.tests
    line = Text.assemble((" debug-gym ", "bold reverse"), " ", (game.task.id, "bold"), no_wrap=True)
    if running:
        line.append(f"  {running}", "bold cyan")
    if total:
        line.append(f"  {good}/{total} tests", "bold green" if good == total else "bold red")
    limit = f"/{game.max_steps}" if game.max_steps else ""
    line.append(f"  step {len(game.steps)}{limit}", "dim")
    if game.place is not None:
        place = game.place
        line.append(f"  ▶ {place.file}:{place.line} {place.function}", "bold")
        line.append(f" ({place.reason})" if place.reason else "", "dim")
    return line


def verdict(result: Result, found: Verdict, patch: str) -> RenderableType:
    """How the attempt went: the verdict, the tests, what cheats, what changed."""
    style = {"resolved": "green", "unresolved": "yellow"}.get(result.status, "red")
    title = Text.assemble((f" {result.status.upper()} ", f"bold reverse {style}"), f"  {result.task}")
    title.append(f"  {result.steps} steps, {result.seconds:.0f} s, {result.ending}", "dim")
    parts: list[RenderableType] = [title]
    if result.reason:
        parts.append(Text(result.reason, style))
    parts += [Padding(part, (1, 0, 0, 0)) for part in _details(found)]
    if patch:
        parts.append(Padding(Text("your changes", "bold"), (1, 0, 0, 0)))
        parts.append(_lines(patch, _DIFF))
    return Group(*parts)


def _details(found: Verdict) -> Iterator[RenderableType]:
    if found.cheating:
        lines = Text("what looks like cheating\n", "bold red")
        yield lines.append("\n".join(f"  {line}" for line in found.cheating), "red")
    if found.resolved and found.doubts:
        lines = Text("doubts\n", "bold yellow")
        yield lines.append("\n".join(f"  {line}" for line in found.doubts))
    if found.expected:
        table = Table.grid(padding=(0, 1))
        for test, wanted in found.expected.items():
            seen = found.seen.get(test, "missing")
            good = seen == wanted
            note = seen if wanted == "passed" else f"{seen}, should be {wanted}"
            table.add_row(
                Text("✓", "green") if good else Text("✗", "red"),
                Text(test),
                Text("" if good else note, "red"),
            )
        yield Group(Text("tests of the judge", "bold"), table)
    if found.rejected:
        lines = Text("changes that did not count\n", "bold yellow")
        yield lines.append("\n".join(f"  {line}" for line in found.rejected))
    if found.controls:
        yield Text(f"{found.controls} negative controls of the tests failed, as they should", "dim")
