"""The runs of a leaderboard against each other: each pair on the tasks that both have played."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from debug_gym.report.leaderboard import Board, task_rates
from debug_gym.report.statistics import Paired, paired


@dataclass(frozen=True)
class Pair:
    """Two runs of one board."""

    first: str
    """Name of the run; it stands above the second one."""
    second: str
    compared: Paired


def pairs(board: Board) -> list[Pair]:
    """All pairs of runs that compete and share a judged task, in the board's order."""
    competing = [
        (entry.name, task_rates(entry.attempts))
        for entry, row in zip(board.entries, board.rows, strict=True)
        if not row.reference and not row.damage
    ]
    found = []
    for (first, ours), (second, theirs) in combinations(competing, 2):
        tasks = [task for task in ours if task in theirs]
        if tasks:
            compared = paired([ours[task] for task in tasks], [theirs[task] for task in tasks])
            found.append(Pair(first, second, compared))
    return found


def by_name(found: list[Pair]) -> Mapping[tuple[str, str], Paired]:
    """Each pair under both orders; the second one with its signs turned."""
    table = {(pair.first, pair.second): pair.compared for pair in found}
    return table | {(pair.second, pair.first): pair.compared.turned() for pair in found}
