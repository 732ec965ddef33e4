"""Try every sandbox on this machine, and say what each promises."""

from collections.abc import Mapping

from debug_gym import plugins
from debug_gym.sandbox import Probe


def probe_all() -> dict[str, Probe]:
    """Every registered sandbox backend, tried."""
    return {name: plugins.load("sandboxes", name)().probe() for name in plugins.names("sandboxes")}


def isolating(probes: Mapping[str, Probe]) -> bool:
    """Whether a backend works that is good enough for code that nobody has read, and for the judge."""
    return any(probe.works and probe.guarantees.isolated for probe in probes.values())
