"""What the stored runs show: a section for each benchmark, in it a cell for each model and agent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from paper.grid import AGENTS

from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.report.episodes import Facts, is_rewrite, read
from debug_gym.report.leaderboard import Board, Row, boards
from debug_gym.report.load import Entry, StoredAttempt, load
from debug_gym.report.statistics import mean


@dataclass(frozen=True)
class Cell:
    """How one agent did with one model."""

    row: Row
    """Success, steps and tokens, as on a leaderboard."""
    episodes: tuple[Facts, ...]
    """The judged ones whose trajectories can be read."""
    removed: float | None
    """Lines that a successful rewrite removes, on average; None without rewrites."""
    added: float | None
    kept: float | None
    """Of the attempts that `rewrite` resolved, the share that this agent resolved with the same seed; None if
    there are none, and for `rewrite` itself."""

    @property
    def rewrites(self) -> float | None:
        """Successful rewrites in an episode, on average."""
        return mean([facts.rewrites for facts in self.episodes])


@dataclass(frozen=True)
class Section:
    """One benchmark."""

    board: Board
    models: dict[str, dict[str, Cell]]
    """Model to agent to cell, as far as there are runs."""

    @property
    def cells(self) -> list[tuple[str, str, Cell]]:
        """Model, agent and cell."""
        return [(model, agent, cell) for model, cells in self.models.items() for agent, cell in cells.items()]


def sections(folder: Path) -> list[Section]:
    """Everything that the paper's agents did in the runs below a folder.

    Raises:
        ConfigError: there are no runs of these agents, or two for the same cell.
        DebugGymError: a run's results are damaged.
    """
    entries = [entry for entry in load([folder]) if entry.agent in AGENTS]
    if not entries:
        raise ConfigError(f"no run below {folder} is of the agents {', '.join(AGENTS)}")
    return [_section(board) for board in boards(entries)]


def _section(board: Board) -> Section:
    found: dict[tuple[str, str], tuple[Row, Entry]] = {}
    for row, entry in zip(board.rows, board.entries, strict=True):
        key = entry.model, entry.agent
        if key in found:
            raise ConfigError(
                f"{found[key][1].run.path} and {entry.run.path} are both runs of {entry.agent} with "
                f"{entry.model} on {entry.benchmark}: move one of them elsewhere"
            )
        found[key] = row, entry
    models = {
        model: {
            agent: _cell(*found[model, agent], found.get((model, "rewrite")))
            for agent in AGENTS
            if (model, agent) in found
        }
        for model in sorted({model for model, _ in found})
    }
    return Section(board, models)


def _cell(row: Row, entry: Entry, rewrite: tuple[Row, Entry] | None) -> Cell:
    episodes = (read(entry, attempt) for attempt in entry.attempts)
    sizes = list(_sizes(entry))
    return Cell(
        row=row,
        episodes=tuple(episode.facts for episode in episodes if episode is not None and episode.facts),
        removed=mean([removed for removed, _ in sizes]),
        added=mean([added for _, added in sizes]),
        kept=_kept(entry, rewrite[1]) if rewrite is not None and rewrite[1] is not entry else None,
    )


def _sizes(entry: Entry) -> Iterable[tuple[int, int]]:
    """Lines removed and added by each successful rewrite of the judged episodes."""
    for attempt in entry.attempts:
        if attempt.state not in ("resolved", "unresolved"):
            continue
        try:
            steps = entry.run.trajectory(attempt.task, attempt.number).steps
        except DebugGymError:  # it is damaged, which the report of the run says
            continue
        for step in steps:
            if is_rewrite(step):
                signs = [line[:1] for line in str(step.observation.data.get("diff", "")).splitlines()[2:]]
                yield signs.count("-"), signs.count("+")


def _kept(entry: Entry, rewrite: Entry) -> float | None:
    states = _states(entry.attempts)
    won = [key for key, state in _states(rewrite.attempts).items() if state and key in states]
    return mean([float(states[key]) for key in won])


def _states(attempts: Sequence[StoredAttempt]) -> dict[tuple[str, int], bool]:
    """Whether each judged attempt is resolved."""
    return {
        (attempt.task, attempt.number): attempt.state == "resolved"
        for attempt in attempts
        if attempt.state in ("resolved", "unresolved")
    }
