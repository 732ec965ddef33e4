"""The packages that a repository's tests need: found out from its own metadata, pinned by date.

pip builds a wheel of the repository, which tells its dependencies and holds what only a build makes (a
version file, entry points); then pip chooses versions that had been published by the repository's date. The
repository itself is never installed: an installed copy would be a way round the workspace, or hold the fix.
"""

import hashlib
import json
import re
import shutil
import sys
import tomllib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from filelock import FileLock

from debug_gym.benchmarks.layout import package_folders
from debug_gym.cache import cache_folder
from debug_gym.errors import HostError
from debug_gym.mining.base import FallenError
from debug_gym.sandbox.environments import make_environment, run_python
from debug_gym.task import Environment

NEWEST_PIP = "pip>=26"
"""It can leave out what was published after a date."""
_EXTRAS = ("test", "tests", "testing", "dev", "develop")
_FILES = (
    "requirements-test*.txt",
    "test-requirements.txt",
    "test_requirements.txt",
    "requirements/test*.txt",
)
_SHOWN = 200


@dataclass(frozen=True)
class Built:
    """What a repository needs to run."""

    requirements: tuple[str, ...]
    """Pinned, dependencies and all; not the repository itself."""
    additions: dict[str, str] = field(default_factory=dict)
    """Path in the repository to the text of a file that only its build makes."""

    def environment(self, root: Path) -> Environment:
        """The environment of the tests of a repository in a folder."""
        return Environment(requirements=self.requirements, variables=variables(root))


def variables(root: Path) -> dict[str, str]:
    """The environment variables with which a repository's own packages are found."""
    folders = package_folders(root)
    return {"PYTHONPATH": ":".join(folders)} if folders else {}


def build(root: Path, *, until: str = "", also: Sequence[str] = (), version: str = "") -> Built:
    """Find out what the tests of a repository need. pip asks the package index that it is configured with.

    Args:
        root: the repository's folder. It is not changed.
        until: a date and time (ISO 8601): only what was published before it is taken; empty: anything.
        also: further requirements.
        version: of the repository, where only its history tells.

    Raises:
        FallenError: it cannot be built, needs what cannot be had, or has modules that are compiled.
    """
    key = hashlib.sha256(
        json.dumps(
            [_configuration(root), root.name * (not _configuration(root)), until, list(also), sys.version]
        ).encode()
    ).hexdigest()
    store = cache_folder() / "mining" / f"{key[:16]}.json"
    store.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{store}.lock"):
        if store.exists():
            known = json.loads(store.read_text())
            return Built(tuple(known["requirements"]), known["additions"])
        built = _build(root, until, also, version)
        store.write_text(json.dumps({"requirements": built.requirements, "additions": built.additions}))
    return built


