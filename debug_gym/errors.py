"""Every exception that debug-gym raises on purpose: one small tree, each message says what to do next.

Each class also derives from the builtin that a caller would expect (``TimeoutError`` for a timeout), so
code that knows nothing of debug-gym can still handle it.
"""

import difflib
import shlex
import sys
from collections.abc import Iterable


class DebugGymError(Exception):
    """Base of all exceptions of this package."""


class ConfigError(DebugGymError, ValueError):
    """A setting, an option or a configuration file is wrong."""


class TaskError(DebugGymError, ValueError):
    """A task cannot be loaded or is broken: missing files, a patch that does not apply."""


class UnknownNameError(DebugGymError, LookupError):
    """Somebody asked for a tool, agent, benchmark, sandbox or task that does not exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        close = difflib.get_close_matches(name, self.known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}? " if close else ""
        shown = ", ".join(self.known[:20]) + (", ..." if len(self.known) > 20 else "")
        super().__init__(f"there is no {kind} named {name!r}: {hint}known: {shown or 'none'}")


class MissingExtraError(DebugGymError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        # The interpreter is named: another one's pip would install into a place where nobody looks.
        command = f"{shlex.quote(sys.executable)} -m pip install 'debug-gym[{extra}]'"
        super().__init__(f"{package} is not installed: run  {command}")


class HostError(DebugGymError, OSError):
    """This machine is in the way, and not what was asked for: a full disk, a folder that is read-only."""


class CacheError(HostError):
    """Nothing can be stored in the cache folder."""


class SandboxError(DebugGymError, RuntimeError):
    """Something about a sandbox went wrong that is not the agent's doing."""


class SandboxUnavailableError(SandboxError):
    """A sandbox backend does not work on this machine; ``debug-gym doctor`` explains."""


class SandboxDiedError(SandboxError, ConnectionError):
    """The sandbox's first process is gone: killed, out of memory, or closed."""


class SandboxTimeoutError(SandboxError, TimeoutError):
    """The runtime in the sandbox did not answer within its own deadline, and was killed."""


class ProtocolError(SandboxError):
    """The runtime in the sandbox sent something that is not a valid reply."""


class ModelError(DebugGymError, RuntimeError):
    """A language model could not be reached or answered with an error that retrying did not cure."""


class ModelUnavailableError(ModelError, ConnectionError):
    """The model's server is not there, fails, or has too much to do: later the same may succeed."""


class LibraryError(DebugGymError, ValueError):
    """A LoRA adapter, or a library of them, is broken or does not fit what it is used with."""
