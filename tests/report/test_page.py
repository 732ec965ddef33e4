import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser

import pytest

from debug_gym.errors import ConfigError
from debug_gym.report.bundle import STATIC, bundle
from debug_gym.report.load import load
from debug_gym.report.page import render, write

HOSTILE = "</script><script>document.title = 'owned'</script><img src=x onerror=alert(1)><!--"


class Elements(HTMLParser):
    """All elements of a page, with their attributes and text."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes), []))

    def handle_data(self, data):
        if self.found:
            self.found[-1][2].append(data)

    def handle_endtag(self, tag):
        self.found.append(("", {}, []))

    def all(self, tag):
        return [(attributes, "".join(text)) for name, attributes, text in self.found if name == tag]


def page(*folders):
    file = io.BytesIO()
    render(load(folders), file)
    return file.getvalue().decode()


def test_the_page_needs_nothing_else(store_run, story):
    text = page(store_run("run", {"a": "1", "b": "0"}, steps=story))
    elements = Elements(text)
    assert not [
        attributes for _, attributes, _ in elements.found if {"src", "srcset", "data"} & attributes.keys()
    ]
    assert not elements.all("link")
    assert all(attributes["href"].startswith("#") for attributes, _ in elements.all("a"))
    assert "url(" not in text
    assert "@import" not in text


def test_the_policy_lets_only_our_script_and_style_run(store_run):
    elements = Elements(page(store_run("run", {"a": "1"})))
    (policy,) = (
        attributes["content"]
        for attributes, _ in elements.all("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for tag in ("script", "style"):
        source = next(
            text for attributes, text in elements.all(tag) if attributes.get("type") in {None, "module"}
        )
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"


def test_whatever_a_run_holds_is_text(store_run):
    folder = store_run(
        "run", {HOSTILE.replace("/", ""): "1"}, benchmark=HOSTILE, model=HOSTILE, agent=HOSTILE
    )
    elements = Elements(page(folder))
    assert len(elements.all("script")) == 3  # ours, the index, one episode
    assert not elements.all("img")
    (index,) = (text for attributes, text in elements.all("script") if attributes.get("id") == "index")
    assert json.loads(index)["boards"][0]["benchmark"] == HOSTILE
    assert "<" not in index


def test_equal_runs_give_equal_pages(store_run, story):
    folder = store_run("run", {"a": "10", "b": "1!"}, steps=story)
    first, second = (re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "", page(folder)) for _ in range(2))
    assert first == second


def test_the_leaderboard_can_be_read_without_scripts(store_run):
    text = page(
        store_run("good", {"a": "1", "b": "u"}), store_run("gold", {"a": "1", "b": "c"}, agent="oracle")
    )
    for words in ("100.0", "1 fix without a bound on forging", "1 attempt cheated", "given the solution"):
        assert words in text


def test_a_page_that_cannot_be_written_is_one_sentence(store_run, tmp_path):
    entries = load([store_run("run", {"a": "1"})])
    with pytest.raises(ConfigError, match="cannot be written"):
        write(entries, tmp_path / "missing" / "report.html")


def test_every_script_is_in_the_bundle_after_what_it_imports():
    text = bundle("app.js")
    names = {path.name for path in STATIC.glob("*.js")} - {"site.js"}  # which is of other pages
    assert not re.search(r"^(import|export)\b", text, re.MULTILINE)
    places = {name: text.index(f"// {name}\n") for name in names}
    assert places["dom.js"] < places["source.js"] < places["steps.js"] < places["app.js"]
    assert "</script" not in text
