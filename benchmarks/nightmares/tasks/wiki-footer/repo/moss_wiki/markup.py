"""Splits wiki text into blocks and turns inline markup into HTML."""

import html
import re
from dataclasses import dataclass

HEADING = re.compile(r"^==\s*(?P<text>.+?)\s*==$")
INCLUDE = re.compile(r"^\{\{include\s+(?P<title>[^}]+?)\s*\}\}$")
INLINE = re.compile(r"\[\[(?P<title>[^\]|]+)(?:\|(?P<label>[^\]]+))?\]\]|'''(?P<bold>.+?)'''")


@dataclass(frozen=True)
class Block:
    kind: str  # "heading", "paragraph" or "include"
    text: str


def blocks(text):
    """Yield the blocks of a page from top to bottom."""
    paragraph = []
    for line in text.splitlines() + [""]:
        line = line.strip()
        heading, include = HEADING.match(line), INCLUDE.match(line)
        if line and not heading and not include:
            paragraph.append(line)
            continue
        if paragraph:
            yield Block("paragraph", " ".join(paragraph))
            paragraph = []
        if heading:
            yield Block("heading", heading["text"])
        elif include:
            yield Block("include", include["title"])


def inline(text, link):
    """HTML of a line; ``link(title, label)`` renders the links."""
    parts, position = [], 0
    for match in INLINE.finditer(text):
        parts.append(html.escape(text[position:match.start()]))
        if match["bold"]:
            parts.append(f"<b>{html.escape(match['bold'])}</b>")
        else:
            parts.append(link(match["title"], match["label"] or match["title"]))
        position = match.end()
    parts.append(html.escape(text[position:]))
    return "".join(parts)
