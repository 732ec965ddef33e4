"""What a backend is, and what it promises."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Protocol, runtime_checkable

from debug_gym.sandbox.client import Sandbox
from debug_gym.task import Task


@dataclass(frozen=True)
class Guarantees:
    """What a backend promises about the code that runs in its sandboxes."""

    files: bool = False
    """Sees no file of the host but the interpreter and the system's programs, and changes none."""
    network: bool = False
    """Reaches no network."""
    processes: bool = False
    """Neither sees nor signals processes outside."""
    memory: bool = False
    """The memory of its processes together is limited. (Without a memory cgroup, what none of them has mapped
    is not seen.)"""
    disk: bool = False
    process_count: bool = False
    cleanup: bool = False
    """Nothing outlives the sandbox, even if the gym is killed."""

    @property
    def isolated(self) -> bool:
        """Enough for code that nobody has read, and for the judge."""
        return self.files and self.network and self.processes and self.cleanup

    def missing(self) -> list[str]:
        """The names of the promises that are not given."""
        return [item.name for item in fields(self) if not asdict(self)[item.name]]


@dataclass(frozen=True)
class Probe:
    """Whether a backend works on this machine, found out by trying it."""

    works: bool
    guarantees: Guarantees
    detail: str = ""
    """What was tried and seen; where it does not work, what to do about it."""


class Backend(Protocol):
    """A way to make sandboxes: it has ``server.runtime`` run somewhere, and gives a ``Sandbox`` the channel
    to it and a way to end it."""

    name: str
    guarantees: Guarantees
    """What its sandboxes promise."""

    def probe(self) -> Probe:
        """Try it on this machine. Never raises."""
        ...

    def start(self, task: Task) -> Sandbox:
        """A fresh sandbox for a task.

        Raises:
            SandboxUnavailableError: the backend does not work on this machine.
            TaskError: the task's repository or interpreter cannot be had.
        """
        ...

    def close(self) -> None:
        """Free what the backend keeps ready. Sandboxes that it started live on."""
        ...


@runtime_checkable
class LeavingBackend(Protocol):
    """A backend of which something can be left, in spite of all, when a gym is killed."""

    left: str
    """What, in the plural."""

    def remove_left(self) -> int:
        """Remove what is left of gyms on this machine that have ended; give its number.

        Raises:
            SandboxUnavailableError: there is nobody to ask.
            SandboxError: whoever was asked refuses.
        """
        ...


@runtime_checkable
class FetchingBackend(Protocol):
    """A backend whose sandboxes start from something that may take minutes to come, such as images."""

    on_progress: Callable[[str], None]
    """Told in a few words what is being fetched, whenever it is; from any thread."""

    def fetch(self, task: Task) -> None:
        """Have what sandboxes of a task start from, before one is asked for. Raises as ``Backend.start``."""
        ...
