"""The catalogue of what is offered."""

from typing import Iterable, Tuple


def grade(score: float) -> str:
    """The grade that belongs to a score."""
    if score >= 85:
        return "reserve"
    return "specialty" if score >= 80 else "commercial"


def render(lots: Iterable[Tuple[str, float]]) -> str:
    """One line a lot: its place, name and grade. Scores are not printed, buyers taste for themselves."""
    rows = [f"{place:>2}. {name:<14}{grade(score)}" for place, (name, score) in enumerate(lots, 1)]
    return "\n".join(rows) if rows else "nothing is offered"
