"""Customer prices from contracts, campaigns and a catalogue."""

from .catalogue import Article, Catalogue
from .errors import NoPrice, PricingError, UnknownArticle, UnknownCustomer
from .masterdata import MasterData, load
from .quoting import Quote, QuoteLine, Quoter
from .sources import Campaign, CampaignPrices, ContractPrices, ListPrices

__all__ = [
    "Article",
    "Campaign",
    "CampaignPrices",
    "Catalogue",
    "ContractPrices",
    "ListPrices",
    "MasterData",
    "NoPrice",
    "PricingError",
    "Quote",
    "QuoteLine",
    "Quoter",
    "UnknownArticle",
    "UnknownCustomer",
    "load",
]
