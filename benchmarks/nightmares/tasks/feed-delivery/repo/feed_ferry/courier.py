"""Delivery with retries."""

from dataclasses import dataclass
from typing import Iterable, List, Optional

from .destinations import ConnectionLost, Destination
from .shipment import Manifest, Shipment


@dataclass(frozen=True)
class Receipt:
    """How the delivery to one destination went."""

    destination: str
    delivered: bool
    lines: int
    attempts: int
    problem: str = ""


class Courier:
    """Brings shipments to destinations."""

    def __init__(self, attempts: int = 3, verify: bool = False) -> None:
        if attempts < 1:
            raise ValueError("at least one attempt is needed")
        self.attempts = attempts
        self.verify = verify

    def deliver(self, shipment: Shipment, destinations: Iterable[Destination]) -> List[Receipt]:
        """Bring a shipment to all destinations; one that fails does not keep the others from theirs."""
        manifest = shipment.manifest() if self.verify else None
        return [self._deliver(shipment, destination, manifest) for destination in destinations]

    def _deliver(self, shipment: Shipment, to: Destination, manifest: Optional[Manifest]) -> Receipt:
        problem = ""
        for attempt in range(1, self.attempts + 1):
            try:
                if manifest is not None:
                    to.receive(f"{shipment.name}.manifest", [manifest.text()])
                lines = to.receive(shipment.name, shipment.lines())
            except ConnectionLost as error:
                problem = str(error)
            else:
                return Receipt(to.name, True, lines, attempt)
        return Receipt(to.name, False, 0, self.attempts, problem)
