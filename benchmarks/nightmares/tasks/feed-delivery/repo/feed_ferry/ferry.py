"""One configured connection from a supplier to its shops."""

from typing import List, Sequence

from .courier import Courier, Receipt
from .destinations import Destination
from .rows import read_rows
from .shipment import Shipment
from .steps import Step, chain


class Ferry:
    """Reads, cleans and delivers a supplier's feed."""

    def __init__(
        self, name: str, steps: Sequence[Step], destinations: Sequence[Destination], courier: Courier
    ) -> None:
        self.name = name
        self.steps = steps
        self.destinations = destinations
        self.courier = courier

    def run(self, feed: str) -> List[Receipt]:
        """Carry one feed over.

        Raises FeedError if a line of the feed is broken.
        """
        records = chain(self.steps, read_rows(feed))
        return self.courier.deliver(Shipment(self.name, records), self.destinations)
