"""The Python that runs a task's code: which one, with which variables, and how the runtime gets into it."""

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from debug_gym.errors import SandboxError, TaskError
from debug_gym.sandbox.environments import with_packages
from debug_gym.task import Environment

RUNTIME = Path(__file__).parent
"""Holds the packages ``server`` and ``launcher``: what is loaded into a task's interpreter."""
TRY_LIMIT = 20.0
"""Seconds for an interpreter to say what it is."""
OLDEST_PYTHON = (3, 6)
"""What the runtime needs; the gym itself needs more."""

BOOT = """
import sys, types
if sys.path and sys.path[0] == "": del sys.path[0]
module = types.ModuleType("debug_gym_runtime")
module.__path__ = [sys.argv[1]]; sys.modules[module.__name__] = module
import debug_gym_runtime.server.bootstrap
"""
"""Loads the runtime under a name of its own, so that a workspace which is debug-gym itself is no clash."""


def interpreter(environment: Environment) -> str:
    """The path of the interpreter that an environment names, with the packages that it asks for.

    Raises:
        TaskError: there is none, or it is not a Python that the runtime supports.
        HostError: the packages cannot be installed.
    """
    named = _named(environment)
    return with_packages(named, environment.requirements) if environment.requirements else named


def _named(environment: Environment) -> str:
    if environment.python is None:
        return sys.executable
    path = Path(environment.python).expanduser()
    for candidate in (path / "bin/python", path / "bin/python3", path):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return _tried(str(candidate.absolute()))
    found = shutil.which(environment.python)
    if found:
        return _tried(found)
    raise TaskError(
        f"there is no Python at {environment.python!r}: name a virtual environment or an interpreter"
    )


@functools.cache
def _tried(python: str) -> str:
    """The same path, once it has said that it is a Python of a version that the runtime supports."""
    try:
        done = subprocess.run(
            [python, "-c", "import sys; print(sys.version_info[0], sys.version_info[1])"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={"PATH": os.defpath, "PYTHONNOUSERSITE": "1"},
            cwd="/",
            timeout=TRY_LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TaskError(f"{python} cannot be run: {error}") from None
    words = done.stdout.split()
    if done.returncode or len(words) != 2 or not all(word.isdigit() for word in words):
        said = (done.stderr or done.stdout).decode(errors="replace").strip().rpartition("\n")[2][:200]
        raise TaskError(f"{python} is not a Python that works: {said or f'exit code {done.returncode}'}")
    if (int(words[0]), int(words[1])) < OLDEST_PYTHON:
        version = b".".join(words).decode()
        raise TaskError(f"{python} is Python {version}, but a sandbox needs 3.6 or newer")
    return python


@functools.cache
def installed_modules(python: str, home: str, variables: tuple[tuple[str, str], ...]) -> frozenset[str]:
    """Names of the top-level modules and packages in an interpreter's site-packages.

    Raises:
        SandboxError: the interpreter does not run.
    """
    try:
        done = subprocess.run(
            [python, "-c", "import json, sys; print(json.dumps(sys.path))"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=sandbox_environment(python, home, dict(variables)),
            cwd="/",
            timeout=TRY_LIMIT,
            check=True,
        )
        path: list[str] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise SandboxError(f"{python} does not say what is installed: {error}") from None
    names: set[str] = set()
    for folder in map(Path, path):
        if folder.name in {"site-packages", "dist-packages"} and folder.is_dir():
            names.update(
                entry.name.split(".")[0] for entry in folder.iterdir() if entry.suffix != ".dist-info"
            )
    return frozenset(name for name in names if name.isidentifier())


def runtime_command(python: str, folder: str = str(RUNTIME)) -> list[str]:
    """The command that serves the runtime over stdin and stdout: see ``Sandbox.boot``.

    Args:
        python: an interpreter, where the command runs.
        folder: where the content of ``RUNTIME`` lies there.
    """
    return [python, "-c", BOOT + "from debug_gym_runtime.server.main import main; main()", folder]


def sandbox_environment(python: str, home: str, extra: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of a sandbox: fixed, so that runs are equal; none is the host's."""
    return {
        "PATH": f"{Path(python).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "USER": "agent",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "dumb",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pandas imports pyarrow, which starts it
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_NAME": "agent" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "agent@localhost" for who in ("AUTHOR", "COMMITTER")},
        **extra,
    }
