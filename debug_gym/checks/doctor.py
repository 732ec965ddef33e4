"""Try every sandbox on this machine, say what each promises, and tidy up after gyms that were killed."""

from collections.abc import Mapping

from debug_gym import plugins
from debug_gym.errors import MissingExtraError, SandboxError
from debug_gym.sandbox import Guarantees, Probe
from debug_gym.sandbox.base import LeavingBackend


def probe_all() -> dict[str, Probe]:
    """Every registered sandbox backend, tried."""
    return {name: _probe(name) for name in plugins.names("sandboxes")}


def _probe(name: str) -> Probe:
    try:
        backend = plugins.load("sandboxes", name)()
    except MissingExtraError as error:
        return Probe(False, Guarantees(), str(error))
    try:
        return backend.probe()
    finally:
        backend.close()


def clean_all() -> dict[str, int | str]:
    """What of each kind was left and is removed now: its number, or why nobody could be asked."""
    removed: dict[str, int | str] = {}
    for name in plugins.names("sandboxes"):
        try:
            backend = plugins.load("sandboxes", name)()
        except MissingExtraError as error:
            removed[name] = str(error)
            continue
        if isinstance(backend, LeavingBackend):
            try:
                removed[backend.left] = backend.remove_left()
            except SandboxError as error:
                removed[backend.left] = str(error)
        backend.close()
    return removed


def isolating(probes: Mapping[str, Probe]) -> bool:
    """Whether a backend works that is good enough for code that nobody has read, and for the judge."""
    return any(probe.works and probe.guarantees.isolated for probe in probes.values())
