"""A model's statement is taken, unless it gives the fix away."""

import io

import pytest
from rich.console import Console

from debug_gym.agents.models import Model, Reply
from debug_gym.cli.screens.mining import show
from debug_gym.errors import ModelError
from debug_gym.mining.base import Story
from debug_gym.mining.ledger import Outcome
from debug_gym.mining.telling import Known, new_names, refusal, tell

BROKEN = "def total(prices):\n    return cents(sum(prices))\n"
GOLD = """\
--- a/m.py
+++ b/m.py
@@ -1,2 +1,4 @@
 def total(prices):
-    return cents(sum(prices))
+    rounded_half = quantize(sum(prices), "half up")  # as banks do
+    if rounded_half < limit:
+        raise TooSmall("the total is too small")
+    return cents(rounded_half)
"""
TEST = "def test_total():\n    with pytest.raises(TooSmall):\n        total([])\n"
GOOD = "The total of nothing is 0. I expected `total([])` to raise TooSmall; the limit is not looked at."


class Scripted(Model):
    """Says what it is told to, in turn; an error is raised."""

    name = "scripted"

    def __init__(self, *texts):
        self.texts, self.asked = list(texts), []

    def reply(self, messages, tools, *, episode=""):
        self.asked.append(messages[-1]["content"])
        said = self.texts.pop(0)
        if isinstance(said, Exception):
            raise said
        return Reply(text=said)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (GOOD, ""),
        ("", "it says nothing"),
        ("so " * 401, "it has more than 400 words"),
        (
            "It should do return  cents( rounded_half )!",
            "it quotes a line of the fix: returncents(rounded_half)",
        ),
        ("Use rounded_half.", "it names rounded_half, which only the fix knows"),
        ("Call quantize() first.", "it names quantize, which only the fix knows"),
        ("See `a < limit`.", "it names limit, which only the fix knows"),
        ("One cannot quantize without a limit, half up, as banks do.", ""),
    ],
)
def test_what_gives_the_fix_away_is_refused(text, why):
    assert refusal(text, GOLD, [BROKEN, TEST]) == why


def test_names_that_the_agent_may_know_give_nothing_away():
    assert new_names(GOLD, [BROKEN, TEST]) == ["limit", "quantize", "rounded_half"]


def told(model):
    return tell(
        model, Known(Story("Totals", "They are wrong."), TEST, "DID NOT RAISE", GOLD, {"m.py": BROKEN})
    )


def test_a_model_is_told_why_it_was_refused_and_never_sees_the_fix():
    model = Scripted("Use rounded_half.", f"```\n{GOOD}\n```")
    assert (told(model).text, told(Scripted(GOOD)).refused) == (GOOD, "")
    first, second = model.asked
    for words in ("They are wrong.", "pytest.raises(TooSmall)", "DID NOT RAISE"):
        assert words in first
    assert "quantize" not in first and "banks" not in first
    assert second.startswith(first) and "it names rounded_half" in second


def test_where_the_model_gives_nothing_the_reason_is_told():
    given_up = told(Scripted("Use rounded_half.", "Call quantize()."))
    assert (given_up.text, given_up.refused) == ("", "it names quantize, which only the fix knows")
    assert told(Scripted(ModelError("gone"))).refused == "the model does not answer: gone"


def test_the_end_of_mining_says_which_statements_the_template_wrote():
    console = Console(file=io.StringIO(), width=100)
    outcomes = [Outcome(id="one"), Outcome(id="two", detail="it names limit, which only the fix knows")]
    show(console, outcomes, "mined", 2)
    text = console.file.getvalue()
    assert "two has the template's statement: it names limit, which only the fix knows" in text
    assert "one has" not in text
