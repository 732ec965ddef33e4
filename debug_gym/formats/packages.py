"""What a task's interpreter is, and which packages an image needs to be like it."""

import json
import subprocess
from dataclasses import dataclass

from debug_gym.errors import TaskError
from debug_gym.sandbox import checkout_cache
from debug_gym.sandbox.interpreters import interpreter
from debug_gym.task import Task

_LOOK = """
import json, sys
import importlib.metadata as metadata
from_index = {}
for found in metadata.distributions():
    name = found.metadata["Name"]
    if name and found.read_text("direct_url.json") is None and name != "debug-gym":
        from_index[name] = name + "==" + found.version
owners = getattr(metadata, "packages_distributions", dict)()
wanted = {owner for module in json.loads(sys.argv[1]) for owner in owners.get(module, ())}
every = sys.argv[2] == "all"
packages = sorted(line for name, line in from_index.items() if every or name in wanted)
print(json.dumps({"version": list(sys.version_info[:2]), "packages": packages}))
"""


@dataclass(frozen=True)
class Interpreter:
    """The Python that runs a task's code."""

    version: tuple[int, int]
    packages: tuple[str, ...]
    """Requirements as pip takes them, each with its version."""

    @property
    def name(self) -> str:
        """Such as ``3.12``."""
        return ".".join(map(str, self.version))


def look_into(task: Task) -> Interpreter:
    """Ask a task's interpreter what it has: all, where an environment is named; where the task is run by the
    gym's own Python, pytest and what its files import.

    Raises:
        TaskError: there is no interpreter, or it does not answer.
    """
    python = interpreter(task.environment)
    wanted = ["pytest", *checkout_cache.prepare(task.source, python).imports]
    which = "all" if task.environment.python or task.environment.requirements else "imported"
    command = [python, "-I", "-c", _LOOK, json.dumps(wanted), which]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TaskError(f"{python} does not tell which packages it has: {done.stderr.strip()[-200:]}")
    said = json.loads(done.stdout)
    major, minor = said["version"]
    return Interpreter((major, minor), tuple(said["packages"]))
