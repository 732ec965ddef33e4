"""Support files: what the tests import and the package does not, so that it decides as the tests do.

A helper ``check(a, b)`` that is emptied makes every test pass that uses it.
"""

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from enum import Enum, auto
from pathlib import PurePosixPath
from typing import Protocol

_TEST_FOLDERS = frozenset({"test", "tests", "testing", "_testing", "testutils", "test_utils", "testlib"})
_TEST_FILE = re.compile(r"(test_.*|.*_tests?|tests?|conftest)\.py")
_TEST_LIBRARIES = frozenset({"pytest", "_pytest", "unittest", "hypothesis", "nose", "doctest"})
_HELPER = re.compile(r"test|help|fixture|assert|check|expect", re.IGNORECASE)
_IMPORTING = frozenset({"import_module", "__import__", "importorskip", "run_module", "find_spec"})
_LOADING = frozenset({"exec", "run_path", "spec_from_file_location", "SourceFileLoader"})
_SETTINGS = ("pytest.ini", ".pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini")
_PLUGIN = re.compile(r"(?<![\w-])-p[ =]?([\w.]+)")
_PATCHED = re.compile(r"^(?:\+\+\+|---) [ab]/(.+?)\s*$", re.MULTILINE)


class Repository(Protocol):
    """What is asked of the original repository."""

    def text(self, path: str) -> str | None:
        """The text of a file; None if there is none."""
        ...

    def mentions(self, word: str) -> Collection[str]:
        """Paths of the Python files that hold a word."""
        ...


def support_files(changed: Iterable[str], repository: Repository, gold_patch: str | None = None) -> set[str]:
    """Which of the changed files may not change, since they support the tests.

    Such a file looks like it (it has the name of a test, lies in a folder of tests, uses a test library, has
    the name of a helper and asserts, or has functions that fail and that tests call for nothing else), some
    test imports it, directly or through others of its kind, and no file of the package does. What the gold
    patch changes is never one.

    Args:
        changed: paths; those that the original repository does not have are left out.
        repository: the original.
        gold_patch: a unified diff.
    """
    touched = set(_PATCHED.findall(gold_patch or ""))
    found = set()
    for path in changed:
        if path.endswith(".py") and path not in touched:
            user = _user(path, repository)
            is_package = user is _User.PACKAGE and not _is_checker(path, repository, fixed=bool(touched))
            found |= set() if is_package or user is _User.NOBODY else {path}
    return found


class _User(Enum):
    TESTS = auto()
    PACKAGE = auto()
    NOBODY = auto()


def _user(path: str, repository: Repository, seen: frozenset[str] = frozenset()) -> _User:
    """Who uses a file: the package, if it is a part of it or imported by one, else the tests, or nobody."""
    text = repository.text(path)
    if text is None or not (is_test(path) or _looks_like_support(path, text)):
        return _User.PACKAGE
    seen |= {path}
    users = {_user(other, repository, seen) for other in _importers(path, repository) if other not in seen}
    users |= {_User.TESTS} if is_test(path) or _is_plugin(path, repository) else set()
    return next((user for user in (_User.PACKAGE, _User.TESTS) if user in users), _User.NOBODY)


def _is_plugin(path: str, repository: Repository) -> bool:
    """Whether pytest's settings load a file as a plugin."""
    module = _module(path)
    names = (name for file in _SETTINGS for name in _PLUGIN.findall(repository.text(file) or ""))
    return any(f".{module}".endswith(f".{name}") for name in names)


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def is_test(path: str) -> bool:
    """Whether a file holds tests or their set-up, by its name."""
    return bool(_TEST_FILE.fullmatch(path.rpartition("/")[2]))


