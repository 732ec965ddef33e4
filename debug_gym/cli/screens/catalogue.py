"""What ``debug-gym list`` shows: every registered thing with a sentence about it, and a benchmark's tasks."""

from debug_gym import plugins
from debug_gym.benchmarks.base import Benchmark, Tasks
from debug_gym.benchmarks.data import NotFetchedError, only_at_hand
from debug_gym.errors import DebugGymError


def plugin_rows(kind: str) -> list[tuple[str, str, str]]:
    """Kind, name and a sentence (or why it cannot be loaded) for each plugin of a group."""
    return [(plugins.KINDS[kind], name, _describe(kind, name)) for name in plugins.names(kind)]


def card_lines(benchmark: Benchmark) -> list[str]:
    """What is known of a benchmark: a sentence about it, its version, and its card."""
    said = {
        "version": benchmark.version,
        **benchmark.card.model_dump(),
        "splits": ", ".join(benchmark.splits),
    }
    lines = [f"{name}: {' '.join(text.split())}" for name, text in said.items() if text]
    return [benchmark.description, *lines] if benchmark.description else lines


def task_rows(tasks: Tasks) -> list[tuple[str, str, str]]:
    """Id, category and first sentence of the problem for each task."""
    return [
        (name, str(task.metadata.get("category", "")), _first_sentence(task.problem))
        for name, task in tasks.items()
    ]


def all_task_rows() -> tuple[list[tuple[str, str, str, str]], list[str]]:
    """The tasks of every benchmark that can be made with no options and whose data is at hand, after its
    name; and the benchmarks whose data was not fetched yet."""
    rows, missing = [], []
    for name in plugins.names("benchmarks"):
        try:
            benchmark = plugins.make("benchmarks", name, {})
        except DebugGymError:  # it needs some
            continue
        try:
            with only_at_hand():
                rows += [(name, *row) for row in task_rows(Tasks(benchmark, tuple(benchmark.ids())))]
        except NotFetchedError:
            missing.append(name)
    return rows, missing


def _describe(kind: str, name: str) -> str:
    try:
        found = plugins.load(kind, name)
    except (DebugGymError, ImportError) as error:
        return f"cannot be loaded: {error}"
    return _first_sentence(getattr(found, "description", "") or found.__doc__ or "")


def _first_sentence(text: str) -> str:
    sentence, dot, _ = " ".join(text.replace("``", "").split()).partition(". ")
    return sentence + dot.strip()
