class WikiError(Exception):
    """Base of everything that can go wrong in a wiki."""


class MissingPage(WikiError, LookupError):
    def __init__(self, title):
        super().__init__(f"there is no page {title!r}")
        self.title = title


class RedirectLoop(WikiError):
    def __init__(self, title):
        super().__init__(f"the redirects of {title!r} go round in circles")
        self.title = title
