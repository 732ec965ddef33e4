"""What a person sees of a run: a table of the workers on a terminal, one line per episode elsewhere."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from debug_gym.cli.screens.progress import PAUSE
from debug_gym.cli.screens.summary import STYLES, clock, count, price
from debug_gym.runs.config import RunConfig
from debug_gym.runs.scheduler import Began, Event, Fetching, Finished, Lost, Opened, Stepped, Stopping
from debug_gym.session import Attempt
from debug_gym.store.records import Result, Status

_STOPPING = "stopping: nothing new is started, unfinished episodes are given up (Ctrl-C again: at once)"


@contextmanager
def progress(console: Console, attempts: int) -> Iterator[Callable[[Event], None]]:
    """Show a run while it goes on; gives the function that takes its events.

    Args:
        console: where to show it; where it is no terminal, each finished episode gives one line.
        attempts: how many attempts of each task there are; with one, its number is not shown.
    """
    tally = Tally(numbered=attempts > 1)
    if not console.is_terminal:
        yield _Plain(console, tally)
        return
    board = _Board(console, tally)
    with Live(get_renderable=board.render, console=console, refresh_per_second=4, transient=True):
        yield board


def baseline_watched(config: RunConfig) -> AbstractContextManager[Callable[[Event], None]]:
    """Show a run that a command plays besides, on stderr: it is not what was asked for."""
    return progress(Console(stderr=True), config.attempts)


class Tally:
    """Counts results and guesses how long the rest will take."""

    def __init__(self, *, numbered: bool = False) -> None:
        self.numbered = numbered
        self.total = self.done = self.workers = self.max_steps = 0
        self.counts: dict[Status, int] = {"resolved": 0, "unresolved": 0, "error": 0}
        self.usage: Counter[str] = Counter()
        self._seconds: list[float] = []

    def open(self, event: Opened) -> None:
        """Begin with what an earlier start has finished."""
        manifest = event.run.manifest
        self.total, self.workers, self.max_steps = manifest.total, event.workers, manifest.config["max_steps"]
        for result in event.kept:
            self._count(result)

    def add(self, result: Result) -> None:
        """Count a new result."""
        self._count(result)
        self._seconds.append(result.seconds)

    def remaining(self) -> float | None:
        """Seconds until the end, guessed from the mean episode so far; None before the first one."""
        if not self._seconds:
            return None
        return (self.total - self.done) * sum(self._seconds) / len(self._seconds) / max(1, self.workers)

    def name(self, task: str, attempt: int) -> str:
        """How an attempt is shown."""
        return f"{task} #{attempt + 1}" if self.numbered else task

    def _count(self, result: Result) -> None:
        self.done += 1
        self.counts[result.status] += 1
        self.usage.update(result.usage)  # sums floats as well


class _Plain:
    """One line for each finished episode."""

    def __init__(self, console: Console, tally: Tally) -> None:
        self._console, self._tally = console, tally
        self._said = 0.0
        """When it was last told what is being fetched."""

    def __call__(self, event: Event) -> None:
        tally = self._tally
        if isinstance(event, Opened):
            tally.open(event)
            self._print(_opening(event))
        elif isinstance(event, Finished):
            tally.add(event.result)
            width = len(str(tally.total))
            left = tally.remaining()
            rest = f" (about {clock(left)} left)" if left else ""
            self._print(f"[{tally.done:{width}}/{tally.total}] {_line(event.result, tally)}{rest}")
        elif isinstance(event, Lost):
            self._print(_loss(event, tally))
        elif isinstance(event, Fetching):
            if time.monotonic() > self._said + PAUSE:
                self._said = time.monotonic()
                self._print(event.what)
        elif isinstance(event, Stopping):
            self._print(_STOPPING)

    def _print(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)


@dataclass
class _Row:
    """What one worker is doing."""

    attempt: Attempt
    since: float
    steps: int = 0
    tool: str = ""
    tests: str = ""
    usage: Counter[str] = field(default_factory=Counter)


class _Board:
    """The live table: one row a worker, totals below. Finished episodes scroll by above it."""

    def __init__(self, console: Console, tally: Tally) -> None:
        self._console, self._tally = console, tally
        self._rows: dict[int, _Row] = {}
        self._began = time.monotonic()
        self._stopping = False
        self._fetching = ("", 0.0)
        """What is being fetched, and when that was said."""

    def __call__(self, event: Event) -> None:
        match event:
            case Opened():
                self._tally.open(event)
                self._say(_opening(event), "dim")
            case Began(worker, attempt):
                self._rows[worker] = _Row(attempt, time.monotonic())
            case Stepped(worker, step, tests):
                row = self._rows[worker]
                row.steps, row.tool = step.index + 1, step.call.name
                row.usage.update(step.usage)
                if tests is not None:
                    row.tests = f"{tests[0]}/{tests[1]}"
            case Finished(worker, result):
                del self._rows[worker]
                self._tally.add(result)
                self._say(_line(result, self._tally), STYLES[result.status])
            case Lost(worker):
                del self._rows[worker]
                self._say(_loss(event, self._tally), STYLES["error"])
            case Fetching(what):
                self._fetching = (what, time.monotonic())
            case Stopping():
                self._stopping = True

    def _say(self, text: str, style: str) -> None:
        """One line above the table; what is too long for it is in the run's files."""
        self._console.print(Text(text, style=style), no_wrap=True, overflow="ellipsis")

    def render(self) -> RenderableType:
        """Called by the display's own thread."""
        now = time.monotonic()
        rows = [row for _, row in sorted(self._rows.items())]
        usage = sum((row.usage for row in rows), self._tally.usage)
        titles = ["task", "step", "last tool", "tests", "cost", "time"]
        if not usage:
            titles.remove("cost")
        table = Table(box=None, pad_edge=False, header_style="dim")
        for title in titles:
            left = title in {"task", "last tool"}
            table.add_column(title, justify="left" if left else "right", no_wrap=True, max_width=40)
        shown = max(1, self._console.height - 7)
        for row in rows[:shown]:
            table.add_row(*[cell for title, cell in self._cells(row, now).items() if title in titles])
        if len(rows) > shown:
            table.add_row(Text(f"and {len(rows) - shown} more", style="dim"))
        what, said = self._fetching
        news = [Text(what, style="dim", no_wrap=True, overflow="ellipsis")] if now < said + PAUSE else []
        return Group(table, *news, self._totals(now, usage))

    def _cells(self, row: _Row, now: float) -> dict[str, str | Text]:
        return {
            "task": Text(self._tally.name(row.attempt.task.id, row.attempt.number)),
            "step": f"{row.steps}/{self._tally.max_steps}",
            "last tool": Text(row.tool),
            "tests": row.tests,
            "cost": price(row.usage),
            "time": clock(now - row.since),
        }

    def _totals(self, now: float, usage: Mapping[str, float]) -> RenderableType:
        tally, counts = self._tally, self._tally.counts
        left = tally.remaining()
        parts = [f"{tally.done}/{tally.total}", f"[green]{counts['resolved']} resolved[/]"]
        if counts["error"]:
            parts.append(f"[red]{count(counts['error'], 'error')}[/]")
        parts += [price(usage), clock(now - self._began), f"about {clock(left)} left" if left else ""]
        if self._stopping:
            return Text(_STOPPING, style="yellow")
        bar = ProgressBar(
            total=max(1, tally.total), completed=tally.done, width=min(30, self._console.width // 4)
        )
        line = Table.grid(padding=(0, 2))
        line.add_row(bar, *[Text.from_markup(part) for part in parts if part])
        return line


def _opening(event: Opened) -> str:
    manifest = event.run.manifest
    parts = [count(len(manifest.tasks), "task"), count(manifest.total, "attempt")]
    if event.kept:
        parts.append(f"{len(event.kept)} already finished")
    if event.workers:
        parts.append(count(event.workers, "worker"))
    return f"{manifest.config['benchmark']}: {', '.join(parts)}"


def _loss(event: Lost, tally: Tally) -> str:
    return f"{tally.name(event.attempt.task.id, event.attempt.number)}: lost with its worker: {event.reason}"


def _line(result: Result, tally: Tally) -> str:
    name = tally.name(result.task, result.attempt)
    status = "open-ended" if result.open_ended else result.status
    text = f"{name}: {status}, {count(result.steps, 'step')}, {result.seconds:.1f} s"
    if status == "unresolved":
        text += f", {result.fail_to_pass:.0%} of fail-to-pass"
    if result.unplayed:
        text += f", {count(result.unplayed, 'reply', 'replies')} without a call"
    return f"{text}: {result.reason}" if result.reason else text
