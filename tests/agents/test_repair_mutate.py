"""Each template makes the fix that it is there for."""

import ast

import pytest

from debug_gym.agents.repair.mutate import candidates
from debug_gym.agents.repair.source import Source
from debug_gym.agents.repair.template import TEMPLATES


def everywhere(source, node):
    return 1.0


def made(text, name=None, types=None):
    found = candidates([Source("a.py", text, types)], everywhere)
    return [item.text for item in found if name is None or item.template == name]


FIXES = [
    ("comparison operator", "ok = a < b", "ok = a <= b"),
    ("comparison operator", "ok = a is b", "ok = a == b"),
    ("comparison operator", "ok = lo < x <= hi", "ok = lo <= x <= hi"),
    ("arithmetic operator", "x = a / b", "x = a // b"),
    ("arithmetic operator", "x = a // b", "x = -(-a // b)"),
    ("arithmetic operator", "x = a - b", "x = b - a"),
    ("augmented assignment", "x += y", "x = x + y"),
    ("augmented assignment", "x += y", "x = y"),
    ("accumulate", "for y in z:\n    x = y", "for y in z:\n    x += y"),
    ("boolean operator", "ok = a and b or c", "ok = a or b or c"),
    ("fewer conditions", "ok = a and b and c", "ok = a and c"),
    ("negated condition", "if f(x):\n    y = 1", "if not f(x):\n    y = 1"),
    ("negated condition", "x = [a for a in b if not a]", "x = [a for a in b if a]"),
    ("removed not", "x = -y", "x = y"),
    ("none or empty", "x = a or b", "x = a if a is not None else b"),
    ("none or empty", "if not x:\n    y = 1", "if x is None:\n    y = 1"),
    ("truth for none", "ok = x is not None", "ok = x"),
    ("precedence", "x = a + b * c", "x = (a + b) * c"),
    ("precedence", "x = 1 << n - 1", "x = (1 << n) - 1"),
    ("precedence", "x = (a + b) * c", "x = a + (b * c)"),
    ("scope of a conditional expression", "x = a + b if c else d", "x = a + (b if c else d)"),
    ("tolerance", "ok = a == b", "ok = abs(a - b) < 1e-9"),
    ("number", "x = 0xFF", "x = 0x1ff"),
    ("number", "x = 9", "x = 10"),
    ("flag", "f(strict=False)", "f(strict=True)"),
    ("text", "a = 'adress'\nb = 'address'", "a = 'address'\nb = 'address'"),
    ("regular expression", "m = re.match(r'a*b', s)", "m = re.match(r'a*?b', s)"),
    ("regular expression", "m = re.search('ab', s)", "m = re.search('ab', s, flags=re.MULTILINE)"),
    ("off by one", "x = range(n)", "x = range(n + 1)"),
    ("off by one", "x = s[i:j]", "x = s[i:j + 1]"),
    ("off by one", "x = s[i - 1]", "x = s[i]"),
    ("assigned off by one", "x = len(s)", "x = len(s) - 1"),
    ("slice", "x = s[a:b]", "x = s[a:]"),
    ("slice", "x = s[0]", "x = s[-1]"),
    ("range", "x = enumerate(s)", "x = enumerate(s, 1)"),
    ("confused function", "x = s.find('a')", "x = s.rfind('a')"),
    ("confused function", "x = min(a, b)", "x = max(a, b)"),
    ("swapped arguments", "f(a, b)", "f(b, a)"),
    ("swapped items", "x = {**a, **b}", "x = {**b, **a}"),
    ("sort order", "x = sorted(y)", "x = sorted(y, reverse=True)"),
    ("sort order", "x = sorted(y, key=lambda p: (p.a, p.b))", "x = sorted(y, key=lambda p: (-p.a, p.b))"),
    (
        "forgotten argument",
        "def f(a, key):\n    return g(a)\ndef g(a, key=None):\n    return a",
        "def f(a, key):\n    return g(a, key=key)\ndef g(a, key=None):\n    return a",
    ),
    ("dropped argument", "f(a, b=1)", "f(a)"),
    ("split limit", "x = s.split(':')", "x = s.split(':', 1)"),
    ("key that may be missing", "x = d[k]", "x = d.get(k)"),
    ("result not used", "s.strip()", "s = s.strip()"),
    ("result not used", "def f(x):\n    g(x)", "def f(x):\n    return g(x)"),
    ("missing await", "async def f():\n    return g()", "async def f():\n    return await g()"),
    (
        "value read too early",
        "async def f(x):\n    x.n = x.n + await g()",
        "async def f(x):\n    awaited = await g()\n    x.n = x.n + awaited",
    ),
    ("forgotten conversion", "a = x.upper()\nb = y", "a = x.upper()\nb = y.upper()"),
    ("forgotten conversion", "a = whole(x)\nb = 3.0", "a = whole(x)\nb = whole(3.0)"),
    ("wrapped value", "def f(x):\n    return x", "def f(x):\n    return int(x)"),
    ("unwrapped value", "x = int(y)", "x = y"),
    ("other variable", "def f(left, right):\n    return left", "def f(left, right):\n    return right"),
    (
        "other function",
        "def get(): pass\ndef put(): pass\nx = get()",
        "def get(): pass\ndef put(): pass\nx = put()",
    ),
    (
        "other attribute",
        "class A:\n    def f(self):\n        self.size = 1\n        return self.width",
        "class A:\n    def f(self):\n        self.size = 1\n        return self.size",
    ),
    (
        "scope of a name",
        "n = 0\ndef f():\n    n = 1\n    return n",
        "n = 0\ndef f():\n    global n\n    n = 1\n    return n",
    ),
    (
        "mutable default",
        'def f(a, b=[]):\n    """Doc."""\n    return b',
        'def f(a, b=None):\n    """Doc."""\n    if b is None:\n        b = []\n    return b',
    ),
    (
        "shared class attribute",
        "class A:\n    items = []\n\n    def __init__(self):\n        pass",
        "class A:\n    items = []\n\n    def __init__(self):\n        self.items = []\n        pass",
    ),
    ("missing copy", "def f(x):\n    return x", "import copy\ndef f(x):\n    return copy.deepcopy(x)"),
    ("missing copy", "self.items = items", "self.items = list(items)"),
    ("changed while iterated", "for a in b:\n    b.remove(a)", "for a in list(b):\n    b.remove(a)"),
    ("exhausted iterator", "x = (a for a in b)", "x = [a for a in b]"),
    ("late binding", "f = [lambda: i for i in x]", "f = [lambda i=i: i for i in x]"),
    (
        "late binding in a function",
        "for i, j in x:\n    def f(a):\n        return a, i, j",
        "for i, j in x:\n    def f(a, i=i, j=j):\n        return a, i, j",
    ),
    ("repeated object", "x = [[0] * n] * m", "x = [[0] * n for _ in range(m)]"),
    ("repeated object", "x = dict.fromkeys(k, [])", "x = {key: [] for key in k}"),
    ("stale cache", "@cache\ndef f(x):\n    return x", "def f(x):\n    return x"),
    ("deleted statement", "a = 1\nb = 2  # two\nc = 3", "a = 1\nc = 3"),
    ("deleted statement", "if a:\n    b = 1", "if a:\n    pass"),
    ("deleted statement", "if a:\n    b = 1\n    c = 2", "b = 1\nc = 2"),
    ("moved statement", "a = 1\nb = 2\nc = 3", "b = 2\na = 1\nc = 3"),
    ("statement in or out of a block", "for a in b:\n    c()\n    d()", "for a in b:\n    c()\nd()"),
    ("statement in or out of a block", "x = f()\nfor a in b:\n    c()", "for a in b:\n    x = f()\n    c()"),
    ("loop control", "for a in b:\n    break", "for a in b:\n    continue"),
    ("returned value", "def f(x):\n    return g(x)", "def f(x):\n    g(x)"),
    ("missing return", "def f(x):\n    y = x", "def f(x):\n    y = x\n    return y"),
    ("else-if for if", "if a:\n    b = 1\nelif c:\n    d = 1", "if a:\n    b = 1\nif c:\n    d = 1"),
    ("else-if for if", "if a:\n    b = 1\nif c:\n    d = 1", "if a:\n    b = 1\nelif c:\n    d = 1"),
    ("loop for condition", "if a:\n    a = f()", "while a:\n    a = f()"),
    (
        "caught exceptions",
        "try:\n    a()\nexcept LookupError:\n    b()\nraise NotHere(a)",
        "try:\n    a()\nexcept NotHere:\n    b()\nraise NotHere(a)",
    ),
    ("guard", "def f(x):\n    return x.a", "def f(x):\n    if not x:\n        return\n    return x.a"),
    ("safe division", "x = a / b", "x = a / b if b else 0"),
    (
        "forgotten step",
        "class A:\n    def f(self):\n        self.cache.clear()\n    def g(self):\n        self.x = 1",
        "class A:\n    def f(self):\n        self.cache.clear()\n    def g(self):\n        self.x = 1\n        self.cache.clear()",
    ),
    (
        "missing lock",
        "class A:\n    def f(self):\n        with self.lock: pass\n    def g(self):\n        self.n += 1",
        "class A:\n    def f(self):\n        with self.lock: pass\n    def g(self):\n        with self.lock:\n            self.n += 1",
    ),
    (
        "missing clean-up",
        "def f():\n    a()\n    yield\n    b()",
        "def f():\n    a()\n    try:\n        yield\n    finally:\n        b()",
    ),
    (
        "missing super call",
        "class A(B):\n    def __init__(self, x):\n        self.x = x",
        "class A(B):\n    def __init__(self, x):\n        super().__init__(x)\n        self.x = x",
    ),
    (
        "boolean is no number",
        "ok = isinstance(x, int)",
        "ok = isinstance(x, int) and not isinstance(x, bool)",
    ),
]


