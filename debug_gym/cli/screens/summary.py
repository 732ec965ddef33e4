"""The end of a run in a few lines: a table of the tasks, the totals, and where everything is stored."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from debug_gym.cli.invoked import command
from debug_gym.runs.scheduler import Execution
from debug_gym.store.records import Result, Status

STYLES: dict[Status, str] = {"resolved": "green", "unresolved": "yellow", "error": "red"}


def summarize(console: Console, outcome: Execution) -> None:
    """Print the result of each task, the totals, and where the run is stored."""
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    table.add_column("task", overflow="fold")
    table.add_column("status")
    for title in ("steps", "seconds", "fail-to-pass"):
        table.add_column(title, justify="right")
    groups: dict[str, list[Result]] = {}
    for result in outcome.results:
        groups.setdefault(result.task, []).append(result)
    for task, results in groups.items():
        table.add_row(Text(task), _status(results), *_means(results))
    if groups:
        console.print(table)
    for line in _totals(outcome):
        console.print(line, soft_wrap=True, highlight=False)


def _status(results: list[Result]) -> Text:
    """The status of the only attempt, or how many of several are resolved."""
    judged = [result for result in results if result.status != "error"]
    if judged and judged[0].open_ended:
        return Text("open-ended")
    if len(results) == 1 or not judged:
        return Text(results[0].status, style=STYLES[results[0].status])
    resolved = sum(result.status == "resolved" for result in judged)
    errors = len(results) - len(judged)
    also = f", {count(errors, 'error')}" if errors else ""
    return Text(f"{resolved}/{len(judged)} resolved{also}", style="green" if resolved else "yellow")


def _means(results: list[Result]) -> tuple[str, str, str]:
    judged = [result for result in results if result.status != "error"]
    if not judged:
        return "", "", ""
    steps = fmean(result.steps for result in judged)
    seconds = fmean(result.seconds for result in judged)
    share = "" if judged[0].open_ended else f"{fmean(result.fail_to_pass for result in judged):.0%}"
    return f"{steps:.3g}", f"{seconds:.1f}", share


def _totals(outcome: Execution) -> Iterator[str]:
    judged = [result for result in outcome.results if result.status != "error"]
    errors = [result for result in outcome.results if result.status == "error"]
    path = escape(str(outcome.run.path))
    if answers := [result for result in judged if result.open_ended]:
        yield (
            f"[bold]{count(len(answers), 'open-ended attempt')}[/], which a model or a person grades: "
            f"[cyan]{escape(command())} grade {path}[/]"
        )
    if judged and not answers:
        resolved = sum(result.status == "resolved" for result in judged)
        steps = fmean(result.steps for result in judged)
        yield (
            f"[bold]resolved {resolved}/{len(judged)} ({resolved / len(judged):.1%})[/], "
            f"{steps:.1f} steps on average, in {clock(outcome.seconds)}"
        )
    if cost := _cost(outcome.results):
        yield cost
    if errors:
        first = escape(errors[0].reason)
        yield f"[red]{len(errors)} ended in an infrastructure error, such as: {first}[/]"
    if partial := sum(result.omitted > 0 for result in outcome.results):
        yield (
            f"[yellow]{count(partial, 'patch')} cannot show all that counted and may not give the same "
            "verdict: see `omitted` in the last line of the trajectory[/]"
        )
    if outcome.given_up:
        yield "[red]nothing could be played, so the other attempts were not begun[/]"
    left = outcome.run.manifest.total - len(judged)
    if left:
        yield f"{count(left, 'attempt')} left: the same command again resumes the run"
    yield f"stored in {path}; to look at it: [cyan]{escape(command())} report {path}[/]"


def _cost(results: Sequence[Result]) -> str:
    """What the model calls of all attempts cost together; empty where there were none."""
    usage: Counter[str] = Counter()
    for result in results:
        usage.update(result.usage)  # sums floats as well
    parts = [
        f"{usage[key]:,.0f} {key.replace('_', ' ')}"
        for key in ("input_tokens", "output_tokens")
        if usage[key]
    ]
    if usage["dollars"]:
        parts.append(f"{usage['dollars']:.2f} dollars")
    return ", ".join(parts)


def price(usage: Mapping[str, float]) -> str:
    """What models cost, in short: dollars where prices are known, else tokens; empty without a model."""
    tokens = usage.get("input_tokens", 0.0) + usage.get("output_tokens", 0.0)
    if dollars := usage.get("dollars"):
        return f"${dollars:.2f}"
    if not tokens:
        return ""
    return f"{tokens / 1e6:.1f}M tokens" if tokens >= 1e6 else f"{tokens / 1e3:.1f}k tokens"


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 task``, ``2 tasks``, ``2 patches``; ``plural`` where it is none of these."""
    ending = "es" if noun.endswith("ch") else "s"
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + ending}"


def clock(seconds: float) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
