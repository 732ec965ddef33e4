"""The floor: lots come in with their readings, and leave with their buyers."""

from typing import Dict, List, Optional

from .catalogue import render
from .lots import Lot
from .ranking import Ranking
from .sheets import parse_sheet


class Floor:
    """All lots of an auction, and those of them that can still be bought."""

    def __init__(self) -> None:
        self._lots: Dict[str, Lot] = {}
        self._ranking = Ranking()

    def hand_in(self, sheet: str) -> List[str]:
        """Take the readings of a sheet. Returns the lines that were refused."""
        readings, refused = parse_sheet(sheet)
        judged = {}
        for reading in readings:
            lot = judged[reading.lot] = self._lots.setdefault(reading.lot, Lot(reading.lot))
            lot.judge(reading)
        for lot in judged.values():
            self._rank(lot)
        return refused

    def offered(self, least: float = 0.0) -> List[str]:
        """The lots that can be bought, with at least this score, best first."""
        return self._ranking.at_least(least)

    def place_of(self, name: str) -> Optional[int]:
        """The place of a lot among those offered, counted from 1."""
        return self._ranking.position(name) + 1 if name in self._ranking else None

    def score_of(self, name: str) -> Optional[float]:
        """The score of a lot, whether or not it can still be bought."""
        return self._lots[name].score if name in self._lots else None

    def sell(self, buyer: str, least: float = 0.0) -> Optional[str]:
        """Sell the best lot if it has at least this score. Returns its name."""
        names = self.offered(least)
        if not names:
            return None
        lot = self._lots[names[0]]
        lot.buyer = buyer
        self._rank(lot)
        return lot.name

    def withdraw(self, name: str) -> None:
        """Its owner takes a lot back."""
        self._lots[name].withdrawn = True
        self._rank(self._lots[name])

    def bought_by(self, buyer: str) -> List[str]:
        """The lots of a buyer, by name."""
        return sorted(lot.name for lot in self._lots.values() if lot.buyer == buyer)

    def catalogue(self) -> str:
        """What is offered, as it is printed."""
        return render((name, self._lots[name].score) for name in self._ranking)

    def _rank(self, lot: Lot) -> None:
        if lot.open and lot.score is not None:
            self._ranking.place(lot.name, lot.score)
        else:
            self._ranking.remove(lot.name)
