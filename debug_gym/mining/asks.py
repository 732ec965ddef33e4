"""Whether a failing test asks for a feature: for a name, an argument or an option that is not there yet.

What the failure says counts, in all of its report: an option may be refused in another process, a missing
name may stand in the text of an exception where a test expects another one. So does where it was raised: code
that trips over its own missing name is broken, and so is code that gives None where a test wants an object.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from debug_gym.mining.base import Texts, is_test
from debug_gym.mining.visible import node_of

_MISSING = re.compile(
    r"has no attribute '(?P<attribute>\w+)'|cannot import name '(?P<imported>\w+)'|"
    r"No module named '?(?P<module>[\w.]+)|name '(?P<name>\w+)' is not defined|"
    r"unexpected keyword argument '(?P<keyword>\w+)'"
)
"""What complains of a thing that is not there, and names it."""
_SHAPE = re.compile(r"TypeError: .*(?:takes .* positional arguments? |missing \d+ required .*argument)")
"""What complains of a call, and names nothing."""
_ALWAYS = re.compile(r"fixture '.*' not found|no tests ran")
_VALUE = re.compile(
    r"'(?:NoneType|bool|int|float|complex|str|bytes|bytearray|list|tuple|dict|set|frozenset|range|slice|"
    r"generator|coroutine)' object has no attribute '(?P<name>\w+)'"
)
"""A complaint about a value of another type than was expected: something gave the wrong one."""
_USAGE = re.compile(
    r"(?:no such (?:option|command)|unrecogni[sz]ed arguments?|unknown (?:option|command|argument)|"
    r"invalid choice|unexpected extra arguments?|unexpected argument)\W{0,4}?(?P<word>(?:--?)?\w[\w-]*)",
    re.I,
)
"""What command lines say of an option or a command that they do not know."""
_TITLE = re.compile(r"^_{2,} (?:ERROR at \w+ of )?(?P<test>\S.*?) _{2,}$", re.MULTILINE)
_PLACE = re.compile(r"^(?P<path>[^\s:]+\.py):\d+: ", re.MULTILINE)
_SAID = re.compile(r"^E .*$", re.MULTILINE)
_CAPTURED = re.compile(r"^-+ Captured \w+ \w+ -+$", re.MULTILINE)


@dataclass(frozen=True)
class Report:
    """What pytest says of the failure of one test."""

    message: str
    """The one-line reason."""
    section: str = ""
    """Its part of the output; empty: there is none, as of other programs, or it was cut off."""

    @cached_property
    def said(self) -> str:
        """The reason and the exceptions, without the source lines."""
        return "\n".join([self.message, *_SAID.findall(self._parts[0])])

    @cached_property
    def printed(self) -> str:
        """What the test, and programs that it started, printed."""
        return self._parts[1]

    @cached_property
    def place(self) -> str:
        """The file that raised; empty: not known."""
        return places[-1] if (places := _PLACE.findall(self._parts[0])) else ""

    @cached_property
    def _parts(self) -> tuple[str, str]:
        captured = _CAPTURED.search(self.section)
        end = captured.start() if captured else len(self.section)
        return self.section[:end], self.section[end:]


def reports(output: str, messages: Mapping[str, str]) -> dict[str, Report]:
    """Id of a failing test to its report.

    Args:
        output: what pytest printed.
        messages: id of a test to the one-line reason.
    """
    titles = [*_TITLE.finditer(output)]
    ends = [title.start() for title in titles[1:]] + [len(output)]
    sections: dict[str, list[str]] = {}
    for title, end in zip(titles, ends, strict=True):
        sections.setdefault(title["test"], []).append(output[title.end() : end])
    found = {}
    for test, message in messages.items():
        path, _, name = test.partition("::")
        mine = sections.get(name.replace("::", "."), [])
        mine = [text for text in mine if path in text] or mine
        found[test] = Report(message, "\n".join(mine))
    return found


class Fix:
    """A change of sources, and which tests ask for something that only it brings.

    Args:
        broken: path to the text of each file that it changes, before.
        fixed: the same after it.
    """

    def __init__(self, broken: Texts, fixed: Texts) -> None:
        self._old, self._new = Names(broken), Names(fixed)
        self._before, self._after = (
            _dashless(" ".join(text or "" for text in texts.values())) for texts in (broken, fixed)
        )

    def asked(self, test: str, text: str, report: Report) -> str:
        """What a test asks for that is not there; empty: it shows a bug.

        Args:
            test: its id.
            text: of its file.
            report: of its failure without the fix.
        """
        tree = node_of(_parsed(text), test)
        words = set(re.findall(r"\w+", ast.unparse(tree)))
        return self._complaint(report, words) or self._refused(report, words) or self._used(tree)

    def _complaint(self, report: Report, words: set[str]) -> str:
        """What the failure says is missing, if it is the test that wants it."""
        if always := _ALWAYS.search(report.said):
            return always[0]
        in_test = not report.place or is_test(report.place)
        lines = [(line, in_test) for line in report.said.splitlines() if not self._is_value(line)]
        lines += [(line, False) for line in report.printed.splitlines()]
        for line, wanted in lines:
            if wanted and (shape := _SHAPE.search(line)):
                return shape[0]
            for match in _MISSING.finditer(line):
                name = next(filter(None, match.groups())).rpartition(".")[2]
                if wanted or (name in words and name not in self._old.all):
                    return match[0]
        return ""

    def _is_value(self, line: str) -> bool:
        """Whether a line complains of a wrong value, which has nothing to do with what the fix brings."""
        match = _VALUE.search(line)
        return match is not None and match["name"] not in self._new.all - self._old.all

    def _refused(self, report: Report, words: set[str]) -> str:
        """An option or a command that the test gives, that only the fix knows, and that was refused."""
        for match in _USAGE.finditer(f"{report.said}\n{report.printed}"):
            bare = match["word"].lstrip("-")
            spelt = re.compile(rf"(?<![\w-]){re.escape(bare).replace(re.escape('-'), '[-_]')}(?![\w-])")
            given = set(re.findall(r"\w+", bare)) <= words
            if given and spelt.search(self._after) and not spelt.search(self._before):
                return match[0]
        return ""

    def _used(self, tree: ast.AST) -> str:
        """Something that only the fix defines and that the test uses in a way that no failure has to tell: a
        name, one that is asked for by ``getattr``, an argument, an option of a command line."""
        old, new = self._old, self._new
        names = new.plain - old.plain
        arguments = {pair for pair in new.arguments - old.arguments if (pair[0], "**") not in old.arguments}
        for node in ast.walk(tree):
            wanted: set[str] = set()
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                wanted = {node.id} & names
            elif isinstance(node, ast.ImportFrom):
                wanted = {item.name for item in node.names} & names
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                wanted = set(re.findall(r"(?<!\S)--\w[\w-]*", node.value)) & (new.options - old.options)
                if re.search(r"\bimport\b", node.value):  # code for another process
                    wanted |= set(re.findall(r"\w+", node.value)) & names
            elif isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                wanted = {str(item.arg) for item in node.keywords if (called, item.arg) in arguments}
                if called in {"getattr", "hasattr"}:
                    texts = {str(item.value) for item in node.args if isinstance(item, ast.Constant)}
                    wanted |= texts & (new.all - old.all)
            if wanted:
                return f"only the fix knows {min(wanted)}"
        return ""


def _dashless(text: str) -> str:
    """The text with options as bare words."""
    return re.sub(r"(?<![\w-])--?(?=\w)", "", text)


class Names:
    """What some files define.

    Args:
        texts: path to the text of a file.
    """

    def __init__(self, texts: Texts) -> None:
        self.plain: set[str] = set()
        """Modules, their functions, classes and variables."""
        self.all: set[str] = set()
        """Those, and methods, attributes and arguments."""
        self.arguments: set[tuple[str, str]] = set()
        """A function or class and an argument that it takes; ``**``: it takes any."""
        self.options: set[str] = set()
        """Texts that look like the options of a command line."""
        for path, text in texts.items():
            if text is not None:
                self.plain.add(PurePosixPath(path).stem)
            tree = _parsed(text)
            for node in tree.body:
                self.plain |= _bound(node)
            self._look(tree, "")
        self.all |= self.plain

    def _look(self, node: ast.AST, inside: str) -> None:
        for child in ast.iter_child_nodes(node):
            self.all |= _bound(child)
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                called = inside if child.name in {"__init__", "__new__"} and inside else child.name
                self._take(called, child.args)
            elif isinstance(child, ast.Attribute) and isinstance(child.ctx, ast.Store):
                self.all.add(child.attr)
            elif isinstance(child, ast.Constant) and isinstance(child.value, str):
                self.options |= {child.value} if re.fullmatch(r"--\w[\w-]*", child.value) else set()
            self._look(child, child.name if isinstance(child, ast.ClassDef) else inside)

    def _take(self, called: str, taken: ast.arguments) -> None:
        names = {item.arg for item in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs)}
        self.all |= names
        self.arguments |= {(called, name) for name in names}
        if taken.kwarg is not None:
            self.arguments.add((called, "**"))


def _parsed(text: str | None) -> ast.Module:
    try:
        return ast.parse(text or "")
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _bound(node: ast.AST) -> set[str]:
    """The names that a statement binds, but for imports."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}
