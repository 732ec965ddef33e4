"""Try every sandbox on this machine, and say what each promises."""

from collections.abc import Mapping

from debug_gym import plugins
from debug_gym.errors import MissingExtraError
from debug_gym.sandbox import Guarantees, Probe


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


def isolating(probes: Mapping[str, Probe]) -> bool:
    """Whether a backend works that is good enough for code that nobody has read, and for the judge."""
    return any(probe.works and probe.guarantees.isolated for probe in probes.values())
