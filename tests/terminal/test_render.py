"""What the panes show, as text."""

import io

from rich.console import Console

from debug_gym.episode import Verdict
from debug_gym.store.records import Result
from debug_gym.terminal.render import problem, verdict


def told(renderable):
    out = io.StringIO()
    Console(file=out, width=100).print(renderable)
    return out.getvalue()


def test_paragraphs_are_joined_and_nothing_else():
    text = "One line\nand `more` of\n__init__ in <module>.\n\n    code = 1\n    more = 2\n\n1. item\n2. item\n\n```\na\nb\n```\nend"
    shown = problem(text).plain
    assert shown.startswith("One line and `more` of __init__ in <module>.\n\n")
    assert "    code = 1\n    more = 2\n" in shown
    assert "1. item\n2. item\n" in shown
    assert "```\na\nb\n```\nend" in shown


def test_a_verdict_says_what_failed_and_what_cheats():
    result = Result(
        task="calc",
        attempt=0,
        seed=0,
        status="unresolved",
        ending="terminated",
        steps=3,
        seconds=2.0,
        reason="It cheats.",
    )
    found = Verdict(
        resolved=False,
        expected={"t.py::a": "passed", "t.py::b": "passed", "t.py::c": "failed"},
        seen={"t.py::a": "passed", "t.py::b": "error", "t.py::c": "passed"},
        rejected=("t.py: it holds tests that decide",),
        cheating=("calc.py:3 looks at the name of the test",),
        controls=4,
    )
    shown = told(verdict(result, found, "--- a/calc.py\n+++ b/calc.py\n"))
    for words in (
        "UNRESOLVED",
        "It cheats.",
        "✓ t.py::a",
        "✗ t.py::b error",
        "✗ t.py::c passed, should be failed",
        "t.py: it holds tests that decide",
        "calc.py:3 looks at the name of the test",
        "4 negative controls",
        "+++ b/calc.py",
    ):
        assert words in shown
