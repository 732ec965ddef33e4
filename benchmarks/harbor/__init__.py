"""Task folders of Harbor and of Terminal-Bench whose tests are files of pytest.

``docs/benchmarks/harbor.md`` tells more. ``folders.py`` reads both formats, ``dockerfile.py`` what a
Dockerfile copies.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from debug_gym.benchmarks.base import Benchmark, Card
from debug_gym.benchmarks.data import tree_digest
from debug_gym.benchmarks.harbor.folders import TaskFolder
from debug_gym.errors import ConfigError
from debug_gym.task import Environment, FilesSource, ImageSource, Source, Task, Tests

FOLDER = "verifier_tests"
"""Where in the workspace the judge puts the tests, which Harbor has in ``/tests``."""
WORKSPACE = "/workspace"
"""Where sandboxes have a repository that consists of files."""
_NOTE = "The tests of this task are hidden: the judge puts them here.\n"
_ADD_NOTE = f"--- /dev/null\n+++ b/{FOLDER}/README\n@@ -0,0 +1 @@\n+{_NOTE}"
_EDITABLE = (
    "*",
    f"!/{FOLDER}/",
    *(f"!/{name}" for name in ("conftest.py", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg")),
    "!/pyproject.toml",
    "!sitecustomize.py",
    "!usercustomize.py",
)
"""Whatever these tasks ask for counts, but for what decides how the tests run."""


class Harbor(Benchmark):
    """A task folder a task. Its tests are hidden, and all of them must pass."""

    name = "harbor"
    description = "Task folders of Harbor and Terminal-Bench; options: path, image, python."
    card = Card(source="https://www.harborframework.com/docs/tasks")

    def __init__(
        self, path: str | Path, *, image: str | None = None, python: str | Path | None = None
    ) -> None:
        """Say where the folders are.

        Args:
            path: the folder of a task, or one that holds such folders.
            image: name of the tasks' images, with ``{id}`` for the name of a task's folder, such as
                ``hb__{id}``. None: the one that a task names; without one, the files that its Dockerfile
                copies make up the repository, in any sandbox. ``files``: always so.
            python: the virtual environment or interpreter that runs the tests where there is no image; None:
                the one that runs the gym.
        """
        self.folder, self.image, self.python = Path(path).expanduser().resolve(), image, python

    @cached_property
    def version(self) -> str:  # type: ignore[override]
        """A digest of all folders."""
        return tree_digest(self.folder)

    @cached_property
    def _folders(self) -> Mapping[str, TaskFolder]:
        below = sorted(path for path in self.folder.glob("*/") if path.is_dir())
        found = [TaskFolder(path) for path in (self.folder, *below)]
        tasks = {folder.id: folder for folder in found if folder.is_complete}
        if not tasks:
            raise ConfigError(
                f"{self.folder} holds no task: a task has task.toml, instruction.md and tests/test_*.py "
                "(Harbor), or task.yaml and tests/test_*.py (Terminal-Bench)"
            )
        return tasks

    def ids(self) -> Sequence[str]:
        """The names of the folders whose tests are files of pytest.

        Raises:
            ConfigError: there is none.
        """
        return list(self._folders)

    def load(self, name: str) -> Task:
        """See ``Benchmark.load``."""
        folder = self._folders[name]
        if folder.whole is not None and self.image in (None, "files"):
            return self._as_it_was(folder, folder.whole)
        source, place = self._source(folder)
        moved = {folder.workdir: place, "/tests": f"{place}/{FOLDER}"}
        hidden = {f"{FOLDER}/{path}": _moved(content, moved) for path, content in folder.tests.items()}
        script = folder.solution
        return Task(
            id=name,
            benchmark=self.name,
            problem=str(_moved(folder.instruction, moved)),
            source=source,
            tests=Tests(
                command=("python", "-m", "pytest", FOLDER), hidden=hidden, timeout=folder.seconds_to_verify
            ),
            environment=Environment(
                python=None if self.python is None else str(self.python),
                variables={"TEST_DIR": f"{place}/{FOLDER}", **folder.variables},
            ),
            editable=_EDITABLE,
            gold_script=None if script is None else str(_moved(script, moved)),
            limits=folder.limits,
            metadata=folder.metadata,
        )

    def _as_it_was(self, folder: TaskFolder, task: Task) -> Task:
        """The task that an export of ours was made of: it holds more than Harbor's format tells."""
        environment = task.environment
        if self.python is not None:
            said = {**dict(environment), "python": str(self.python), "requirements": ()}
            environment = Environment.model_validate(said)
        return task.model_copy(update={"id": folder.id, "benchmark": self.name, "environment": environment})

    def _source(self, folder: TaskFolder) -> tuple[Source, str]:
        """Where the repository comes from, and where a sandbox has it."""
        image = folder.image if self.image is None else self.image.replace("{id}", folder.id)
        if image and self.image != "files":
            return ImageSource(image=image, folder=folder.workdir, bug_patch=_ADD_NOTE), folder.workdir
        moved = {folder.workdir: WORKSPACE}
        files = {path: _moved(content, moved) for path, content in folder.files.items()}
        return FilesSource(files={**files, f"{FOLDER}/README": _NOTE}), WORKSPACE


def _moved(content: str | bytes, places: Mapping[str, str]) -> str | bytes:
    """A text in which folders of the original are the ones that a sandbox has in place of them."""
    try:
        text = content if isinstance(content, str) else content.decode()
    except UnicodeDecodeError:
        return content
    names = "|".join(map(re.escape, places))
    return re.sub(rf"(?<![\w./-])(?:{names})(?![\w-])", lambda found: places[found[0]], text)
