"""Sheds and what lies in them."""

from __future__ import annotations

from typing import Any, Dict, Generator, Optional

from .gate import Gate
from .kernel import Kernel, Pause


class Short(Exception):
    """There is less in a shed than a job wants."""


class Shed:
    """Tons of each kind of grain. ``weighing`` is how many turns the scales take."""

    def __init__(
        self, kernel: Kernel, name: str, stock: Optional[Dict[str, int]] = None, weighing: int = 2
    ) -> None:
        self.name = name
        self.gate = Gate(kernel)
        self.weighing = weighing
        self._stock = dict(stock or {})

    def tons(self, grain: str) -> int:
        return self._stock.get(grain, 0)

    def kinds(self) -> list:
        return sorted(grain for grain, tons in self._stock.items() if tons)

    def change(self, grain: str, tons: int) -> Generator[Any, Any, int]:
        """Weigh what lies there and book the new weight, which is returned. Only behind the gate.

        Raises:
            Short: less would be left than nothing.
        """
        after = self.tons(grain) + tons
        if after < 0:
            raise Short(f"{self.name} has {self.tons(grain)} t of {grain}")
        yield Pause(self.weighing)
        self._stock[grain] = after
        return after