def _looks_like_support(path: str, text: str) -> bool:
    place = PurePosixPath(path)
    if not _TEST_FOLDERS.isdisjoint(place.parts[:-1]):
        return True
    with suppress(SyntaxError, ValueError):
        tree = ast.parse(text)
        if any(module.partition(".")[0] in _TEST_LIBRARIES for module in imported(tree, path)):
            return True
        named = _HELPER.search(place.stem if place.stem != "__init__" else place.parent.name)
        return bool(named) and any(isinstance(node, ast.Assert) for node in ast.walk(tree))
    return False


def _is_checker(path: str, repository: Repository, *, fixed: bool) -> bool:
    """Whether only tests import a file, and call functions of it for nothing but that they may fail: no
    result is used, no error awaited. With ``assert`` or an ``AssertionError``; where the fix is known (and
    elsewhere) with any error: without it, this may be the very function that is to refuse its input."""
    try:
        tree = ast.parse(repository.text(path) or "")
    except (SyntaxError, ValueError):
        return False
    users = set(_importers(path, repository)) - {path}
    if not users or not all(map(is_test, users)) or not any(_fails(node, fixed) for node in ast.walk(tree)):
        return False
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    names = {node.name for node in tree.body if isinstance(node, kinds)}
    effects, uses = zip(*(_uses(repository.text(user) or "") for user in users), strict=True)
    return not names.isdisjoint(set().union(*effects) - set().union(*uses))


def _fails(node: ast.AST, with_any_error: bool) -> bool:
    if isinstance(node, ast.Raise):
        return with_any_error or "AssertionError" in ast.unparse(node)
    return isinstance(node, ast.Assert)


def _uses(text: str) -> tuple[set[str], set[str]]:
    """The names in calls that are statements, of ``kit.check(a)`` both and of ``Check(a).of(b)`` the first
    too; and the names that are used in other ways, or where an error is awaited."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return set(), set()
    awaited = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.With) and any("raises" in ast.unparse(item).lower() for item in node.items)
        for inner in ast.walk(node)
    }
    called: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and id(node) not in awaited:
            link: ast.expr = node.value
            while isinstance(link, ast.Call | ast.Attribute):
                called[id(link)] = _name(link)
                link = link.func if isinstance(link, ast.Call) else link.value
            called[id(link)] = _name(link)
    taken = {  # as if by an import: check = kit.check
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and [*map(_name, node.targets)] == [_name(node.value)]
        for part in (*node.targets, node.value)
    }
    known = called.keys() | taken
    others = {_name(node) for node in ast.walk(tree) if id(node) not in known}
    return set(called.values()), others


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _importers(path: str, repository: Repository) -> Iterator[str]:
    """The files that import a file; of a package's ``__init__`` all that lie in the package."""
    if path.endswith("/__init__.py"):
        yield from (
            other
            for other in repository.mentions("import")
            if is_test(other) and PurePosixPath(other).is_relative_to(PurePosixPath(path).parent)
        )
    module = _module(path)
    for other in repository.mentions(module.rpartition(".")[2]):
        with suppress(SyntaxError, ValueError):
            names = imported(ast.parse(repository.text(other) or ""), other)
            if any(name and f".{module}".endswith(f".{name}") for name in names):
                yield other


def imported(tree: ast.AST, path: str) -> set[str]:
    """Dotted names of all modules that a file may import; of relative ones as seen from the top. Among them
    are those named in a call that imports, in ``pytest_plugins``, and by the path of a file that is run."""
    package = path.split("/")[:-1]
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in _IMPORTING:
            found.update(_texts(node.args[:1]))
        elif isinstance(node, ast.Assign) and "pytest_plugins" in map(_name, node.targets):
            found.update(_texts([node.value]))
        elif isinstance(node, ast.Call) and _name(node.func) in _LOADING:
            files = (text for text in _texts(node.args) if text.endswith(".py"))
            found.update(_module(file.lstrip("/")) for file in files)
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            found.add(base)
            found.update(f"{base}.{alias.name}".lstrip(".") for alias in node.names)
    return found


def _texts(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Texts in expressions, with no dots around them."""
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.strip(".")
