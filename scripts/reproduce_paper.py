"""Run the experiments of the debug-gym paper (arXiv 2503.21557) against any OpenAI-compatible endpoint.

    python scripts/reproduce_paper.py --model qwen3 --base-url http://localhost:8000/v1 --dry-run
    python scripts/reproduce_paper.py --model qwen3 --base-url http://localhost:8000/v1
    python scripts/reproduce_paper.py --only figures

See docs/paper.md.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from paper import grid, page, published, tables
from paper.estimate import estimates
from paper.outcome import sections
from paper.sheet import show
from rich.console import Console
from rich.text import Text

from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.runs.config import RunConfig


def main() -> int:
    """Play, and show. 0: done; 1: some episodes ended in an error; 2: wrong input; 130: Ctrl-C."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 120)
    try:
        if options.only == "figures":
            _report(console, options.output)
            return 0
        configs = _cells(options)
        if options.dry_run:
            show(console, tables.plan(estimates(configs)))
            return 0
        code = grid.play(configs, console)
        console.print()
        _report(console, options.output)
        return code
    except DebugGymError as error:
        Console(stderr=True).print(Text(f"error: {error}", style="red"), soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        return 130


def _cells(options: argparse.Namespace) -> list[RunConfig]:
    if not options.model:
        raise ConfigError("give the names of models with --model, and --base-url for a server of your own")
    named = {
        "base_url": options.base_url,
        "tasks": options.tasks,
        "attempts": options.seeds,
        "workers": options.workers,
    }
    return grid.cells(
        options.model, options.benchmark or ["nightmares"], options.output, options.config, named
    )


def _report(console: Console, folder: Path) -> None:
    """Print the tables of all runs below a folder, and write the page."""
    paper = published.read()
    found = sections(folder)
    for section in found:
        board = section.board
        console.print(Text(f"{board.benchmark}: {len(board.tasks)} tasks", style="bold"), end="\n\n")
        show(console, tables.success(section, paper))
        show(console, tables.effort(section))
        for warning in tables.warnings(section):
            console.print(Text(warning, style="yellow"), soft_wrap=True)
    file = folder / "paper.html"
    page.write(found, paper, folder, file)
    console.print(f"tables and figures: {file}", soft_wrap=True, highlight=False)


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Run the experiments of the debug-gym paper: rewrite, debug and debug(5), 50 steps, 10 "
        "rewrites. The same command again resumes. See docs/paper.md."
    )
    parser.add_argument("--model", action="append", metavar="NAME", help="repeatable")
    parser.add_argument("--base-url", metavar="URL", help="of an OpenAI-compatible server")
    parser.add_argument(
        "--benchmark", action="append", metavar="NAME", help="repeatable (default: nightmares)"
    )
    parser.add_argument("--tasks", action="append", metavar="ID|GLOB", help="only these tasks; repeatable")
    parser.add_argument(
        "--seeds", type=int, default=3, metavar="N", help="attempts at each task (default: %(default)s)"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="episodes at a time")
    parser.add_argument(
        "--config",
        "-c",
        action="append",
        default=[],
        metavar="FILE|KEY=VALUE",
        help="any other setting of a run, such as agent_options.api=responses; repeatable",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("runs/paper"),
        metavar="FOLDER",
        help="of the runs, and of paper.html (default: %(default)s)",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be played, and what it may cost"
    )
    parser.add_argument(
        "--only", choices=["figures"], help="play nothing: make tables and figures of what is there"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
