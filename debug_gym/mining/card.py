"""The folder's own words: ``benchmark.yaml`` and a data card, made of the tasks that lie in it."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import yaml

from debug_gym.benchmarks.folder import DESCRIPTION, FolderBenchmark
from debug_gym.mining.base import STAGES
from debug_gym.mining.ledger import Outcome
from debug_gym.store.writer import write_atomically
from debug_gym.task import Task

CARD = "README.md"


def describe(folder: Path, name: str, kind: str, origin: str, outcomes: Sequence[Outcome]) -> int:
    """Write ``benchmark.yaml`` and the data card, for what lies in a folder now; gives the number of tasks.

    Args:
        folder: of the benchmark.
        name: of the benchmark.
        kind: of the source.
        origin: what was mined.
        outcomes: of all candidates so far.
    """
    said = {
        "name": name,
        "description": f"Mined by debug-gym mine {kind} from {origin}.",
        "card": {"source": origin},
    }
    _dump(folder, said)
    benchmark = FolderBenchmark(folder)
    tasks = [benchmark.task(task) for task in benchmark.ids()]
    licences = sorted({str(task.metadata.get("licence", "")) for task in tasks})
    card = {"source": origin, "licence": " and ".join(licences)}
    _dump(folder, {**said, "version": _version(tasks), "card": card})
    write_atomically(folder / CARD, _card(name, kind, origin, tasks, outcomes))
    return len(tasks)


def fallen(outcomes: Sequence[Outcome]) -> list[tuple[str, str, int]]:
    """Stage, reason and number of the candidates that fell there, in the order of the stages."""
    counts = Counter((outcome.stage, outcome.why) for outcome in outcomes if outcome.stage)
    order = sorted(counts.items(), key=lambda item: (STAGES.index(item[0][0]), -item[1]))
    return [(stage, why, count) for (stage, why), count in order]


def _dump(folder: Path, said: object) -> None:
    write_atomically(folder / DESCRIPTION, yaml.safe_dump(said, sort_keys=False, allow_unicode=True))


def _version(tasks: Sequence[Task]) -> str:
    """A digest of the tasks. Where they lie is no part of them."""
    digest = hashlib.sha256()
    for task in tasks:
        source = task.source.model_copy(update={"path": Path()})
        digest.update(task.model_copy(update={"source": source}).model_dump_json().encode())
    return digest.hexdigest()[:16]


def _card(name: str, kind: str, origin: str, tasks: Sequence[Task], outcomes: Sequence[Outcome]) -> str:
    made, looked = len(tasks), len(outcomes)
    lines = [
        f"# {name}",
        "",
        f"{made} tasks, mined by `debug-gym mine {kind}` from {origin}. Of {looked} candidates, "
        f"{looked - sum(bool(item.stage) for item in outcomes)} became a task. Each was proven: its tests "
        "fail with the bug and pass with the fix, again and again in random order, and the judge resolves "
        "the fix and nothing less.",
        "",
        "```sh",
        "debug-gym validate .    # prove the tasks again",
        "debug-gym run . --agent repair",
        "```",
        "",
        "| task | licence | failing tests | other tests | controls | lines of the fix | calls to the cause |",
        "|---|---|--:|--:|--:|--:|--:|",
        *map(_row, tasks),
        "",
        "## Where candidates fell",
        "",
        "| stage | why | candidates |",
        "|---|---|--:|",
        *(f"| {stage} | {why} | {count} |" for stage, why, count in fallen(outcomes)),
        "",
        "## What is in it",
        "",
        "A folder a task: the statement and the tests that decide (`task.yaml`), the bug (`bug.patch`), one "
        "fix (`gold.patch`), the full tests (`hidden/`), edits of them after which they must fail "
        "(`controls.json`). The repositories lie in `_sources`, without history. The code is that of its "
        "authors, under the licence that the table names.",
        "",
    ]
    return "\n".join(lines)


def _row(task: Task) -> str:
    patch = (task.gold_patch or "").splitlines()
    size = sum(line.startswith(("+", "-")) and not line.startswith(("+++", "---")) for line in patch)
    distance = task.metadata.get("distance") or {}
    tests = task.tests
    cells = (
        task.id,
        task.metadata.get("licence", ""),
        len(tests.fail_to_pass),
        len(tests.pass_to_pass),
        len(tests.controls),
        size,
        distance.get("calls", ""),
    )
    return f"| {' | '.join(map(str, cells))} |"
