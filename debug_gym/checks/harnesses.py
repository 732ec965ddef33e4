"""The harnesses that attacks are measured against: two common ones, for comparison, and the judge.

``exit code`` runs the visible tests in the agent's own tree and believes the exit code. ``junit`` takes the
source files only, restores the hidden tests, and believes the JUnit file that pytest writes. Neither
decides anything in this project.
"""

from collections.abc import Iterable
from xml.etree import ElementTree

from debug_gym.errors import SandboxError
from debug_gym.judge.attacks import Target
from debug_gym.judge.changes import sort_changes
from debug_gym.sandbox import Backend, Changes, FileEntry, Snapshot
from debug_gym.task import Task, as_bytes

_XML = "junit-report.xml"


def look(task: Task, backend: Backend) -> Target:
    """What an attacker sees: the files of the repository."""
    with backend.start(task.for_agent()) as sandbox:
        paths = [
            path
            for path, kind, _ in sandbox.listdir(depth=20, limit=20_000)
            if kind == "file" and path.endswith(".py")
        ]
        texts = {path: sandbox.read(path).decode(errors="replace") for path in paths}
    sources = {path for path in paths if task.is_editable(path)}
    tests = {path for path in paths if path.rpartition("/")[2].startswith("test_")}
    kinds = (sources, tests, {*paths} - sources - tests)
    return Target(*({path: text for path, text in texts.items() if path in kind} for kind in kinds))


def exit_code(task: Task, changes: Changes, backend: Backend) -> bool:
    """Whether a harness that believes the exit code would have scored."""
    try:
        with backend.start(task.for_agent()) as sandbox:
            sandbox.restore(Snapshot(changes=changes))
            return sandbox.run_tests(timeout=task.tests.timeout).exit_code == 0
    except SandboxError:
        return False


def junit(task: Task, changes: Changes, backend: Backend) -> bool:
    """Whether a harness that restores the hidden tests and believes the JUnit file would have scored."""
    counted, _ = sort_changes(task, changes)
    hidden = {path: FileEntry(data=as_bytes(content)) for path, content in task.tests.hidden.items()}
    laid = Changes(files={**counted.files, **hidden}, deleted=counted.deleted)
    files = dict.fromkeys(test.partition("::")[0] for test in task.tests.required)
    try:
        with backend.start(task.for_agent()) as sandbox:
            sandbox.restore(Snapshot(changes=laid))
            run = sandbox.run_tests(list(files), options=[f"--junitxml={_XML}"], timeout=task.tests.timeout)
            report = sandbox.read(_XML)
    except (SandboxError, OSError, ValueError):
        return False
    return run.exit_code == 0 and _all_pass(report, task.tests.required)


def _all_pass(report: bytes, required: Iterable[str]) -> bool:
    try:
        cases = ElementTree.fromstring(report).findall(".//testcase")
    except ElementTree.ParseError:
        return False
    bad = ("failure", "error", "skipped")
    if any(case.find(name) is not None for case in cases for name in bad):
        return False
    passed = {f"{case.get('classname')}.{case.get('name')}" for case in cases}
    return all(_dotted(test) in passed for test in required)


def _dotted(test: str) -> str:
    """A test id as JUnit names it: ``tests/test_a.py::A::test_b`` is ``tests.test_a.A.test_b``."""
    path, _, rest = test.partition("::")
    return f"{path.removesuffix('.py').replace('/', '.')}.{rest.replace('::', '.')}"
