"""Backends by name: one of each kind in a process, so that all who play share its warm interpreters."""

import socket

from debug_gym import plugins
from debug_gym.errors import SandboxUnavailableError
from debug_gym.sandbox.base import Backend
from debug_gym.sandbox.namespace import NamespaceBackend

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
