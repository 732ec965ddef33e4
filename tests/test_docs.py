"""What the documentation shows is run as it stands."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")


ELSEWHERE = {"local-models.md", "training.md", "debugger.md", "runs.md", "tools.md", "frameworks.md"}
"""Pages whose examples are files and transcripts; tests of their own replay them."""


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in ELSEWHERE], ids=lambda page: page.name
)
def test_examples_run(page, backend, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "example"}
    for block in BLOCK.findall(page.read_text()):
        exec(compile(block, f"{page.name}: an example", "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_site_leads_to_pages_that_are_there():
    """That it shows all of them is what ``mkdocs build --strict`` finds."""
    nav = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    shown = re.findall(r"[\w/-]+\.md$", nav, re.MULTILINE)
    assert "tutorial.md" in shown and len(shown) == len(set(shown))
    for page in shown:
        assert (ROOT / "docs" / page).is_file(), page
