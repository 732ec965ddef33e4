"""What a repair template is, and the table that the templates register in."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from debug_gym.agents.repair.source import Edit, Source


@dataclass(frozen=True)
class Change:
    """One way to apply a template at a node."""

    edits: tuple[Edit, ...]
    weight: float = 1.0
    """How likely this way is, compared to the template's likeliest (1)."""


Rule = Callable[[Source, Any], Iterator[Change | None]]
"""Yields the changes that a template makes at a node; None stands for one that does not apply."""


@dataclass(frozen=True)
class Template:
    """A kind of fix: where it applies, what it does, how often it is right."""

    name: str
    prior: float
    """From 0 to 1: how often fixes of real bugs have this form, by our judgement after the studies that
    ``debug_gym.agents.repair.mutate`` names."""
    kinds: tuple[type[ast.AST], ...]
    rule: Rule
    trust: float = 1.0
    """From 0 to 1: how far to believe a change of this kind that passes all visible tests. Low for what
    silences a symptom: deleting a statement, making a condition constant, catching more exceptions."""


TEMPLATES: list[Template] = []
"""All templates, in the order of their definition."""


def template(name: str, prior: float, *kinds: type[ast.AST], trust: float = 1.0) -> Callable[[Rule], Rule]:
    """Register the decorated rule as a template for nodes of some kinds."""

    def register(rule: Rule) -> Rule:
        TEMPLATES.append(Template(name, prior, kinds, rule, trust))
        return rule

    return register


def change(*edits: Edit | None, weight: float = 1.0) -> Change | None:
    """A change of these edits; None if one of them could not be made."""
    kept = tuple(edit for edit in edits if edit is not None)
    return Change(kept, weight) if len(kept) == len(edits) else None
