"""Backends by name: one of each kind in a process, so that all who play share its warm interpreters."""

from debug_gym import plugins
from debug_gym.errors import SandboxUnavailableError
from debug_gym.sandbox.base import Backend

_shared: dict[str, Backend] = {}


def shared_backend(name: str) -> Backend:
    """The process-wide backend of a name.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in _shared:
        _shared[name] = plugins.load("sandboxes", name)()
    return _shared[name]


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
