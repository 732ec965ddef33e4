"""Pages to HTML, with a cache of finished pages."""

import html
from collections import Counter
from dataclasses import dataclass

from . import markup
from .errors import MissingPage, RedirectLoop
from .pages import normalise


@dataclass(frozen=True)
class Rendered:
    revision: int
    html: str


class Renderer:
    """Renders the pages of a store."""

    def __init__(self, store):
        self._store = store
        self._cache = {}
        self.stats = Counter()

    def render(self, title):
        """HTML of a page; redirects are followed.

        Raises MissingPage if there is no such page.
        """
        page = self._store.resolve(title)
        cached = self._cache.get(page.title)
        if cached is not None and cached.revision == page.revision:
            self.stats["hits"] += 1
            return cached.html
        self.stats["misses"] += 1
        body = self._expand(page, (page.title,))
        self._cache[page.title] = Rendered(page.revision, body)
        return body

    def _expand(self, page, trail):
        parts = []
        for block in markup.blocks(page.text):
            if block.kind == "include":
                parts.append(self._include(block.text, trail))
            else:
                tag = "h2" if block.kind == "heading" else "p"
                parts.append(f"<{tag}>{markup.inline(block.text, self._link)}</{tag}>")
        return "\n".join(parts)

    def _include(self, title, trail):
        try:
            page = self._store.resolve(title)
        except (MissingPage, RedirectLoop):
            return f'<p class="missing">{html.escape(normalise(title))}</p>'
        if page.title in trail:
            return f'<p class="loop">{html.escape(page.title)}</p>'
        return self._expand(page, trail + (page.title,))

    def _link(self, title, label):
        title = normalise(title)
        style = "" if title in self._store else ' class="new"'
        return f'<a href="/{html.escape(title.replace(" ", "_"))}"{style}>{html.escape(label)}</a>'
