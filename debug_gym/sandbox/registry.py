"""Backends by name: one of each kind in a process, so that all who play share its warm interpreters."""

import socket

from debug_gym import plugins
from debug_gym.errors import SandboxError, SandboxUnavailableError, TaskError
from debug_gym.sandbox.base import Backend
from debug_gym.sandbox.namespace import NamespaceBackend
from debug_gym.task import Task

_shared: dict[str, Backend] = {}


def shared_backend(name: str) -> Backend:
    """The process-wide backend of a name.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in _shared:
        _shared[name] = plugins.load("sandboxes", name)()
    return _shared[name]


def offer(name: str, lender: socket.socket) -> None:
    """Let the backend of a name, if it can, have warm interpreters of another process: see
    ``NamespaceBackend.lend``."""
    made = plugins.load("sandboxes", name)
    if isinstance(made, type) and issubclass(made, NamespaceBackend):
        _shared[name] = made(lender=lender)


def working_backend(name: str) -> Backend:
    """The same, once it has shown that it works on this machine.

    Raises:
        UnknownNameError: there is none of that name.
        SandboxUnavailableError: it does not work here.
    """
    backend = shared_backend(name)
    probe = backend.probe()
    if not probe.works:
        raise SandboxUnavailableError(f"the sandbox {name!r} does not work here: {probe.detail}")
    return backend


def try_out(backend: Backend, task: Task) -> None:
    """Start a sandbox of a task, which warms what the task needs.

    Raises:
        SandboxUnavailableError: the backend does not work here.
        CacheError: there is no room for the task's repository.
    """
    try:
        backend.start(task.for_agent()).close()
    except TaskError:  # what is wrong with this task says nothing about the backend
        working_backend(backend.name)
    except SandboxError:
        working_backend(backend.name)  # says what is wrong, and what to do
        raise
