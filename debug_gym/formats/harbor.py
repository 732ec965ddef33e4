"""Tasks as folders of Harbor, whose verifier is the judge.

The agent's image is made of ``environment/`` alone: the repository as an agent sees it. Hidden tests and fix
lie in ``tests/`` and ``solution/``, of which Harbor makes the verifier's own container, where the workspace
is brought when the agent is done. The gym travels along as an archive, so that nothing has to be published.
"""

import gzip
import importlib.metadata
import io
import json
import shlex
import tarfile
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

import debug_gym
from debug_gym.errors import ConfigError
from debug_gym.formats.folder import whole, write_benchmark
from debug_gym.formats.packages import Interpreter, look_into
from debug_gym.sandbox import Backend
from debug_gym.sandbox.fetch import fetch
from debug_gym.task import Task, file_name, opened

WORKSPACE = "/workspace"
"""Where the agent finds the repository, as in the gym's own sandboxes."""
OLDEST_GYM = (3, 11)
"""The gym's own Python, which the verifier's image needs."""
_LEFT_OUT = (
    "__pycache__",
    "lora",
    "report",
    "training",
    "knowledge",
    "tuning",
    "nightmares",
    "pypi",
    "sprouts",
)
"""Folders of the package that no verifier needs."""
_SKIPPED = (".git", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache")
AGENT_SECONDS = 3600.0
"""How long Harbor lets an agent work, unless its own command line says otherwise."""


def write_task(task: Task, folder: Path, backend: Backend) -> None:
    """Write one task as a folder.

    Args:
        task: not in an image, and not open-ended.
        folder: does not exist yet; its name is the task's id in Harbor.
        backend: looks up what the task knows of its hidden tests.

    Raises:
        ConfigError: the task cannot be written as a folder, or its Python is too old for the verifier.
        TaskError: its repository cannot be had.
    """
    task = whole(task, backend)
    python = look_into(task)
    if python.version < OLDEST_GYM:
        raise ConfigError(
            f"{task.id} needs Python {python.name}, and the judge in its verifier 3.11 or newer: "
            "it cannot be written for Harbor"
        )
    tests, environment, solution = folder / "tests", folder / "environment", folder / "solution"
    environment.mkdir(parents=True)
    fetch(opened(task.source), environment / "repo")
    write_benchmark(task, tests / "benchmark")
    (tests / "gym.tar.gz").write_bytes(_gym())
    texts = {
        folder / "task.toml": _toml(task),
        folder / "instruction.md": _instruction(task),
        environment / "Dockerfile": _agents_image(task, python),
        tests / "Dockerfile": _verifiers_image(task, python),
        tests / "test.sh": _script(task),
    }
    if task.gold_patch is not None:
        texts[solution / "solve.sh"] = f"#!/bin/bash\ncd {WORKSPACE} && git apply /solution/gold.patch\n"
        texts[solution / "gold.patch"] = task.gold_patch
    elif task.gold_script is not None:
        texts[solution / "solve.sh"] = f"#!/bin/bash\ncd {WORKSPACE}\n{task.gold_script}"
    for path, text in texts.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
        if path.suffix == ".sh":
            path.chmod(0o755)


def _toml(task: Task) -> str:
    """``task.toml``."""
    memory, disk = task.limits.memory >> 20, 10_240
    seconds = max(600.0, 20 * task.tests.timeout)
    said = {
        "id": task.id,
        "benchmark": task.benchmark,
        **{key: str(task.metadata[key]) for key in ("category", "licence") if task.metadata.get(key)},
    }
    tables: dict[str, dict[str, Any]] = {
        "metadata": said,
        "agent": {"timeout_sec": AGENT_SECONDS},
        "environment": {"workdir": WORKSPACE, "memory_mb": memory, "storage_mb": disk},
        "environment.env": dict(task.environment.variables),
        "verifier": {"timeout_sec": seconds, "environment_mode": "separate"},
        "verifier.environment": {"memory_mb": 2 * memory, "storage_mb": disk},
    }
    lines = ['schema_version = "1.4"', f"artifacts = [{{ source = {_value(WORKSPACE)}, {_excluded()} }}]"]
    for name, table in tables.items():
        if table:
            lines += ["", f"[{name}]", *(f"{_value(key)} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    """A value of TOML: its texts escape as those of JSON do."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _excluded() -> str:
    return f"exclude = {_value(list(_SKIPPED))}"


def _instruction(task: Task) -> str:
    command = shlex.join((*task.tests.command, *task.tests.visible))
    return f"{task.problem.rstrip()}\n\nThe repository is in {WORKSPACE}. Its tests run by `{command}`.\n"


def _base(task: Task, python: Interpreter) -> str:
    """What both images begin with: Python, and the packages of the task."""
    packages = " ".join(map(shlex.quote, python.packages))
    return (
        f"FROM python:{python.name}-slim\n"
        "RUN apt-get update \\\n"
        "    && apt-get install -y --no-install-recommends git gcc libc6-dev patch ripgrep \\\n"
        "    && rm -rf /var/lib/apt/lists/*\n"
        f"RUN python -m pip install --no-cache-dir {packages}\n"
    )


def _agents_image(task: Task, python: Interpreter) -> str:
    set_up = "".join(f"RUN bash -c {shlex.quote(command)}\n" for command in task.environment.setup)
    variables = "".join(f"ENV {key}={_value(value)}\n" for key, value in task.environment.variables.items())
    who = "-c user.name=debug-gym -c user.email=debug-gym@localhost"
    return (
        f"{_base(task, python)}{variables}COPY repo/ {WORKSPACE}/\nWORKDIR {WORKSPACE}\n{set_up}"
        f"RUN git init -q && git add -A -f && git {who} commit -q -m 'The repository'\n"
    )


def _verifiers_image(task: Task, python: Interpreter) -> str:
    needed = (importlib.metadata.requires("debug-gym") or ()) if _is_installed() else ()
    core = [str(found) for found in map(Requirement, needed) if "extra" not in str(found.marker or "")]
    return (
        f"{_base(task, python)}"
        f"RUN python -m venv /opt/gym && /opt/gym/bin/pip install --no-cache-dir "
        f"{' '.join(map(shlex.quote, core))}\n"
        "COPY . /tests/\n"
        "RUN mkdir /opt/gym/package && tar -xzf /tests/gym.tar.gz -C /opt/gym/package\n"
        f"RUN mkdir -p {WORKSPACE}\nWORKDIR {WORKSPACE}\n"
    )


def _is_installed() -> bool:
    try:
        importlib.metadata.version("debug-gym")
    except importlib.metadata.PackageNotFoundError:
        raise ConfigError(
            "debug-gym is not installed, so that nobody knows what its verifier needs: run  pip install -e ."
        ) from None
    return True


def _script(task: Task) -> str:
    """``test.sh``. The folder of the reward and the places of everything can be set, for a trial by hand."""
    return f"""#!/bin/bash
# debug-gym's judge decides: it takes the changes that count from the workspace, lays them and the hidden
# tests over a fresh copy of the repository, and runs each required test there, with negative controls.
tests=${{TESTS:-/tests}} gym=${{GYM_PYTHON:-/opt/gym/bin/python}} logs=${{LOGS:-/logs/verifier}}
export PYTHONPATH=${{GYM_PACKAGE:-/opt/gym/package}}
mkdir -p "$logs"
sandbox=process  # this container is the verifier's own, which no agent has seen
probe='from debug_gym.sandbox.registry import working_backend; working_backend("namespace").close()'
if "$gym" -c "$probe" 2>/dev/null; then sandbox=namespace; fi
"$gym" -m debug_gym judge "$tests/benchmark" {shlex.quote(task.id)} "${{WORKSPACE:-{WORKSPACE}}}" \\
    --python "${{TASK_PYTHON:-/usr/local/bin/python}}" --sandbox "$sandbox" --reward "$logs/reward.txt"
"""


def _gym() -> bytes:
    """The package itself as a ``.tar.gz``, always with the same bytes."""
    root = Path(debug_gym.__file__).parent
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as archive,
    ):
        _add(archive, root, "debug_gym")
    return packed.getvalue()


def _add(archive: tarfile.TarFile, folder: Path, name: str) -> None:
    """A folder and all that lies below it; links are followed: in a checkout, ``tools`` is one."""
    for path in sorted(folder.iterdir()):
        if path.name in _LEFT_OUT:
            continue
        if path.is_dir():
            _add(archive, path, f"{name}/{path.name}")
        else:
            entry = tarfile.TarInfo(f"{name}/{path.name}")
            data = path.read_bytes()
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))


def folder_name(task: Task) -> str:
    """The name of a task's folder: Docker and shells take it as it is."""
    return file_name(task.id).replace("%", "_")
