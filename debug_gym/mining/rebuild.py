"""Tasks made of a recipe: releases from the package index, and the lines that the recipe names."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock

from debug_gym.benchmarks.data import tree_digest
from debug_gym.benchmarks.folder import DESCRIPTION
from debug_gym.benchmarks.pypi import Cut, Edit, Recipe, Sdist
from debug_gym.errors import HostError
from debug_gym.formats.yaml_text import yaml_text
from debug_gym.judge.controls.make import dump_controls
from debug_gym.mining.compose import SOURCES
from debug_gym.mining.hunks import Hunk, apply_hunks, patch
from debug_gym.mining.index import Release, releases, unpacked
from debug_gym.mining.releases import sources
from debug_gym.mining.trees import pack, slug, write_files
from debug_gym.store.writer import write_atomically
from debug_gym.task import NegativeControl, file_name


def build(recipes: Mapping[str, Recipe], folder: Path) -> Iterator[tuple[str, bool]]:
    """Make the tasks that are not there yet, one by one; what is there and right is kept.

    Args:
        recipes: id of a task to how it is made.
        folder: of the benchmark.

    Yields:
        The id of each task, and whether it had to be made.

    Raises:
        HostError: a release cannot be had, or what was made is not what the recipe says.
    """
    (folder / SOURCES).mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not (folder / DESCRIPTION).exists():
            write_atomically(folder / DESCRIPTION, "name: pypi\n")
        for name, recipe in recipes.items():
            yield name, _build(name, recipe, folder)


def _build(name: str, recipe: Recipe, folder: Path) -> bool:
    target = folder / file_name(name)
    archive = folder / SOURCES / Path(recipe.task["source"]["path"]).name
    if archive.exists() and target.exists() and tree_digest(target) == recipe.digest:
        return False
    with TemporaryDirectory(prefix=".building-", dir=folder) as work:
        newer, older, made = Path(work, slug(recipe.newer.package)), Path(work, "older"), Path(work, "task")
        _unpack(recipe.newer, newer)
        _unpack(recipe.older, older)
        write_task(recipe, newer, older, made)
        write_files(newer, recipe.additions)
        _demand(tree_digest(newer), recipe.tree, f"the repository of {name}")
        _demand(tree_digest(made), recipe.digest, name)
        if not archive.exists():
            pack(newer, archive)
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)
    return True


def write_task(recipe: Recipe, newer: Path, older: Path, target: Path) -> None:
    """Write the files of a task's folder.

    Args:
        recipe: of the task.
        newer: the newer release, as it was published.
        older: the older one.
        target: a folder that does not exist yet.
    """
    after, before = sources(newer), sources(older)
    bug = [Hunk(**part.model_dump(exclude={"kept"})) for part in recipe.parts]
    kept = [hunk for hunk, part in zip(bug, recipe.parts, strict=True) if part.kept]
    paths = sorted({hunk.path for hunk in bug})
    broken, fixed = (
        {path: texts.get(path) for path in paths}
        for texts in (apply_hunks(after, before, bug), apply_hunks(after, before, kept))
    )
    tests = {path: (newer / path).read_bytes() for path in recipe.hidden}
    shown = {path: cut(tests[path].decode(), cuts) for path, cuts in recipe.cuts.items()}
    given = {path: after.get(path) for path in paths} | {path: tests[path].decode() for path in shown}
    for path, content in tests.items():
        (target / "hidden" / path).parent.mkdir(parents=True, exist_ok=True)
        (target / "hidden" / path).write_bytes(content)
    texts = {
        "gold.patch": patch(broken, fixed),
        "bug.patch": patch(given, {**broken, **shown}),
        "task.yaml": yaml_text(recipe.task),
    }
    if recipe.controls:
        found = [control(edit, (newer / edit.path).read_bytes()) for edit in recipe.controls]
        texts["controls.json"] = dump_controls(found)
    for file, text in texts.items():
        (target / file).write_text(text, encoding="utf-8")


def cut(text: str, cuts: Sequence[Cut]) -> str:
    """A test file without the lines that the agent does not see."""
    lines = text.splitlines(keepends=True)
    for one in sorted(cuts, key=lambda one: -one.start):
        lines[one.start : one.end] = [one.text] if one.text else []
    return "".join(lines)


def control(edit: Edit, content: bytes) -> NegativeControl:
    """A control, with the text that it replaces."""
    rest = "".join(content.decode().splitlines(keepends=True)[edit.line - 1 :])
    old = rest[edit.column : edit.column + edit.size]
    return NegativeControl(old=old, **edit.model_dump(exclude={"size"}))


def _unpack(sdist: Sdist, target: Path) -> None:
    found = [one for one in _releases(sdist.package) if one.version == sdist.version]
    what = f"{sdist.package} {sdist.version}"
    if not found:
        raise HostError(f"the package index has no source distribution of {what} any more")
    _demand(found[0].sha256, sdist.sha256, what)
    unpacked(found[0], target)


@cache
def _releases(package: str) -> Sequence[Release]:
    return releases(package, yanked=True)


def _demand(found: str, wanted: str, what: str) -> None:
    if found != wanted:
        raise HostError(f"{what} is not what the recipe says: its digest is {found}, not {wanted}")
