"""What is known of a task beside its tests: whose code it is, how old its fix is, which kind of bug it has.

The kind is what the benchmark says; where it says nothing, a rough one is told by the lines of the fix.
"""

import re
from typing import NamedTuple

from debug_gym.checks.validate import Validation
from debug_gym.store.validations import ValidatedTask
from debug_gym.task import Task

ORIGINS = ("release-pairs", "git")
"""Categories of mined tasks that say where a bug comes from, not what it is."""
_KINDS = (
    ("exception", r"\b(?:try:|except\b|finally:|raise\b|suppress\()"),
    ("signature", r"^\s*(?:async )?(?:def|class)\b|^\s*@"),
    ("pattern", r"\bre\.\w+\(|\b[rR][bB]?[\"']"),
    ("condition", r"^\s*(?:if|elif|while|assert)\b|\bif .+ else\b|\b(?:and|or|not)\b|[<>]=?|[!=]="),
    ("loop", r"\bfor\b|\bbreak\b|\bcontinue\b|\byield\b"),
    ("import", r"^\s*(?:from|import)\b"),
    ("call", r"\w\("),
)
"""Kinds of bugs by what stands in the lines that a fix changes, the most telling first."""


class Facts(NamedTuple):
    """Texts are empty where nothing is known."""

    lines: int
    """Lines that the gold patch adds and takes out."""
    package: str
    year: str
    kind: str


def facts(task: Task) -> Facts:
    """What a task and its metadata tell."""
    said = task.metadata
    package = str(said.get("package") or said.get("origin") or "")
    category = str(said.get("category") or "")
    year = re.match(r"(?:19|20)\d\d", str(said.get("date") or ""))
    changed = changed_lines(task.gold_patch or "")
    named = category if category not in {*ORIGINS, package} else ""
    return Facts(len(changed), package, year[0] if year else "", named or kind_of(changed))


def changed_lines(patch: str) -> list[str]:
    """The lines that a unified diff adds and takes out, without their signs."""
    return [
        line[1:]
        for line in patch.splitlines()
        if line.startswith(("+", "-")) and not line.startswith(("+++", "---"))
    ]


def kind_of(lines: list[str]) -> str:
    """A rough kind of bug by the lines of its fix: ``exception``, ``signature``, ``pattern``, ``condition``,
    ``loop``, ``import``, ``call``, else ``value``; empty where there are none."""
    code = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not code:
        return ""
    return next((kind for kind, wanted in _KINDS if any(re.search(wanted, line) for line in code)), "value")


def recorded(task: Task, found: Validation, *, repeats: int, searched: bool) -> ValidatedTask:
    """What is stored of a validation.

    Args:
        task: which was validated.
        found: what came of it.
        repeats: how often its gold patch was to be judged.
        searched: everything in the agent's reach was searched for the answer.
    """
    same = {"task", "problems", "leaks", "unstable", "excluded", "resolved", "controls", "odds", "open_ended"}
    tests = task.tests
    return ValidatedTask(
        **{name: getattr(found, name) for name in same},
        searched=searched,
        repeats=0 if found.open_ended else repeats,
        seconds=round(found.seconds, 1),
        failing=len(tests.fail_to_pass),
        passing=len(tests.pass_to_pass),
        **facts(task)._asdict(),
    )
