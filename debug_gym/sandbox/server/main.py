"""The runtime as a plain program, for backends that start one."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from . import warm
from .notes import Notes
from .preload import preload, restart, restarted
from .runtime import Runtime
from .wire import Channel

if TYPE_CHECKING:
    from .record import Record


def main() -> None:
    """Serve over stdin and stdout.

    The first frame is the configuration: ``workspace``, ``limits``, ``names`` (of the modules in it; None:
    look for them), ``preload``, ``notes`` (see ``Notes``), ``home`` (a folder that is removed at the end,
    also when the host was killed), and ``scratch`` (folders that snapshots keep beside the workspace; None:
    the host harvests).
    """
    channel = Channel(os.dup(0), os.dup(1))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    config = restarted() or channel.receive()[0]
    notes = Notes(config["notes"])
    unfit = config.setdefault("unfit", notes.get("unfit") or [])
    more = preload(config["preload"], unfit=unfit, notes=notes)
    if more:
        notes.keep("unfit", sorted({*unfit, *more}))
        os.dup2(channel.read_fd, 0)
        os.dup2(channel.write_fd, 1)
        restart({**config, "unfit": unfit + more})
    names = config["names"]
    if names is None:
        names = sorted(warm.importable_names(config["workspace"]))
    runtime = Runtime(channel, config["workspace"], config["limits"], names)
    runtime.home = config["home"]
    if config["scratch"] is not None:
        runtime.record = _record(runtime.workspace, config["scratch"])
    channel.send({"python": sys.version.split()[0], "prefix": sys.prefix})
    runtime.serve()


def _record(workspace: str, scratch: list[str]) -> Record:
    from .record import Record  # what it imports, other sandboxes need not hold

    return Record(workspace, scratch)
