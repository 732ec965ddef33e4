"""The tables and figures as one HTML file, with the colours and figures of ``debug_gym.report``."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from paper import tables
from paper.grid import AGENTS
from paper.outcome import Section
from paper.published import Paper

from debug_gym.errors import ConfigError
from debug_gym.report.bundle import STATIC
from debug_gym.report.figures import Figure, Series, draw
from debug_gym.report.svg import WIDTH, Drawing

COLOURS = {agent: f"c{index}" for index, agent in enumerate(AGENTS)}


def write(sections: Sequence[Section], paper: Paper, folder: Path, file: Path) -> None:
    """Write the page.

    Args:
        sections: what the runs show.
        paper: what they are shown beside.
        folder: of the runs, which the page names.
        file: where to write it.

    Raises:
        ConfigError: the file cannot be written.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("page.html.j2").render(
        paper=paper,
        sections=[_section(section, paper) for section in sections],
        folder=folder,
        style=(STATIC / "style.css").read_text(encoding="utf-8"),
        created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"the page cannot be written to {file}: {error.strerror}") from None


def _section(section: Section, paper: Paper) -> dict[str, Any]:
    return {
        "benchmark": section.board.benchmark,
        "version": section.board.version,
        "tasks": len(section.board.tasks),
        "warnings": tables.warnings(section),
        "success": tables.success(section, paper),
        "effort": tables.effort(section),
        "chart": chart(tables.compared(section, paper)),
        "figures": [(model, figures) for model in section.models if (figures := _figures(section, model))],
    }


def _figures(section: Section, model: str) -> list[Figure]:
    """The paper's figures for one model: a series for each agent, which has the same colour everywhere."""
    cells = section.models[model]
    return draw(
        [
            Series(AGENTS[agent], cells[agent].episodes, number)
            for number, agent in enumerate(AGENTS)
            if agent in cells
        ]
    )


def chart(groups: Sequence[tuple[str, Mapping[str, tables.Rates]]]) -> Figure:
    """Success of each agent with each model, here and in the paper: a dot, and a line of one deviation."""
    top, row, gap = 8.0, 32.0, 30.0
    longest = max(len(model) for _, models in groups for model in models)
    left = min(300.0, 16 + 7.0 * longest)
    scale = (WIDTH - left - 16) / 100
    bottom = top + sum(gap + row * len(models) for _, models in groups)
    drawing = Drawing(bottom + 24, "Success by agent and model")
    for share in range(0, 101, 25):
        drawing.line([(left + share * scale, top), (left + share * scale, bottom)], "grid")
        drawing.label(left + share * scale, bottom + 18, f"{share}%", "tick", "middle")
    y = top
    for heading, models in groups:
        drawing.label(0, y + 16, heading, "tick")
        y += gap
        for model, agents in models.items():
            drawing.label(0, y + 14, model if len(model) <= 40 else f"{model[:39]}…")
            for index, (agent, (rate, deviation)) in enumerate(agents.items()):
                hint = f"{AGENTS[agent]} · {model}: {tables.mean(rate, deviation)}"
                line = y + 3 + 7 * index
                low, high = max(0, rate - (deviation or 0)), min(100, rate + (deviation or 0))
                drawing.line(
                    [(left + low * scale, line), (left + high * scale, line)],
                    f"series {COLOURS[agent]}",
                    hint,
                )
                drawing.circle(left + rate * scale, line, 3.5, f"fill {COLOURS[agent]}", hint)
            y += row
    return Figure(
        "Success, here and in the paper",
        "Dot: the mean; line: one standard deviation over the seeds to each side.",
        drawing.text(),
        tuple((COLOURS[agent], name) for agent, name in AGENTS.items()),
    )