def _build(root: Path, until: str, also: Sequence[str], version: str) -> Built:
    pip = newest_pip()
    with TemporaryDirectory(prefix="debug-gym-") as folder:
        tree, wheels = Path(folder, "tree"), Path(folder, "wheels")
        shutil.copytree(root, tree, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv", "venv"))
        try:
            _pip(pip, "wheel", "-q", "--no-deps", "-w", str(wheels), str(tree), version=version)
        except HostError as error:
            raise FallenError("environment", "it cannot be built", str(error)[-_SHOWN:]) from None
        wheel = next(wheels.glob("*.whl"))
        additions = _additions(wheel, root)
        report = Path(folder, "report.json")
        needed = [*also, *(["pytest"] if not any(re.match(r"pytest\b", item) for item in also) else [])]
        dated = ["--uploaded-prior-to", until] if until else []
        fixed = ["install", "-q", "--dry-run", "--ignore-installed", "--report", str(report), *dated]
        problem = ""
        for more in (_for_tests(root, wheel), [str(wheel)]):
            try:
                _pip(pip, *fixed, *needed, *more)
                return Built(_pins(json.loads(report.read_text()), wheel), additions)
            except HostError as error:
                problem = str(error)[-_SHOWN:]
    raise FallenError("environment", "its packages cannot be had", problem)


def _pip(python: str, *arguments: str, version: str = "") -> None:
    words = ["-m", "pip", *arguments]
    if version:  # what tools that read it from git's tags take in its place
        code = (
            "import os, runpy, sys; v = sys.argv.pop(1); "
            "os.environ.update(SETUPTOOLS_SCM_PRETEND_VERSION=v, PBR_VERSION=v, PDM_BUILD_SCM_VERSION=v, "
            "POETRY_DYNAMIC_VERSIONING_BYPASS=v, HATCH_VCS_PRETEND_VERSION=v); sys.argv[0] = 'pip'; "
            "runpy.run_module('pip', run_name='__main__')"
        )
        words = ["-c", code, version, *arguments]
    run_python(python, *words)


def newest_pip() -> str:
    """The interpreter of an environment that has a pip which knows dates, made of the gym's own.

    Raises:
        HostError: it cannot be made.
    """
    folder = cache_folder() / "environments" / f"pip-{sys.version_info[0]}.{sys.version_info[1]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            make_environment(sys.executable, folder, ("-U", NEWEST_PIP))
            (folder / "complete").touch()
    return str(folder / "bin/python")


def _additions(wheel: Path, root: Path) -> dict[str, str]:
    """What the wheel holds and the repository does not: metadata, entry points, generated modules."""
    folders = package_folders(root) or ["."]
    found = {}
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        if compiled := [name for name in names if name.endswith((".so", ".pyd"))]:
            raise FallenError("environment", "it has compiled modules", compiled[0])
        for name in names:
            wanted = name.endswith((".dist-info/METADATA", ".dist-info/entry_points.txt"))
            generated = name.endswith(".py") and not any(
                (root / folder / name).exists() for folder in folders
            )
            folder = next((folder for folder in folders if (root / folder / name).parent.is_dir()), "")
            if wanted:
                folder = folders[0]
            if wanted or (generated and folder):
                text = archive.read(name).decode(errors="replace")
                found[(Path(folder) / name).as_posix()] = text
    return found


def _for_tests(root: Path, wheel: Path) -> list[str]:
    """Arguments of pip: the wheel with its extra for tests, a group of dependencies, requirements files."""
    project = _toml(root / "pyproject.toml")
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = archive.read(name).decode(errors="replace")
    extras = re.findall(r"^Provides-Extra: (.+)$", metadata, re.MULTILINE)
    extra = next((name for name in _EXTRAS if name in extras), "")
    words = [f"{wheel}[{extra}]" if extra else str(wheel)]
    groups = project.get("dependency-groups", {})
    group = next((name for name in _EXTRAS if name in groups), "")
    if group:
        words += ["--group", f"{root / 'pyproject.toml'}:{group}"]
    for pattern in _FILES:
        for path in sorted(root.glob(pattern)):
            words += ["-r", str(path)]
    poetry = project.get("tool", {}).get("poetry", {})
    for table in (
        poetry.get("dev-dependencies", {}),
        poetry.get("group", {}).get("dev", {}).get("dependencies", {}),
    ):
        words += [name for name in table if re.match(r"pytest|hypothesis|pyyaml|freezegun", name, re.I)]
    return words


def _pins(report: dict[str, Any], wheel: Path) -> tuple[str, ...]:
    own = re.sub(r"[-_.]+", "-", wheel.name.partition("-")[0]).lower()
    found = []
    for item in report["install"]:
        name, version = item["metadata"]["name"], item["metadata"]["version"]
        if re.sub(r"[-_.]+", "-", name).lower() != own:
            found.append(f"{name}=={version}")
    return tuple(sorted(found, key=str.lower))


def _configuration(root: Path) -> dict[str, str]:
    """The files that say what a repository needs."""
    names = ["pyproject.toml", "setup.py", "setup.cfg", "PKG-INFO", *_FILES]
    files = {path for name in names for path in root.glob(name)}
    return {path.name: path.read_text(encoding="utf-8", errors="replace") for path in sorted(files)}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