@pytest.mark.parametrize(("name", "before", "after"), FIXES)
def test_template_makes_its_fix(name, before, after):
    assert after + "\n" in made(before + "\n", name)


def test_every_template_is_tested():
    assert {template.name for template in TEMPLATES} == {name for name, _, _ in FIXES}


def test_everything_compiles_and_comes_once():
    text = "\n".join(
        f"def f{n}():\n" + "\n".join(f"    {line}" for line in before.splitlines())
        for n, (_, before, _) in enumerate(FIXES)
    )
    found = made(text)
    assert len(found) > 1000
    assert len(set(found)) == len(found)
    assert text not in found
    for changed in found[::50]:
        ast.parse(changed)


def test_the_most_promising_come_first():
    """By suspiciousness, the template's prior and the weight of the change."""
    source = Source("a.py", "def f(a, b):\n    x = a < b\n    return a < b\n")
    found = list(candidates([source], lambda source, node: 0.2 if source.place(node).lineno == 2 else 1.0))
    priorities = [item.priority for item in found]
    assert priorities == sorted(priorities, reverse=True)
    assert (found[0].template, found[0].line) == ("comparison operator", 3)
    assert found[0].text == "def f(a, b):\n    x = a < b\n    return a <= b\n"


def test_code_that_no_failing_test_runs_stays():
    assert list(candidates([Source("a.py", "x = 1\n")], lambda source, node: 0.0)) == []


def test_the_seed_orders_what_is_equal():
    source = Source("a.py", "x = a < b\ny = a < b\nz = a < b\n")
    orders = {tuple(item.text for item in candidates([source], everywhere, seed)) for seed in (1, 1, 2, 3, 4)}
    assert 1 < len(orders) <= 4


def test_deletions_are_believed_less_than_they_are_tried():
    found = list(candidates([Source("a.py", "a = f(b)\nc = 1\n")], everywhere))
    deletion = next(item for item in found if item.template == "deleted statement")
    assert deletion.worth < deletion.priority / 2


def test_kinds_of_values_rule_out_what_makes_no_sense():
    text = "def f(names, count, total):\n    return count\n"
    kinds = {"names": frozenset({"list"}), "count": frozenset({"int"}), "total": frozenset({"int"})}
    found = made(text, types={1: kinds})
    assert "def f(names, count, total):\n    return total\n" in found
    assert "def f(names, count, total):\n    return names\n" not in found
    assert "def f(names, count, total):\n    return list(count)\n" not in found
    assert "def f(names, count, total):\n    return names\n" in made(text)
