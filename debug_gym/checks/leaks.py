"""Prove that nothing in reach of an agent holds the answer: search its sandbox for lines of it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby

from debug_gym.checks.packed import search_packed
from debug_gym.errors import DebugGymError
from debug_gym.judge.hidden import revealed
from debug_gym.sandbox import Backend, Sandbox
from debug_gym.task import Task

SHORTEST = 20
"""Characters that a line needs to be distinctive."""
LINES = 8
"""Lines of the gold patch, and of each hidden test file, that are searched for: the longest. In a file of the
workspace that holds them, the others must be as well."""
LIMIT = 600.0
"""Seconds for one search."""

_OWN = ("/tmp", "/home")
"""Folders that differ from sandbox to sandbox, besides the workspace."""
_SEARCH = (
    "LC_ALL=C grep -rFos -D skip --binary-files=text -f - $(ls -d {what}); test $? -le 2"  # 1: nothing found
)

Held = dict[str, set[str]]
"""Path in a sandbox to the lines that were found in it."""


def answers_in_reach(
    tasks: Sequence[Task], backend: Backend, *, everywhere: bool = True
) -> dict[str, list[str]]:
    """Task id to sentences about files of the agent's sandbox that hold its gold patch or hidden tests.

    Every file that a sandbox shows is searched, but for ``/proc`` and ``/sys``; those that are its own also
    in compressed files and git's objects. What all sandboxes of the same environment share (the system, the
    interpreter) is searched once for all their tasks. A file counts if it holds half of the longest lines of
    an answer; within the workspace, where fixed code looks like broken code, and hidden tests like those in
    sight, it takes every line of the answer and at least three.

    Args:
        tasks: to search for, each in a sandbox as its agent gets it.
        backend: of the sandboxes.
        everywhere: False leaves out what sandboxes share, which is several gigabytes.
    """
    found: dict[str, list[str]] = {}
    ordered = sorted(tasks, key=lambda task: task.environment.model_dump_json())
    for _, group in groupby(ordered, key=lambda task: task.environment):
        found.update(_search_group(list(group), backend, everywhere))
    return found


def _search_group(tasks: Sequence[Task], backend: Backend, everywhere: bool) -> dict[str, list[str]]:
    answers = {task.id: _answers(task, backend) for task in tasks}
    every = {line for of_task in answers.values() for lines in of_task.values() for line in _longest(lines)}
    shared = _search_shared(tasks[0], every, backend) if everywhere else {}
    found = {}
    for task in tasks:
        mine, inside = _search_own(task, answers[task.id], backend)
        found[task.id] = list(_leaks(answers[task.id], shared, mine, inside))
    return found


def _search_shared(task: Task, lines: Iterable[str], backend: Backend) -> Held | None:
    """What all sandboxes hold that are like this task's. None: the search failed."""
    with suppress(DebugGymError), backend.start(task.for_agent()) as sandbox:
        own = "|".join(("/proc", "/sys", *_OWN, "/" + sandbox.workspace.split("/")[1]))
        return _search(sandbox, lines, f"/* | grep -vxE '{own}'")
    return None


def _search_own(task: Task, answers: Held, backend: Backend) -> tuple[Held | None, str]:
    """What one sandbox alone holds (None: the search failed), and how the paths of its workspace begin."""
    lines = {line for lines in answers.values() for line in _longest(lines)}
    with suppress(DebugGymError), backend.start(task.for_agent()) as sandbox:
        folders = [sandbox.workspace, *_OWN]
        mine = _search(sandbox, lines, " ".join(folders))
        packed = search_packed(sandbox, sorted(lines), folders, LIMIT) if lines else {}
        if mine is None or packed is None:
            return None, ""
        every = {line for found in answers.values() if _held(found, packed) for line in found}
        if not every <= lines:  # rare: to be sure, the other lines as well
            packed = search_packed(sandbox, sorted(every), folders, LIMIT) or packed
        inside = f"{sandbox.workspace}/"
        for path, seen in mine.items():
            for found in answers.values():
                if path.startswith(inside) and _held(found, {path: seen}):
                    text = _text_of(sandbox, path.removeprefix(inside))
                    seen |= {line for line in found if line in text}
        return {**packed, **mine}, inside
    return None, ""  # a broken task: the other checks say what is wrong with it


