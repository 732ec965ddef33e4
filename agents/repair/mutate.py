"""Candidate fixes: every template at every suspicious node, the most promising ones first.

The forms of fixes come from studies of repair templates and of small bugs: Liu et al., "TBar: revisiting
template-based automated program repair" (ISSTA 2019); Kamienski et al., "PySStuBs: characterizing
single-statement bugs in popular open-source Python projects" (MSR 2021). The templates' priors are our own
judgement of how often each is right; only their order matters.
"""

import ast
import heapq
import random
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from debug_gym.agents.repair import (  # noqa: F401  importing a module registers its templates
    calls,
    constants,
    insertions,
    names,
    operators,
    sharing,
    statements,
    values,
)
from debug_gym.agents.repair.source import Source
from debug_gym.agents.repair.template import TEMPLATES, Change, Template

Rating = Callable[[Source, ast.AST], float]
"""How suspicious a node is, from 0."""


@dataclass(frozen=True)
class Candidate:
    """One changed file that compiles."""

    path: str
    text: str
    line: int
    template: str
    priority: float
    """Suspiciousness x the template's prior x the weight of this way to apply it."""
    worth: float
    """How much to believe it if it passes the visible tests: the priority, less for templates that silence
    symptoms and for longer changes."""


@dataclass(frozen=True)
class _Planned:
    source: Source
    template: Template
    change: Change
    node: ast.AST
    priority: float


def candidates(sources: Iterable[Source], rating: Rating, seed: int = 0) -> Iterator[Candidate]:
    """All candidates in the order of their priority; equal ones in an order that the seed decides.

    Each text comes once; what does not compile is left out.
    """
    tie = random.Random(seed)
    queue = [(-plan.priority, tie.random(), plan) for source in sources for plan in _plans(source, rating)]
    heapq.heapify(queue)
    seen: set[tuple[str, str]] = set()
    while queue:
        plan = heapq.heappop(queue)[2]
        text = plan.source.apply(plan.change.edits)
        if (
            text is None
            or text == plan.source.text
            or (plan.source.path, text) in seen
            or not _compiles(text)
        ):
            continue
        seen.add((plan.source.path, text))
        written = sum(len(edit.text) + edit.end - edit.start for edit in plan.change.edits)
        worth = plan.priority * plan.template.trust / (1 + written / 1000)
        line = plan.node.lineno if isinstance(plan.node, ast.stmt | ast.expr) else 1
        yield Candidate(plan.source.path, text, line, plan.template.name, plan.priority, worth)


def _plans(source: Source, rating: Rating) -> Iterator[_Planned]:
    by_kind: dict[type[ast.AST], list[Template]] = {}
    for template in TEMPLATES:
        for kind in template.kinds:
            by_kind.setdefault(kind, []).append(template)
    for node in source.nodes:
        templates = by_kind.get(type(node), ())
        suspicion = rating(source, node) if templates else 0.0
        if suspicion <= 0:
            continue
        for template in templates:
            for change in template.rule(source, node):
                if change is not None:
                    priority = suspicion * template.prior * change.weight
                    yield _Planned(source, template, change, node, priority)


def _compiles(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            compile(text, "<candidate>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True
