"""Pages and the store that holds their newest version."""

import itertools
from dataclasses import dataclass, replace

from .errors import MissingPage, RedirectLoop

REDIRECT = "#redirect "


@dataclass(frozen=True)
class Page:
    title: str
    text: str
    author: str
    revision: int

    @property
    def redirect(self):
        """Title of the page that this one stands for, or None."""
        if self.text.startswith(REDIRECT):
            return normalise(self.text[len(REDIRECT):])
        return None


def normalise(title):
    """Titles ignore outer blanks, underscores and the case of the first letter."""
    title = " ".join(title.replace("_", " ").split())
    if not title:
        raise ValueError("a page needs a title")
    return title[0].upper() + title[1:]


class PageStore:
    """The newest version of each page, and a log of all writes."""

    def __init__(self):
        self._pages = {}
        self._revisions = itertools.count(1)
        self.log = []

    def __contains__(self, title):
        return normalise(title) in self._pages

    def titles(self):
        return sorted(self._pages)

    def get(self, title):
        title = normalise(title)
        if title not in self._pages:
            raise MissingPage(title)
        return self._pages[title]

    def resolve(self, title):
        """The page behind a title after following redirects."""
        page, seen = self.get(title), set()
        while page.redirect is not None:
            if page.title in seen:
                raise RedirectLoop(page.title)
            seen.add(page.title)
            page = self.get(page.redirect)
        return page

    def save(self, title, text, author="anonymous"):
        page = Page(normalise(title), text, author, next(self._revisions))
        self._pages[page.title] = page
        self.log.append((page.revision, "save", page.title))
        return page

    def delete(self, title):
        page = self.get(title)
        del self._pages[page.title]
        self.log.append((next(self._revisions), "delete", page.title))

    def rename(self, old, new):
        """Move a page. The old title is free afterwards."""
        page, new = self.get(old), normalise(new)
        if new in self._pages:
            raise ValueError(f"there is already a page {new!r}")
        del self._pages[page.title]
        moved = replace(page, title=new, revision=next(self._revisions))
        self._pages[new] = moved
        self.log.append((moved.revision, "rename", new))
        return moved
