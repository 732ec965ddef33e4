"""A first run of the tests of a repository that nobody has validated, before anybody plays it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from debug_gym.errors import TaskError
from debug_gym.sandbox import Backend, Sandbox, TestRun
from debug_gym.task import Task

SHOWN = 1500
"""Characters of the tests' output that an error quotes, from its end."""
_MISSING = re.compile(r"No module named '(\w+)")
ORIGINS = """
import importlib.util, json, sys
names, with_folder = json.loads(sys.argv[1])
if not with_folder: sys.path.remove("")
def place(name):
    try: spec = importlib.util.find_spec(name)
    except Exception: return ""
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return (spec.origin or "") if spec and spec.origin else folders[0] if folders else ""
print(json.dumps({name: place(name) for name in names}))
"""
"""Run by the sandbox's own Python: where it would import each of some modules from."""


@dataclass(frozen=True)
class FirstLook:
    """How the tests of the untouched repository went."""

    collected: int
    failing: int

    @property
    def sentence(self) -> str:
        """For people."""
        some = f"{self.collected} test{'s' * (self.collected != 1)} collected"
        if not self.failing:
            return f"{some}, and none fails: the judge wants them to pass, so there is nothing to repair"
        return f"{some}, {self.failing} of them fail{'s' * (self.failing == 1)}"


def first_look(task: Task, backend: Backend, modules: Sequence[str] = ()) -> FirstLook:
    """Run the tests once, as an agent and the judge will run them.

    Args:
        task: whose.
        backend: where.
        modules: names of the repository's own: they must be imported from it, not from an installed copy.

    Raises:
        TaskError: they do not run to their end, there are none, or they would test an installed copy. The
            message says why in the words of the test run, and which option may help.
    """
    with backend.start(task.for_agent()) as sandbox:
        run = sandbox.run_tests(timeout=task.tests.timeout)
        elsewhere = _elsewhere(sandbox, task, modules)
        own = [name.partition(".")[0] for name in sandbox.exec(["ls", "-A"]).output.split("\n")]
    for name, place in elsewhere.items():
        raise TaskError(
            f"the tests would import {name} from {place}, not from the repository: name the folder of the "
            "repository that holds it, e.g.  -b variables.PYTHONPATH=src"
        )
    if run.timed_out:
        limit = task.tests.timeout
        raise TaskError(f"the tests take longer than {limit:g} s: allow more, e.g.  -b timeout={5 * limit:g}")
    missing = [name for name in _MISSING.findall(run.output) if name not in (*modules, *own)]
    if not run.complete or not run.outcomes or (missing and not run.collected):
        raise TaskError(_why(run))
    return FirstLook(len(run.outcomes), len(run.failed))


def _elsewhere(sandbox: Sandbox, task: Task, modules: Sequence[str]) -> dict[str, str]:
    """Modules of which an installed copy is found first, and where."""
    asked = json.dumps([list(modules), "-m" in task.tests.command])
    done = sandbox.exec(["python", "-c", ORIGINS, asked])
    try:
        found: dict[str, str] = json.loads(done.output) if modules and done.exit_code == 0 else {}
    except ValueError:
        return {}
    inside = f"{sandbox.workspace}/"
    return {
        name: place for name, place in found.items() if "-packages/" in place and not place.startswith(inside)
    }


def _why(run: TestRun) -> str:
    """Why a test run counts for nothing, and what may help."""
    said = run.output.strip()[-SHOWN:]
    hints = []
    if "ModuleNotFoundError" in said or "ImportError" in said:
        hints.append(
            "a package that is not installed: -b python=.venv names the environment that has it; one of the "
            "repository's own: -b variables.PYTHONPATH=src names the folder that holds it"
        )
        hints.append(
            "a file that .gitignore names, such as a generated one: -b gitignore=false keeps those, and "
            "-b setup='...' runs what makes it"
        )
    if "unrecognized arguments" in said or "error: argument" in said:
        hints.append("a plugin of pytest that is not installed, or other options: --test-command")
    if not hints:
        hints.append("--test-command says how the repository is tested, -b python=... with which Python")
    broken = f"the test run did not end well (exit code {run.exit_code})"
    end = broken if run.outcomes or not run.complete else "no test was found"
    return "\n".join([f"{end}. It said:", "", said or "(nothing)", "", "What may help:", *hints])
