"""The verdict of a benchmark's own harness: its command, its log parser, its rule.

It believes what the code under test prints, as the harness does. It is told for comparison with scores that
others publish, and decides nothing here.
"""

from debug_gym.episode import HarnessVerdict
from debug_gym.errors import SandboxError
from debug_gym.judge.harness.rules import RULES
from debug_gym.runners.harness_logs import PARSERS, Statuses
from debug_gym.sandbox import Backend, Changes, FileEntry, Snapshot
from debug_gym.sandbox.programs import MAX_LOG
from debug_gym.task import Harness, Task, as_bytes
from debug_gym.task.harness import END, START

_INVALID = (
    ">>>>> Patch Apply Failed",
    ">>>>> Reset Failed",
    ">>>>> Tests Errored",
    ">>>>> Tests Timed Out",
)
"""Words in a log that make swebench throw it away, whoever prints them."""
_SHOWN = 3
_LINE = 200


def harness_verdict(task: Task, changes: Changes, backend: Backend) -> HarnessVerdict | None:
    """What the task's harness says about a changed workspace; None if the task has none.

    All changes count, also those that the judge does not count, but for ``Harness.restored``; the hidden
    files are laid over them.
    """
    harness = task.harness
    if harness is None:
        return None
    limits = task.limits.model_copy(update={"output": MAX_LOG})
    hidden = {path: FileEntry(data=as_bytes(content)) for path, content in task.tests.hidden.items()}
    kept = {path: entry for path, entry in changes.files.items() if path not in harness.restored}
    gone = [path for path in changes.deleted if path not in {*harness.restored, *hidden}]
    laid = Changes(files={**kept, **hidden}, deleted=tuple(gone))
    try:
        with backend.start(task.for_agent().model_copy(update={"limits": limits})) as sandbox:
            sandbox.restore(Snapshot(changes=laid))
            done = sandbox.exec(["bash", "-c", harness.script], timeout=harness.timeout)
    except SandboxError as error:
        return HarnessVerdict(name=harness.name, resolved=False, reason=f"its tests could not run: {error}")
    if done.timed_out:
        return HarnessVerdict(name=harness.name, resolved=False, reason="its tests ran out of time")
    return score(harness, done.output, done.exit_code)


def score(harness: Harness, output: str, exit_code: int | None) -> HarnessVerdict:
    """What a harness says about the output of its script."""
    seen, reason = _read(harness, output, exit_code)
    if not reason:
        against = list(dict.fromkeys(RULES[harness.rule](harness, seen)))
        more = f" and {len(against) - _SHOWN} more" if len(against) > _SHOWN else ""
        reason = f"against it: {', '.join(against[:_SHOWN])}{more}" if against else ""
    return HarnessVerdict(name=harness.name, resolved=not reason, reason=reason)


def _read(harness: Harness, output: str, exit_code: int | None) -> tuple[Statuses, str]:
    """The statuses in a log, or why there are none."""
    parse = PARSERS[harness.parser]
    if harness.rule not in {"swe-bench", "swe-bench-4"}:
        return parse(output), ""
    log = f"{START}\n{output}\n{END}\n"
    if any(words in log for words in _INVALID):
        return {}, "its log holds the words of a run that failed"
    seen = parse(log.split(START)[1].split(END, maxsplit=1)[0])
    if harness.rule == "swe-bench-4":
        return seen, ""
    seen = seen or parse(log)
    if not seen:
        said = " ".join(output.strip().rpartition("\n")[2].split())[:_LINE]
        return {}, f"no test is in its log, which ends: {said}" if said else "its log is empty"
    if exit_code and seen and not {"FAILED", "ERROR"} & {*seen.values()}:
        return {}, f"the tests ended with {exit_code} and none is said to have failed"
    return seen, ""