def _search(sandbox: Sandbox, lines: Iterable[str], what: str) -> Held | None:
    """None: the search failed."""
    patterns = "".join(f"{line}\n" for line in sorted(lines))
    if not patterns:
        return {}
    command = ["bash", "-c", _SEARCH.format(what=what)]
    done = sandbox.exec(command, stdin=patterns.encode(), timeout=LIMIT, cwd="/")
    if done.exit_code != 0 or done.dropped:
        return None
    held: Held = {}
    for row in done.output.splitlines():
        path, _, line = row.partition(":")
        held.setdefault(path, set()).add(line)
    return held


def _leaks(answers: Held, shared: Held | None, mine: Held | None, inside: str) -> Iterator[str]:
    if shared is None or mine is None:
        yield "the agent's sandbox could not be searched for the answer"
        return
    for what, lines in answers.items():
        longest = _longest(lines)
        for path, seen in sorted({**shared, **mine}.items()):
            if path.startswith(inside):
                leaks = len(longest) >= 3 and lines <= seen
            else:
                leaks = len(seen & longest) * 2 >= len(longest)
            if leaks:
                yield f"the agent can read {what} in {path}"


def _answers(task: Task, backend: Backend) -> Held:
    """What must not be found, and its distinctive lines: no comments, and none that the repository's file of
    the same path has, or that the patch takes from another."""
    with suppress(DebugGymError):  # a broken task: the other checks say what is wrong with it
        task = revealed(task, backend)
    hidden = {f"the hidden test file {path}": {path: text} for path, text in task.tests.hidden_texts.items()}
    script = {"the gold script": {"": task.gold_script or ""}}
    if task.question is not None:
        script["the reference answer"] = {"": task.question.reference}
    wanted = {"the gold patch": _added(task.gold_patch or ""), **script, **hidden}
    known = _known_lines(task, {path for files in wanted.values() for path in files}, backend)
    moved = {line[1:].strip() for line in (task.gold_patch or "").splitlines() if line.startswith("-")}
    found = {}
    for what, files in wanted.items():
        lines = {
            line.strip()
            for path, text in files.items()
            for line in text.splitlines()
            if len(line.strip()) >= SHORTEST and line.strip() not in known.get(path, ())
        }
        code = {line for line in lines if not line.startswith("#")} or lines
        if distinctive := code - (moved if what == "the gold patch" else set()):
            found[what] = distinctive
    return found


def _longest(lines: Iterable[str]) -> set[str]:
    return {*sorted(lines, key=lambda line: (len(line), line))[-LINES:]}


def _held(lines: Iterable[str], held: Held) -> bool:
    """Whether a file holds the longest lines of an answer."""
    longest = _longest(lines)
    return any(longest <= seen for seen in held.values())


def _text_of(sandbox: Sandbox, path: str) -> str:
    """A file of the workspace; "" if it cannot be read."""
    with suppress(DebugGymError, OSError, ValueError):
        return sandbox.read(path).decode(errors="replace")
    return ""


def _added(patch: str) -> dict[str, str]:
    """Path to the lines that a unified diff adds to a file."""
    found: dict[str, str] = {}
    path = ""
    for line in patch.splitlines():
        if line.startswith("+++ "):
            path = line[4:].partition("\t")[0].strip().removeprefix("b/")
        elif line.startswith("+"):
            found[path] = f"{found.get(path, '')}{line[1:]}\n"
    return found


def _known_lines(task: Task, paths: Iterable[str], backend: Backend) -> Held:
    """Path to the lines that the repository's file has."""
    found: Held = {}
    with suppress(DebugGymError), backend.start(task.for_agent()) as sandbox:
        for path in paths:
            found[path] = {line.strip() for line in _text_of(sandbox, path).splitlines()}
    return found
