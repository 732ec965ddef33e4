"""Where a repository of one's own keeps its packages, and what of its folder is nobody's business.

Knows files, also of the environment, and what ``git`` says of them; runs nothing of the repository.
"""

import ast
import configparser
import re
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pathspec

NO_PACKAGES = frozenset(["test", "tests", "testing", "doc", "docs", "example", "examples", "build", "dist"])
"""Folders that are not installed, whatever they hold."""
_TABLE = re.compile(r"^MAPPING\b[^=\n]*=\s*(\{.*\})$", re.MULTILINE)
_SETUP_PY = re.compile(r"package_dir\s*=\s*\{\s*['\"]['\"]\s*:\s*['\"]([^'\"]+)['\"]")


def package_folders(root: Path) -> list[str]:
    """The folders below the root that hold its packages, as its build configuration says, or ``src``.

    Empty where the packages lie in the root itself. Relative, in the order in which they are searched.
    """
    named = [*_configured(root), "src"]
    found = [name.strip("./") for name in named]
    return [name for name in dict.fromkeys(found) if name and packages(root / name)]


def packages(folder: Path) -> list[str]:
    """Names of the modules and packages that lie in a folder: none if the folder is a package itself."""
    if not folder.is_dir() or (folder / "__init__.py").exists():
        return []
    files = (path.stem for path in folder.glob("*.py"))
    folders = (path.name for path in folder.iterdir() if path.is_dir() and any(path.glob("*.py")))
    nested = (path.name for path in folder.iterdir() if path.is_dir() and any(path.glob("*/__init__.py")))
    names = {*files, *folders, *nested} - NO_PACKAGES
    return sorted(name for name in names if name.isidentifier() and name not in {"setup", "conftest"})


def _configured(root: Path) -> Iterator[str]:
    """The folders that ``pyproject.toml``, ``setup.cfg`` and ``setup.py`` name."""
    tool = _toml(root / "pyproject.toml").get("tool", {})
    setuptools = tool.get("setuptools", {})
    finders = setuptools.get("packages", {})
    yield from finders.get("find", {}).get("where", ()) if isinstance(finders, dict) else ()
    yield from setuptools.get("package-dir", {}).values()
    yield from (entry.get("from", "") for entry in tool.get("poetry", {}).get("packages", ()))
    wheel = tool.get("hatch", {}).get("build", {}).get("targets", {}).get("wheel", {})
    yield from (str(Path(name).parent) for name in wheel.get("packages", ()))
    if place := tool.get("pdm", {}).get("build", {}).get("package-dir"):
        yield place
    old = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        old.read(root / "setup.cfg", encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        old.clear()
    for line in old.get("options", "package_dir", fallback="").splitlines():
        yield line.partition("=")[2].strip()
    yield old.get("options.packages.find", "where", fallback="")
    if (root / "setup.py").is_file():
        yield from _SETUP_PY.findall((root / "setup.py").read_text(encoding="utf-8", errors="replace"))


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def installed_copies(names: Sequence[str], python: Path) -> list[str]:
    """Those of some packages of which a copy lies in the environment of a folder or an interpreter."""
    places = _site_packages(python)
    return [name for name in names if any((place / name).exists() for place in places)]


def editable_folders(root: Path, python: Path) -> list[str]:
    """The folders of a repository to which its editable installs in an environment lead: lines of ``.pth``
    files, and the tables of the finders that setuptools writes. Relative; the root itself is ``.``.

    Args:
        root: the repository, as the paths in the environment name it.
        python: the environment's folder, or its interpreter.
    """
    found: dict[str, None] = {}
    for place in _site_packages(python):
        lines = [line.strip() for file in sorted(place.glob("*.pth")) for line in _text(file).splitlines()]
        folders = [Path(line) for line in lines if line.startswith("/")]
        for file in sorted(place.glob("__editable__*_finder.py")):
            folders += _mapped(_text(file))
        inside = [folder for folder in folders if folder.is_relative_to(root) and folder.is_dir()]
        found.update(dict.fromkeys(folder.relative_to(root).as_posix() for folder in inside))
    return list(found)


def _mapped(finder: str) -> Iterator[Path]:
    """The folders in which the packages of a finder's table lie under their own name."""
    for table in _TABLE.findall(finder):
        try:
            entries: dict[str, str] = ast.literal_eval(table)
        except (ValueError, SyntaxError):
            continue
        for name, place in entries.items():
            parts = name.split(".")
            if list(Path(place).parts[-len(parts) :]) == parts:
                yield Path(place).parents[len(parts) - 1]


def _site_packages(python: Path) -> list[Path]:
    environment = python if python.is_dir() else python.parent.parent
    return [*environment.glob("lib/python3*/site-packages")]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def ignored(root: Path, *, untracked: bool) -> list[str]:
    """Files and folders that git ignores, relative to the root; ``untracked``: and those it does not track.

    In a folder that is no git repository, what its own ``.gitignore`` names.
    """
    kinds: list[Sequence[str]] = [("--ignored", "--exclude-standard")]
    if untracked:
        kinds.append(("--exclude-standard",))
    found: list[str] = []
    for kind in kinds:
        listed = _git(root, "ls-files", "-z", "--others", "--directory", *kind)
        if listed is None:
            return _named_by_file(root)
        found += [name.rstrip("/") for name in listed.split("\0") if name]
    return sorted(set(found) - {"."})


def _git(root: Path, *arguments: str) -> str | None:
    """What git says; None if it is not installed, or the folder is no repository of its."""
    command = ["git", "-C", str(root), "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None


def _named_by_file(root: Path) -> list[str]:
    try:
        lines = (root / ".gitignore").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return sorted(pathspec.GitIgnoreSpec.from_lines(lines).match_tree_files(root))
