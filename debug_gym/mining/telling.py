"""A model tells what is wrong; what quotes the fix, or names what only the fix knows, is refused.

The model never sees the fix: it gets what the origin says and the failing test, and writes what somebody
would report who uses the code.
"""

import builtins
import io
import keyword
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from debug_gym.agents.models import Model
from debug_gym.errors import ModelError
from debug_gym.mining.base import Story, Texts
from debug_gym.mining.statement import distinctive, flat

TRIES = 2
MOST_WORDS = 400
"""Words of a statement: one that is longer is refused."""
MOST_CODE = 6_000
"""Characters of tests that the model gets."""
_TASK = """\
You write the report of a bug, as somebody would who uses the code and does not know its inside.

Say what was done, what happens and what should happen instead, in plain words and at most 150 of them, with \
a short example of use where that helps. Expected values of the test may be told. Do not say or guess why it \
happens, where in the code the cause lies, or how to repair it; do not name the test. Answer with the report \
alone, without a heading.

What is known of the bug from where it was repaired (it may be empty, or speak of other things):
{story}

The test that fails:
```python
{test}
```

How it fails:
{message}
"""
_AGAIN = (
    "\nAn earlier report was refused since {why}. Leave that out, and whatever else hints at the repair.\n"
)


@dataclass(frozen=True)
class Told:
    """What a model wrote."""

    text: str = ""
    """Empty: nothing that could be taken."""
    refused: str = ""
    """Why the last text was refused, or the model did not answer; empty where ``text`` is not."""


@dataclass(frozen=True)
class Known:
    """What is known of a bug."""

    story: Story
    """What the origin says."""
    test: str
    """The code of the failing test."""
    message: str
    """The one-line reason of its failure."""
    gold: str
    """The fix as a unified diff, which no model sees."""
    broken: Texts
    """The sources that it changes, before."""


def tell(model: Model, known: Known) -> Told:
    """Have a model write what is wrong: it is asked at most ``TRIES`` times."""
    story, test = known.story, known.test
    told = "\n".join(part for part in (story.title, story.text) if part) or "(nothing)"
    asked = _TASK.format(story=told, test=test[:MOST_CODE], message=known.message or "(no message)")
    why, more = "", ""
    for _ in range(TRIES):
        try:
            text = _bare(model.reply([{"role": "user", "content": asked + more}], ()).text)
        except ModelError as error:
            return Told(refused=f"the model does not answer: {error}")
        why = refusal(text, known.gold, [*(source or "" for source in known.broken.values()), test])
        if not why:
            return Told(text)
        more = _AGAIN.format(why=why)
    return Told(refused=why)


def refusal(text: str, gold: str, known: Sequence[str]) -> str:
    """Why a statement is refused; empty: it may be given.

    Args:
        text: the statement.
        gold: the fix as a unified diff.
        known: the texts that the agent may know: names in them give nothing away.
    """
    if not text:
        return "it says nothing"
    if len(text.split()) > MOST_WORDS:
        return f"it has more than {MOST_WORDS} words"
    bare = flat(text)
    for line in distinctive(gold):
        if line in bare:
            return f"it quotes a line of the fix: {line}"
    for name in new_names(gold, known):
        if _names(text, name):
            return f"it names {name}, which only the fix knows"
    return ""


def new_names(gold: str, known: Sequence[str]) -> list[str]:
    """The identifiers that a fix brings and that stand nowhere in some texts, sorted."""
    there = {word for text in known for word in re.findall(r"\w+", text)}
    added = "\n".join(
        line[1:] for line in gold.splitlines() if line.startswith("+") and not line.startswith("+++")
    )
    found = {name for line in added.splitlines() for name in _identifiers(line) if len(name) > 2}
    return sorted(found - there - set(keyword.kwlist))


def _identifiers(line: str) -> Iterator[str]:
    """Those of a line of code; strings and comments hold none."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(line.strip()).readline):
            if token.type == tokenize.NAME:
                yield token.string
    except (tokenize.TokenError, SyntaxError):  # a part of a statement: what came before counts
        return


def _names(text: str, name: str) -> bool:
    """Whether a text names an identifier. One that is a plain word has to look like code."""
    word = re.escape(name)
    if (name.islower() and name.isalpha()) or name in vars(builtins):
        return bool(re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`|\b{word}\(|\.{word}\b", text))
    return bool(re.search(rf"\b{word}\b", text))


def _bare(text: str) -> str:
    """A reply without the fence that some models put around all of it."""
    text = text.strip()
    fenced = re.fullmatch(r"```\w*\n(.*)\n```", text, re.DOTALL)
    return (fenced[1] if fenced and "```" not in fenced[1] else text).strip()


def written_by(model: Model, told: Told) -> dict[str, str]:
    """What is stored with a task of who wrote its statement."""
    if told.text:
        return {"by": model.name}
    return {"by": "template", "refused": told.refused, "model": model.name}
