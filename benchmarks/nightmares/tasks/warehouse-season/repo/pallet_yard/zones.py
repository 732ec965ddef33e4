"""Zones of a site and the templates they are opened from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping


@dataclass(frozen=True)
class ZoneTemplate:
    """What a zone of a certain kind normally keeps."""

    kind: str
    targets: dict[str, int]
    """Pallets by sku."""
    blocked: frozenset[str] = frozenset()
    """Products that must never be put into such a zone."""

    def __post_init__(self) -> None:
        clash = sorted(self.blocked & set(self.targets))
        if clash:
            raise ValueError(f"{self.kind}: target for blocked products {', '.join(clash)}")
        for sku, pallets in self.targets.items():
            if pallets < 0:
                raise ValueError(f"{self.kind}: negative target for {sku}")


@dataclass
class Zone:
    """A part of a site with its own stock."""

    name: str
    kind: str
    targets: dict[str, int]
    blocked: frozenset[str] = frozenset()
    stock: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_template(cls, name: str, template: ZoneTemplate) -> Zone:
        return cls(name, template.kind, template.targets, blocked=template.blocked)

    def on_hand(self, sku: str) -> int:
        return self.stock.get(sku, 0)

    def shortfall(self, sku: str) -> int:
        """Pallets that are missing to reach the target."""
        return max(0, self.targets.get(sku, 0) - self.on_hand(sku))

    def set_target(self, sku: str, pallets: int) -> None:
        if sku in self.blocked:
            raise ValueError(f"{sku} is blocked in zone {self.name}")
        if pallets < 0:
            raise ValueError("a target cannot be negative")
        self.targets[sku] = pallets

    def drop_target(self, sku: str) -> None:
        """Stop keeping a product; what is there may be sold off."""
        self.targets.pop(sku, None)

    def receive(self, delivery: Mapping[str, int]) -> None:
        for sku, pallets in delivery.items():
            if sku in self.blocked:
                raise ValueError(f"{sku} is blocked in zone {self.name}")
            self.stock[sku] = self.on_hand(sku) + pallets

    def pick(self, sku: str, pallets: int) -> None:
        if pallets > self.on_hand(sku):
            raise ValueError(f"zone {self.name} has only {self.on_hand(sku)} pallets of {sku}")
        self.stock[sku] = self.on_hand(sku) - pallets
