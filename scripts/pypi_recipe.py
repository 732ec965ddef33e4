"""Add what `debug-gym mine release-pairs` has found to the recipe of the benchmark `pypi`.

    python scripts/pypi_recipe.py mined/FOLDER

Then `debug-gym build pypi && debug-gym validate pypi` proves it; remove the recipe of what is not sound.
"""

import difflib
import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from debug_gym.benchmarks.data import tree_digest
from debug_gym.benchmarks.folder import FolderBenchmark
from debug_gym.benchmarks.pypi import RECIPES, Cut, Edit, Part, Recipe, Sdist
from debug_gym.errors import DebugGymError
from debug_gym.formats.yaml_text import yaml_text
from debug_gym.mining.compose import SOURCES
from debug_gym.mining.hunks import Hunk, apply_hunks, hunks
from debug_gym.mining.index import releases, unpacked
from debug_gym.mining.ledger import FOLDER
from debug_gym.mining.rebuild import write_task
from debug_gym.mining.releases import sources
from debug_gym.mining.trees import short as digest_of
from debug_gym.mining.trees import slug, write_files
from debug_gym.sandbox.archives import unpack
from debug_gym.task import ArchiveSource, Task, file_name

OLDEST = "2019"
MOST_KEPT = 10


def recipe(task: Task, mined: Path, work: Path) -> Recipe:
    """How a mined task is made again from its two releases."""
    facts, folder = task.metadata, mined / file_name(task.id)
    known = {release.version: release for release in releases(facts["origin"], yanked=True)}
    older, newer = known[facts["previous"]], known[facts["version"]]
    unpacked(older, work / "older")
    unpacked(newer, work / "newer")
    said = yaml.safe_load((folder / "task.yaml").read_text())
    archive = mined / SOURCES / Path(said["source"]["path"]).name
    unpack(ArchiveSource(path=archive), work / "tree")
    for name in ("bug.patch", "gold.patch"):
        shutil.copytree(work / "tree", work / name)
        for one in ("bug.patch", name)[: 1 + (name != "bug.patch")]:
            subprocess.run(["git", "apply", "--whitespace=nowarn", folder / one], cwd=work / name, check=True)
    after, before = sources(work / "newer"), sources(work / "older")
    broken, fixed = (
        {path: text for path, text in sources(work / name).items() if path in after or path in before}
        for name in ("bug.patch", "gold.patch")
    )
    bug = looked_at(mined, task) or chosen(after, before, broken)
    kept = chosen(after, before, fixed, bug)
    hidden = {path.relative_to(folder / "hidden").as_posix() for path in (folder / "hidden").rglob("*.py")}
    new = {
        path.relative_to(work / "tree").as_posix()
        for path in (work / "tree").rglob("*")
        if path.is_file() and not (work / "newer" / path.relative_to(work / "tree")).exists()
    }
    additions = {path: short(path, (work / "tree" / path).read_text()) for path in sorted(new)}
    controls = [Edit(size=len(one.old), **one.model_dump(exclude={"old"})) for one in task.tests.controls]
    cuts = {path: cuts_of(work / "tree" / path, work / "bug.patch" / path) for path in sorted(hidden)}
    shutil.copytree(work / "newer", work / "whole")
    write_files(work / "whole", additions)
    tree = tree_digest(work / "whole")
    said["source"]["path"] = said["source"]["path"].replace(".tar.gz", f"-{tree[:8]}.tar.gz")
    made = Recipe(
        older=Sdist(package=older.package, version=older.version, sha256=older.sha256),
        newer=Sdist(package=newer.package, version=newer.version, sha256=newer.sha256),
        additions=additions,
        tree=tree,
        parts=[Part(**vars(hunk), kept=hunk in kept) for hunk in bug],
        hidden=sorted(hidden),
        cuts={path: found for path, found in cuts.items() if found},
        controls=controls,
        task=said,
        digest="",
    )
    write_task(made, work / "newer", work / "older", work / "made")
    for name in ("bug.patch", "gold.patch", "controls.json"):
        if (folder / name).exists() and (folder / name).read_text() != (work / "made" / name).read_text():
            raise DebugGymError(f"{name} cannot be made of the two releases")
    return made.model_copy(update={"digest": tree_digest(work / "made")})


def looked_at(mined: Path, task: Task) -> tuple[Hunk, ...]:
    """The parts of which mining made a task; none: what resuming needs was removed."""
    facts = task.metadata
    pair = f"{slug(facts['origin'])}-{facts['version']}"
    kept = mined / FOLDER / "pairs" / f"{pair}.json"
    groups = json.loads(kept.read_text()) if kept.exists() else []
    found = [group for group in groups if task.id == f"{pair}-{digest_of(str(group))}"]
    return tuple(Hunk(**part) for part in found[0]) if found else ()


def chosen(
    after: dict, before: dict, wanted: dict, among: tuple[Hunk, ...] | None = None
) -> tuple[Hunk, ...]:
    """The parts of the older release that make the wanted texts."""

    def wants(parts: tuple[Hunk, ...]) -> bool:
        made = apply_hunks(after, before, parts)
        return all(made.get(path) == wanted.get(path) for path in {*made, *wanted})

    changed = {path for path in {*after, *wanted} if after.get(path) != wanted.get(path)}
    parts = [part for part in among or hunks(after, before) if part.path in changed]
    lines = {(one.path, one.start) for one in hunks(after, wanted)}
    near = tuple(part for part in parts if part.whole or (part.path, part.start) in lines)
    for tried in (
        near,
        *itertools.chain.from_iterable(
            itertools.combinations(parts, size) for size in range(len(parts) + 1) if len(parts) <= MOST_KEPT
        ),
    ):
        if wants(tried):
            return tried
    raise DebugGymError("its bug is not made of whole parts of the older release")


def short(path: str, text: str) -> str:
    """What is needed of a file that the build makes."""
    if path.endswith("METADATA"):
        wanted = ("Metadata-Version: ", "Name: ", "Version: ")
        head = text.partition("\n\n")[0].splitlines()
        return "".join(f"{line}\n" for line in head if line.startswith(wanted))
    if path.endswith("entry_points.txt"):
        return text
    raise DebugGymError(f"its build makes code: {path}")


def cuts_of(full: Path, shown: Path) -> tuple[Cut, ...]:
    """The lines of a test file that the agent does not see."""
    left, right = (path.read_bytes().decode().splitlines(keepends=True) for path in (full, shown))
    codes = difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    return tuple(
        Cut(start=start, end=end, text="".join(right[first:last]))
        for tag, start, end, first, last in codes
        if tag != "equal"
    )


def main(mined: Path) -> None:
    """Write a file for each task that can be made again."""
    RECIPES.mkdir(exist_ok=True)
    (mined / "benchmark.yaml").exists() or (mined / "benchmark.yaml").write_text("name: mined\n")
    benchmark = FolderBenchmark(mined)
    for name in benchmark.ids():
        task = benchmark.task(name)
        path = RECIPES / f"{file_name(name)}.yaml"
        if path.exists() or task.metadata["date"] < OLDEST:
            continue
        with TemporaryDirectory() as work:
            try:
                made = recipe(task, mined, Path(work))
            except (DebugGymError, OSError, KeyError, subprocess.CalledProcessError) as error:
                print(f"{name}: left out: {error}")
                continue
        path.write_text(yaml_text(json.loads(made.model_dump_json(exclude_defaults=True))), encoding="utf-8")
        print(f"{name}: {len(made.parts)} parts")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
