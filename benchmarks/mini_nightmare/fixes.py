"""One fix of each program of mini-nightmare: the benchmark has none, and ``validate`` needs one."""

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import indent


@dataclass(frozen=True)
class Edit:
    """Lines of the broken program that are replaced, counted from 1."""

    first: int
    last: int
    """The last of them; ``first - 1``: nothing is replaced, the text comes before ``first``."""
    text: str = ""
    depth: int = 0
    """Levels of four spaces by which the text is indented."""


FIXES: dict[str, tuple[Edit, ...]] = {
    "config": (  # each object needs a cache of its own, and a new value ends the old one
        Edit(3, 3),
        Edit(6, 5, "self._cache = {}\n", 2),
        Edit(39, 38, "self._cache.pop(name, None)\n", 2),
    ),
    "counter": (  # one lock from reading to writing
        Edit(
            22,
            33,
            """\
time.sleep(random.uniform(0.001, 0.003))
with self._lock:
    before = self._count
    self._count = before + 1
    self._increment_history.append((threading.get_ident(), before, self._count))
    self._active_threads -= 1
""",
            2,
        ),
    ),
    "grader": (Edit(35, 35, "if len(grades) == len(self.class_data) and min(grades) >= threshold\n", 3),),
    "pandas_dataframe": (Edit(15, 15, 'median = df["fare"].median()\n', 1),),
    "patcher": (
        Edit(
            31, 30, 'if head < 0 or tail < head:\n    return "SyntaxError: invalid syntax.", None, None\n', 2
        ),
    ),
    "purr": (Edit(27, 27, "if 10 < self.hunger <= 20:\n", 2),),
    "scientific_calculator": (
        Edit(20, 20, 'numbers = input_text.split(self.action_str)[1].split("```")[0]\n', 3),
        Edit(21, 20, "number_1, number_2 = numbers.split()\n", 3),
        Edit(23, 23),
    ),
    "shopping_cart": (  # later items are cheaper, too; its test wants 10.225 to be 10.23, not 10.22
        Edit(15, 15, "self.total += price * quantity * (100 - self.discounts.get(item, 0)) / 100\n", 2),
        Edit(24, 24, "return round(self.total + 1e-9, 2)\n", 2),
    ),
    "sum_tree": (
        Edit(
            14,
            22,
            """\
def build_sum_tree(root, seen=None):
    seen = set() if seen is None else seen
    if root is None or root in seen:
        return 0
    seen.add(root)
    below = build_sum_tree(root.left, seen) + build_sum_tree(root.right, seen)
    root.sum = root.value + below
    return root.sum
""",
        ),
        Edit(
            25,
            31,
            """\
def print_tree(node, level=0, seen=None):
    seen = set() if seen is None else seen
    if node is None or node in seen:
        return []
    seen.add(node)
    here = [f"Value: {node.value}, Sum: {node.sum}"]
    return here + print_tree(node.left, level + 1, seen) + print_tree(node.right, level + 1, seen)
""",
        ),
    ),
    "tomorrow_date": (
        Edit(1, 1, "from datetime import datetime, timedelta\n"),
        Edit(18, 40, "return today + timedelta(days=1)\n", 2),
    ),
}
"""Task to the edits of its program."""


def edited(code: str, edits: Iterable[Edit]) -> str:
    """A program with some of its lines replaced."""
    lines = code.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    for edit in sorted(edits, key=lambda edit: edit.first, reverse=True):
        lines[edit.first - 1 : edit.last] = [indent(edit.text, "    " * edit.depth)]
    return "".join(lines)
