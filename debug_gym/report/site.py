"""A leaderboard as a static site: an overview, a page for each task, the report of each run, the bundles.

Nothing is fetched from elsewhere, and no server is needed: a folder to open, or to put on any host of files.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from debug_gym.errors import ConfigError, DebugGymError, HostError
from debug_gym.report import tables
from debug_gym.report.bundle import STATIC, bundle
from debug_gym.report.history import history
from debug_gym.report.leaderboard import Board, Row, boards
from debug_gym.report.load import Entry, StoredAttempt
from debug_gym.report.page import environment, write
from debug_gym.report.pairs import by_name, pairs
from debug_gym.report.statistics import Paired
from debug_gym.report.submissions import Submission
from debug_gym.task import file_name

MARK = ".debug-gym-site"
"""Lies in a folder that a site was written into, so that nothing else is ever replaced."""


@dataclass(frozen=True)
class Line:
    """A row of a board with what its submission adds."""

    row: Row
    entry: Entry
    submission: Submission

    @property
    def file(self) -> str:
        """What its files are called."""
        return file_name(self.entry.name)

    @property
    def date(self) -> str:
        """The day on which the run was begun."""
        return self.entry.run.manifest.created[:10]

    @property
    def remarks(self) -> list[str]:
        """What one has to know to judge it."""
        return tables.remarks(self.row)

    @property
    def cost(self) -> float | None:
        """Dollars for an attempt; 0 where there is no model."""
        return self.row.dollars if self.entry.model else 0.0


@dataclass(frozen=True)
class TaskPage:
    """A task and all attempts at it."""

    task: str
    problem: str
    attempts: Sequence[tuple[Line, Sequence[StoredAttempt]]]

    @property
    def file(self) -> str:
        """Of its page."""
        return f"{file_name(self.task)}.html"

    @property
    def solved(self) -> int:
        """How many runs that compete have resolved it in one attempt at least."""
        return sum(any(one.state == "resolved" for one in tries) for _, tries in self._competing)

    @property
    def judged(self) -> int:
        """How many have a verdict on it."""
        return sum(
            any(one.state in ("resolved", "unresolved") for one in tries) for _, tries in self._competing
        )

    @property
    def _competing(self) -> list[tuple[Line, Sequence[StoredAttempt]]]:
        return [(line, tries) for line, tries in self.attempts if not line.row.reference]


@dataclass(frozen=True)
class Section:
    """A board, as the templates show it."""

    board: Board
    lines: Sequence[Line]
    tasks: Sequence[TaskPage]
    history: str
    versus: dict[tuple[str, str], Paired]

    @property
    def folder(self) -> str:
        """Of the pages of its tasks, below ``tasks``."""
        return f"{file_name(Path(self.board.benchmark).name or 'tasks')}-{file_name(self.board.version)}"

    @property
    def competing(self) -> list[Line]:
        """Those of whom pairs are compared."""
        known = {name for pair in self.versus for name in pair}
        return [line for line in self.lines if line.entry.name in known]


def write_site(found: Sequence[Submission], folder: Path, *, title: str = "Leaderboard") -> None:
    """Write the site, in place of an earlier one in that folder.

    Raises:
        ConfigError: the folder holds something else.
        HostError: it cannot be written.
    """
    if folder.exists() and not (folder / MARK).exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is not empty and holds no leaderboard: choose another --site")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text("debug-gym leaderboard --site\n", encoding="utf-8")
        _write(found, folder, title)
    except OSError as error:
        if isinstance(error, DebugGymError):
            raise
        raise HostError(f"{folder} cannot be written: {error.strerror or error}") from None


def _write(found: Sequence[Submission], folder: Path, title: str) -> None:
    for name in ("tasks", "runs", "bundles"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
    by_entry = {item.entry.name: item for item in found}
    sections = [_section(board, by_entry) for board in boards([item.entry for item in found])]
    lines = [line for section in sections for line in section.lines]
    for line in lines:
        write([line.entry], folder / "runs" / f"{line.file}.html")
        shutil.copyfile(line.submission.bundle.path, folder / "bundles" / f"{line.file}.zip")
    common = {
        "title": title,
        "versus": tables.versus,
    }
    pages = environment()
    for section in sections:
        (folder / "tasks" / section.folder).mkdir()
        for task in section.tasks:
            page = pages.get_template("site-task.html.j2").render(section=section, task=task, **common)
            (folder / "tasks" / section.folder / task.file).write_text(page, encoding="utf-8")
    index = pages.get_template("site.html.j2").render(
        sections=sections,
        agents=sorted({line.entry.agent for line in lines}),
        models=sorted({line.entry.model for line in lines if line.entry.model}),
        benchmarks=sorted({section.board.benchmark for section in sections}),
        **common,
    )
    (folder / "index.html").write_text(index, encoding="utf-8")
    style = "".join((STATIC / name).read_text(encoding="utf-8") for name in ("style.css", "site.css"))
    (folder / "site.css").write_text(style, encoding="utf-8")
    (folder / "site.js").write_text(f"{{\n{bundle('site.js')}}}\n", encoding="utf-8")


def _section(board: Board, by_entry: dict[str, Submission]) -> Section:
    lines = [
        Line(row, entry, by_entry[entry.name]) for row, entry in zip(board.rows, board.entries, strict=True)
    ]
    return Section(
        board,
        lines,
        [_task(task, lines) for task in board.tasks],
        history([(line.row, line.entry.run.manifest.created) for line in lines]),
        dict(by_name(pairs(board))),
    )


def _task(task: str, lines: Sequence[Line]) -> TaskPage:
    attempts = [(line, [one for one in line.entry.attempts if one.task == task]) for line in lines]
    attempts = [(line, tries) for line, tries in attempts if tries]
    problem = ""
    for line, tries in attempts:
        for one in tries:
            try:
                problem = problem or line.entry.run.trajectory(task, one.number).first_observation
            except DebugGymError:  # damaged, or never begun: the run's own page says so
                continue
    return TaskPage(task, problem, attempts)
