"""A distribution centre: zones, deliveries and seasons."""

from typing import Iterator, Mapping, Optional

from .catalog import Catalog
from .season import Season
from .zones import Zone, ZoneTemplate


class Site:
    """All zones of one distribution centre."""

    def __init__(self, name: str, catalog: Catalog) -> None:
        self.name = name
        self.catalog = catalog
        self.season: Optional[Season] = None
        self._zones: dict[str, Zone] = {}

    def open_zone(self, name: str, template: ZoneTemplate) -> Zone:
        if name in self._zones:
            raise ValueError(f"zone {name!r} is already open")
        for sku in template.targets:
            self.catalog[sku]
        zone = Zone.from_template(name, template)
        self._zones[name] = zone
        return zone

    def close_zone(self, name: str, move_to: Optional[str] = None) -> None:
        """Close a zone; its stock moves to another one if there is any."""
        zone = self._zones[name]
        if any(zone.stock.values()):
            if move_to is None:
                raise ValueError(f"zone {name} still holds stock")
            self._zones[move_to].receive(zone.stock)
        del self._zones[name]

    def start_season(self, season: Season) -> None:
        if self.season is not None:
            raise RuntimeError(f"{self.season.name} is still on")
        for sku in season.factors:
            self.catalog[sku]
        for zone in self:
            season.apply(zone)
        self.season = season

    def deliver(self, zone: str, delivery: Mapping[str, int]) -> None:
        for sku in delivery:
            self.catalog[sku]
        self._zones[zone].receive(delivery)

    def total(self, sku: str) -> int:
        return sum(zone.on_hand(sku) for zone in self)

    def __getitem__(self, name: str) -> Zone:
        return self._zones[name]

    def __iter__(self) -> Iterator[Zone]:
        return iter(self._zones.values())
