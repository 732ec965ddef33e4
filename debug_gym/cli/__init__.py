"""The ``debug-gym`` command: thin, so that everything it does can be done from Python as well.

Each command is a module that joins ``app`` when it is imported; the order of the imports is that of the help.
"""

import io
import sys

from rich.console import Console
from rich.text import Text

from debug_gym.cli import (  # noqa: F401  # isort: skip
    run, play, listing, validate, audit, doctor, report, leaderboard, bundles, grade, export, train,
    images, library, learn, tune, serve, mcp, http, openenv,
)  # fmt: skip
from debug_gym.cli import init, mine, build, export_tasks, judge  # noqa: F401  # isort: skip
from debug_gym.cli.app import app
from debug_gym.errors import DebugGymError, HostError, ModelUnavailableError

__all__ = ["app", "main"]


def main() -> None:
    """Entry point: what is wrong is one sentence on stderr; exit code 2 for the input, 1 for this machine, or
    for a model's server that fails."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that an ASCII terminal cannot show must end no run
    try:
        app(prog_name="debug-gym")
    except DebugGymError as error:
        Console(stderr=True).print(Text(f"error: {error}", style="red"), soft_wrap=True)
        sys.exit(1 if isinstance(error, HostError | ModelUnavailableError) else 2)
