"""One HTML file with everything in it: leaderboards, figures, and every step of every episode."""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from debug_gym.errors import ConfigError
from debug_gym.report import tables
from debug_gym.report.bundle import STATIC, bundle
from debug_gym.report.episodes import Facts, read
from debug_gym.report.figures import Figure, Series, draw
from debug_gym.report.leaderboard import Board, Row, boards
from debug_gym.report.load import Entry
from debug_gym.report.quality import Quality

_LONGEST_LABEL = 60


@dataclass(frozen=True)
class Section:
    """A board with its figures, as the template shows it."""

    board: Board
    figures: Sequence[Figure]

    @property
    def rows(self) -> Iterator[tuple[Row, list[str]]]:
        """The rows with their remarks."""
        return ((row, tables.remarks(row)) for row in self.board.rows)

    def has(self, name: str) -> bool:
        """Whether a figure is known of any row; columns without one are left out."""
        return any(getattr(row, name) is not None for row in self.board.rows)


def write(entries: Sequence[Entry], path: Path, qualities: Sequence[Quality] = ()) -> None:
    """Write the report of runs, with a page about each benchmark whose quality is known.

    Raises:
        ConfigError: the file cannot be written.
    """
    try:
        with path.open("wb") as file:
            render(entries, file, qualities)
    except OSError as error:
        raise ConfigError(f"the report cannot be written to {path}: {error.strerror}") from None


def render(entries: Sequence[Entry], file: IO[bytes], qualities: Sequence[Quality] = ()) -> None:
    """Write the page's text. Equal runs give equal pages but for the date."""
    episodes: list[str] = []
    index: dict[str, Any] = {}
    facts: dict[str, list[Facts]] = {}
    for entry in entries:
        index[entry.name], facts[entry.name] = _add(entry, episodes)
    found = boards(entries)
    sections = [Section(board, draw(_series(board, facts))) for board in found]
    plan = [
        {
            "benchmark": board.benchmark,
            "tasks": board.tasks,
            "runs": [entry.name for entry in board.entries],
        }
        for board in found
    ]
    style = (STATIC / "style.css").read_text(encoding="utf-8")
    script = bundle("app.js")
    page = environment().get_template("page.html.j2")
    page.stream(
        sections=sections,
        qualities=qualities,
        created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        index=_embedded({"boards": plan, "runs": index}),
        episodes=episodes,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    ).dump(file, encoding="utf-8")


def _series(board: Board, facts: Mapping[str, Sequence[Facts]]) -> list[Series]:
    """What the figures draw of each run, under labels that tell the runs apart."""
    used = Counter(entry.label for entry in board.entries)
    return [
        Series(
            _short(entry.label) if used[entry.label] == 1 else f"{_short(entry.label)} · {entry.name}",
            facts[entry.name],
            number,
        )
        for number, entry in enumerate(board.entries)
    ]


def _short(label: str) -> str:
    """What fits over a figure: an agent may be a whole command."""
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"


def _add(entry: Entry, episodes: list[str]) -> tuple[dict[str, Any], list[Facts]]:
    """What the page's index says of a run; its episodes are appended, and counted."""
    attempts, counted = [], []
    for attempt in entry.attempts:
        episode = read(entry, attempt)
        result = attempt.result
        attempts.append(
            {
                "task": attempt.task,
                "attempt": attempt.number,
                "state": attempt.state,
                "steps": result.steps if result is not None else None,
                "seconds": result.seconds if result is not None else None,
                "reason": result.reason if result is not None else "",
                "cheating": attempt.cheating,
                "unguarded": attempt.unguarded,
                "disputed": attempt.disputed,
                "episode": len(episodes) if episode is not None else None,
            }
        )
        if episode is not None:
            episodes.append(episode.packed)
            counted += [episode.facts] if episode.facts is not None else []
    manifest = entry.run.manifest
    about = {
        "label": entry.label,
        "reference": entry.reference,
        "config": manifest.config,
        "version": manifest.benchmark_version,
        "versions": manifest.versions,
        "created": manifest.created,
        "attempts": attempts,
    }
    return about, counted


def environment() -> Environment:
    """The templates, with what they call."""
    environment = Environment(
        loader=FileSystemLoader(STATIC),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": tables.percent,
        "number": tables.number,
        "money": tables.money,
    }
    environment.globals["incomparable"] = tables.INCOMPARABLE
    return environment


def _embedded(data: Any) -> str:
    """JSON that no HTML parser can see anything in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _hash(text: str) -> str:
    """What the page's policy lets run or style it: this text and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
