"""What the agent is told of a mined bug: from the origin's words and the failing test, never from the fix."""

import re
import textwrap
from collections.abc import Sequence

from debug_gym.mining.base import FallenError, Story

SHORTEST = 12
"""Letters and digits that make a line of a patch distinctive."""
MOST_WORDS = 200
"""Words of what the origin says."""
_TRAILER = re.compile(
    r"^\s*(?:[A-Z][\w-]+-by|Change-Id|Cc|Refs?|See also|PiperOrigin-\w+): .*$", re.MULTILINE
)
_REFERENCE = re.compile(
    r"\s*\(?(?:(?:fix(?:e[sd])?|close[sd]?|resolve[sd]?|issue|pr|gh)[\s:-]*)?(?:#\d+|gh-\d+|https?://\S+)\)?",
    re.I,
)
_FIX = re.compile(
    r"^(?:bug)?fix(?:e[sd])?(?:\([^)]*\))?[\s:!-]+(?:an? |the )?(?:bugs? |issues? |problems? )?", re.I
)


def statement(
    story: Story, shown: Sequence[str], hidden: Sequence[str], message: str, gold: str, *, told: str = ""
) -> str:
    """The statement of a problem.

    Args:
        story: what the origin says: what would tell the fix is left out.
        shown: ids of the failing tests that the agent can run.
        hidden: ids of those that it cannot; one of them is described where none is shown.
        message: the one-line reason of the failure of the first of them.
        gold: the fix as a unified diff.
        told: what a model made of all that; empty: the story is told by a template.

    Raises:
        FallenError: every sentence holds a distinctive line of the fix.
    """
    clean = purged(story, gold)
    title, said = clean.title, clean.text
    test = next(iter([*shown, *hidden]))
    parts = [told] if told else [_headline(title) if title else f'"{_words(test)}" no longer works.']
    if said and not told:
        parts.append(" ".join(said.split()[:MOST_WORDS]))
    about = f'"{_words(test).lower()}"' if title or told else "it"
    fails = f"`{test}` fails" if shown else f"A test of {about} fails"
    reason = _without_fix(message, gold)
    parts.append(f"{fails}:\n\n{textwrap.indent(reason, '    ')}" if reason else f"{fails}.")
    if len(shown) > 1:
        parts.append("So do:\n\n" + "\n".join(f"- `{test}`" for test in shown[1:6]))
    parts.append("Find the cause in the code and repair it. What works now has to go on working.")
    text = "\n\n".join(parts) + "\n"
    check(text, gold)
    return text


def purged(story: Story, gold: str) -> Story:
    """What an origin says, without trailers and numbers of issues, and without what quotes the fix."""
    return Story(_without_fix(_clean(story.title), gold), _without_fix(_clean(story.text), gold))


def check(text: str, gold: str) -> None:
    """Refuse a statement that quotes the fix.

    Raises:
        FallenError: it holds a distinctive line that the fix adds.
    """
    bare = flat(text)
    for line in distinctive(gold):
        if line in bare:
            raise FallenError("statement", "the statement quotes the fix", line)


def distinctive(patch: str) -> list[str]:
    """The lines that a unified diff adds and that nobody writes by chance, without white space."""
    added = [line[1:] for line in patch.splitlines() if line.startswith("+") and not line.startswith("+++")]
    gone = {flat(line[1:]) for line in patch.splitlines() if line.startswith("-")}
    bare = [flat(line) for line in added]
    return [line for line in bare if len(re.sub(r"\W", "", line)) >= SHORTEST and line not in gone]


def flat(text: str) -> str:
    """A text without white space."""
    return re.sub(r"\s+", "", text)


def _clean(text: str) -> str:
    """Words of an origin without trailers, addresses and numbers of issues."""
    text = _REFERENCE.sub("", _TRAILER.sub("", text))
    return "\n".join(line.strip(" \t*-•") for line in text.splitlines()).strip()


def _without_fix(text: str, gold: str) -> str:
    lines = distinctive(gold)
    sentences = re.split(r"(?<=[.!?])\s+|\n+", text)
    kept = [item for item in sentences if item.strip() and not any(line in flat(item) for line in lines)]
    return "\n".join(kept).strip()


def _headline(title: str) -> str:
    """A subject such as ``Fix wrong rounding in split (#12)`` as a complaint."""
    bare = _FIX.sub("", title).strip().rstrip(".")
    if bare and bare != title.rstrip("."):
        return f"{bare[0].upper()}{bare[1:]}."
    return f"What should work and does not: {title.rstrip('.')}."


def _words(test: str) -> str:
    """A test's name in words: ``TestSplit::test_keeps_quotes[a-b]`` is "Split keeps quotes"."""
    names = [re.sub(r"^[Tt]ests?_?", "", part) for part in test.partition("[")[0].split("::")[1:]]
    spaced = [re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").strip() for name in names]
    said = " ".join(part for part in spaced if part) or "it works"
    return f"{said[0].upper()}{said[1:].lower()}"
