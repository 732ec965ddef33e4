"""What the web front end talks to."""

from .errors import MissingPage
from .pages import PageStore
from .render import Renderer

LAYOUT = "<title>{title}</title>\n{body}"


class Wiki:
    def __init__(self):
        self.store = PageStore()
        self.renderer = Renderer(self.store)

    def edit(self, title, text, author="anonymous"):
        return self.store.save(title, text, author).revision

    def view(self, title):
        """Status code and HTML document."""
        try:
            page = self.store.resolve(title)
        except MissingPage as missing:
            return 404, LAYOUT.format(title=missing.title, body="<p>There is no such page yet.</p>")
        return 200, LAYOUT.format(title=page.title, body=self.renderer.render(page.title))

    def recent_changes(self, limit=10):
        """The newest writes first: (revision, action, title)."""
        return self.store.log[::-1][:limit]
