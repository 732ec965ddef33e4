"""Starting a program of the sandbox, in a session of its own."""

from __future__ import annotations

import os
import pickle
import signal
from typing import Mapping, NoReturn, Sequence

_DEFAULTS = [signal.SIGPIPE, signal.SIGCHLD, signal.SIGINT]
"""Signals that this process treats in ways of its own."""


def spawn(words: Sequence[str], environment: Mapping[str, str], files: Mapping[int, int]) -> int:
    """Start a program, looked up as a shell does; return its pid. No memory is copied for it.

    ``files``: its descriptors, each with the one of ours that it is a copy of. It gets no others.

    Raises:
        OSError: it cannot be started.
    """
    if not hasattr(os, "posix_spawnp"):  # Python 3.7
        return _fork_and_exec(words, environment, files)
    actions = [(os.POSIX_SPAWN_DUP2, source, target) for target, source in files.items()]
    return os.posix_spawnp(
        words[0], list(words), environment, file_actions=actions, setsid=True, setsigdef=_DEFAULTS
    )


def _fork_and_exec(words: Sequence[str], environment: Mapping[str, str], files: Mapping[int, int]) -> int:
    failed_read, failed_write = os.pipe()  # closed by what is executed
    pid = os.fork()
    if pid == 0:
        _become(words, environment, files, failed_write)
    os.close(failed_write)
    with open(failed_read, "rb") as file:
        failed = file.read()
    if failed:
        os.waitpid(pid, 0)
        raise pickle.loads(failed)
    return pid


def _become(
    words: Sequence[str], environment: Mapping[str, str], files: Mapping[int, int], failed: int
) -> NoReturn:
    """In the child: turn into the program."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in _DEFAULTS:
            signal.signal(number, signal.SIG_DFL)
        for target, source in files.items():
            os.dup2(source, target)
        os.execvpe(words[0], list(words), dict(environment))
    except OSError as error:
        os.write(failed, pickle.dumps(error))
    finally:
        os._exit(127)
