"""Bugs from consecutive releases of a package: the newer one's tests, and what of its source they demand.

A task's repository is the newer release, from which the parts are taken back that make certain tests pass: so
it is a real bug, as small as it can be, in code that is otherwise of one version.
"""

import os
import posixpath
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.mining.base import Candidate, Draft, FallenError, Ground, Remember, Texts, is_source, is_test
from debug_gym.mining.changelog import entries
from debug_gym.mining.decide import Decided, decide
from debug_gym.mining.grounds import GroundMaker
from debug_gym.mining.hunks import Hunk, apply_hunks, hunks
from debug_gym.mining.index import Release, releases, unpacked
from debug_gym.mining.minimise import compiles
from debug_gym.mining.trees import short, slug, tree

MOST_HUNKS = 80
"""Parts of a change between two releases, beyond which they are too far apart to look at each."""
FEW_HUNKS = 20
"""Parts that are each tried on all tests, where the older source as a whole tells nothing."""


@dataclass
class ReleasePairs:
    """Pairs of releases of some packages.

    Args:
        packages: their names.
        grounds: makes the places where tests run.
        work: a folder of the session.
        remember: gives what was found under a name before, or finds it now.
        last: pairs of each package, the newest first.
    """

    packages: Sequence[str]
    grounds: GroundMaker
    work: Path
    remember: Remember
    last: int = 8
    kind = "release-pairs"
    _grounds: dict[str, Ground] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self) -> Iterator[Candidate]:
        """See ``Miner``. A pair without tests, or that does not run, is a candidate that falls."""
        for package in self.packages:
            known = releases(package)
            if len(known) < 2:
                raise ConfigError(f"the package index has no two source distributions of {package}")
            for old, new in list(pairwise(known))[::-1][: self.last]:
                name = f"{slug(package)}-{new.version}"
                found = self.remember(f"pairs/{name}", partial(self._look, old, new))
                facts = {"old": vars(old), "new": vars(new)}
                if isinstance(found, dict):
                    yield Candidate(name, {**facts, **found})
                    continue
                for parts in found:
                    yield Candidate(f"{name}-{short(str(parts))}", {**facts, "hunks": parts})

    def draft(self, candidate: Candidate) -> Draft:
        """See ``Miner``."""
        facts = candidate.facts
        if "stage" in facts:
            raise FallenError(facts["stage"], facts["why"], facts["detail"])
        old, new = Release(**facts["old"]), Release(**facts["new"])
        before, after = self._sources(old), self._sources(new)
        chosen = [Hunk(**part) for part in facts["hunks"]]
        broken = apply_hunks(after, before, chosen)
        paths = sorted({hunk.path for hunk in chosen})
        ground = self._ground(new)
        return Draft(
            ground=ground,
            broken={path: broken.get(path) for path in paths},
            fixed={path: after.get(path) for path in paths},
            entries=entries(ground.folder, new.version),
            metadata={
                "origin": new.package,
                "version": new.version,
                "previous": old.version,
                "date": new.uploaded,
                "sha256": new.sha256,
            },
        )

    def _look(self, old: Release, new: Release) -> Any:
        """The parts of a pair that are candidates, or why there are none."""
        try:
            return self._parts(old, new)
        except FallenError as error:
            return {"stage": error.stage, "why": error.why, "detail": error.detail}
        except DebugGymError as error:
            return {"stage": "find", "why": "a release cannot be had", "detail": str(error)}

    def _parts(self, old: Release, new: Release) -> list[list[dict[str, Any]]]:
        root = self._tree(new)
        if not any(is_test(path.relative_to(root).as_posix()) for path in root.rglob("test*.py")):
            raise FallenError("find", "its source distribution has no tests")
        before, after = self._sources(old), self._sources(new)
        parts = hunks(after, before)
        if not parts:
            raise FallenError("find", "no code changed between two releases")
        changed = changed_tests(self._tree(old), root)
        if not changed:
            raise FallenError("find", "no test changed between two releases")
        if len(parts) > MOST_HUNKS:
            raise FallenError("find", f"more than {MOST_HUNKS} parts changed between two releases")
        ground = self._ground(new)
        whole = Draft(
            ground,
            broken={**dict.fromkeys(after), **before},
            fixed=after,
            selection=changed if all(map(_holds_tests, changed)) else (),
        )
        decided = self._decided(whole, len(parts))
        failing = decided.failing if decided else ()
        causes: dict[str, list[Hunk]] = defaultdict(list)

        def broken_by(part: Hunk) -> Sequence[str]:
            text = apply_hunks(after, before, [part])[part.path]
            run = ground.run({part.path: text}, failing) if compiles(text) else None
            return [test for test in failing or run.failed if test in run.failed] if run else []

        with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="parts") as pool:
            for part, tests in zip(parts, pool.map(broken_by, parts), strict=True):
                for test in tests:
                    causes[test].append(part)
        groups = list(dict.fromkeys(tuple(group) for group in causes.values()))
        if not groups:
            raise FallenError("find", "no single part of the change makes a test fail")
        if decided:
            expected = {*decided.failing, *decided.broken}

            def is_whole(group: Sequence[Hunk]) -> bool:
                """Whether taking these parts back breaks nothing that the older release passes."""
                texts = apply_hunks(after, before, group)
                broken = {part.path: texts[part.path] for part in group}
                run = ground.run(broken, whole.selection)
                return expected.issuperset(run.failed)

            groups = [group for group in groups if is_whole(group)]
            if not groups:
                raise FallenError("find", "parts of the change alone break what the older release passes")
        return [[vars(part) for part in group] for group in groups]

    def _decided(self, whole: Draft, parts: int) -> Decided | None:
        """The tests that the older source fails; None: it cannot be tested as a whole, but its parts may.

        Raises:
            FallenError: there are none, or too many parts.
        """
        try:
            return decide(whole)
        except FallenError as error:
            if error.why.startswith("no test fails") or parts > FEW_HUNKS:
                raise
            return None

    def _tree(self, release: Release) -> Path:
        folder = self.work / "trees" / f"{slug(release.package)}-{release.version}"
        return tree(folder, lambda path: unpacked(release, path))

    def _sources(self, release: Release) -> Texts:
        return sources(self._tree(release))

    def _ground(self, release: Release) -> Ground:
        name = f"{slug(release.package)}-{release.version}"
        with self._lock:
            if name not in self._grounds:
                self._sources(release)  # before its build adds files
                self._grounds[name] = self.grounds.make(name, self._tree(release), until=release.uploaded)
            return self._grounds[name]


def changed_tests(old: Path, new: Path) -> list[str]:
    """The files of the newer release's tests, with their data, that the older one has not just so."""
    found = []
    for path in sorted(new.rglob("*")):
        name = path.relative_to(new).as_posix()
        if not path.is_file() or not is_test(name) or "__pycache__" in path.parts:
            continue
        before = old / name
        if not before.is_file() or before.read_bytes() != path.read_bytes():
            found.append(name)
    return found


def _holds_tests(path: str) -> bool:
    """Whether pytest collects tests from a file, and no other file's tests depend on it."""
    return fnmatch(posixpath.basename(path), "test*.py") or path.endswith("_test.py")


def sources(root: Path) -> Texts:
    """The source files of a release in a folder."""
    found: dict[str, str | None] = {}
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if is_source(name) and path.is_file():
            try:
                found[name] = path.read_bytes().decode()
            except UnicodeDecodeError:
                continue
    return found
