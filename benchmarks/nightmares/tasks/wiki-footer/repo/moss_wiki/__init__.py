from .errors import MissingPage, RedirectLoop, WikiError
from .pages import Page, PageStore
from .render import Renderer
from .wiki import Wiki

__all__ = ["MissingPage", "Page", "PageStore", "RedirectLoop", "Renderer", "Wiki", "WikiError"]
