"""Virtual environments for tasks that bring a list of pinned packages: made once, kept in the cache."""

import functools
import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from debug_gym.cache import cache_folder
from debug_gym.errors import CacheError, HostError

_SHOWN = 600
"""Characters of pip's last words that an error quotes."""


@functools.cache
def with_packages(python: str, requirements: tuple[str, ...]) -> str:
    """The interpreter of a virtual environment that holds just these packages.

    Args:
        python: the interpreter that it is made of.
        requirements: packages with their versions, as pip takes them; dependencies are not looked for.

    Raises:
        CacheError: the cache cannot be written.
        HostError: pip cannot install them; the message says why. Nothing is left behind.
    """
    wanted = "\n".join([os.path.realpath(python), *sorted(requirements)])
    folder = cache_folder() / "environments" / hashlib.sha256(wanted.encode()).hexdigest()[:16]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not (folder / "complete").exists():
                shutil.rmtree(folder, ignore_errors=True)
                make_environment(python, folder, ("--no-deps", *requirements))
                (folder / "complete").touch()
    except HostError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except OSError as error:
        raise CacheError(f"no environment can be made in {folder.parent}: {error.strerror}") from None
    return str(folder / "bin/python")


def make_environment(python: str, folder: Path, packages: Sequence[str]) -> None:
    """Make a virtual environment and install packages into it (arguments of ``pip install``).

    Raises:
        HostError: ``venv`` or pip fails; the message holds its last words.
    """
    run_python(python, "-m", "venv", str(folder))
    run_python(str(folder / "bin/python"), "-m", "pip", "install", "-q", *packages)


def run_python(python: str, *arguments: str, cwd: Path | None = None) -> str:
    """Run Python with arguments; what it wrote to its output.

    Raises:
        HostError: it fails; the message holds its last words.
    """
    variables = {**os.environ, "PYTHONNOUSERSITE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    variables.pop("PYTHONPATH", None)
    try:
        done = subprocess.run(
            [python, *arguments],
            env=variables,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise HostError(f"{python} cannot be run: {error.strerror}") from None
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-_SHOWN:]
        raise HostError(f"python {' '.join(arguments[:3])} failed: {said}")
    return done.stdout
