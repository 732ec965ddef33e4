"""Why something cannot be done."""


class StockError(Exception):
    """Base of all errors of this package."""


class UnknownShelf(StockError):
    """There is no shelf of that name."""


class OutOfStock(StockError):
    """There is not as much on a shelf as is wanted."""


class ShelfFull(StockError):
    """A shelf cannot hold that much."""
