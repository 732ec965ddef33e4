"""What can go wrong while a price is worked out."""


class PricingError(LookupError):
    """Base of all errors of this package."""


class UnknownArticle(PricingError):
    """The catalogue does not have an article."""


class UnknownCustomer(PricingError):
    """There is no such customer."""


class NoPrice(PricingError):
    """A source has no price for this customer, article and quantity."""
