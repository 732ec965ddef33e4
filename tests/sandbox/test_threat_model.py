"""The page on threats: each promise names tests that attack it, and they exist."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs/threat-model.md").read_text()
NAMED = re.compile(r"`(\w+/test_\w+\.py)::(test_\w+)`")


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED.findall(PAGE))))
def test_every_attack_that_is_named_exists(file, name):
    module = ast.parse((TESTS / file).read_text())
    assert name in {node.name for node in module.body if isinstance(node, ast.FunctionDef)}


def test_every_promise_is_attacked():
    table = PAGE.split("## What is promised")[1].split("## Memory")[0]
    promises = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert len(promises) > 20
    assert [line for line in promises if not NAMED.search(line)] == []
