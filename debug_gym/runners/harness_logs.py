"""Log parsers of other harnesses, whose names for tests and whose mistakes are part of their scores.

They read logs exactly as the harnesses do that they are named after, the wrong way included: what is right is
``debug_gym.runners.logs``. Compared with swebench 5.0.2's own parsers in the tests.
"""

import re
from collections.abc import Callable, Iterator

Statuses = dict[str, str]
"""Name of a test, as the harness prints it, to ``PASSED``, ``FAILED``, ``SKIPPED``, ``ERROR`` or ``XFAIL``;
seldom to another word of the log."""

WORDS = ("FAILED", "PASSED", "SKIPPED", "ERROR", "XFAIL")
_CONTROL = dict.fromkeys(range(1, 32))
_COLOUR = re.compile(r"\[(\d+)m")
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m|\r")
_COUNT = re.compile(r"\[\d+\]$")
_WORKER = re.compile(r"^\[gw\d+\]\s+\[[^\]]*\]\s+(\w+)\s+(.*)$")
_TIMED = re.compile(rf"^([^\s].*?)\s+({'|'.join(WORDS)})\s+\[[^\]]*\]\s+in\s+\d+(?:\.\d+)?s$")
_NAME_FIRST = re.compile(rf"^(\S+)\s+({'|'.join(WORDS)})")
_WORKER_LINE = re.compile(rf"^\[gw\d\]\s({'|'.join(WORDS)})\s(\S+)")
_FAILED_SHARE = re.compile(r"FAILED\s*\[.*?\]")
_FIRST = re.compile(rf"^({'|'.join(WORDS)})\s+(.*)$")
_OPTION = re.compile(r"(.*?)\[(.*)\]")

# -- pytest, as it is printed with -rA or -v ------------------------------------------------------------


def _summary(log: str) -> Iterator[tuple[str, str]]:
    """Name and status of each line such as ``PASSED path::test``; a name ends at its first space."""
    for line in log.split("\n"):
        if line.startswith(WORDS):
            words = (line.replace(" - ", " ") if line.startswith("FAILED") else line).split()
            if len(words) > 1:
                yield words[1], words[0]


def _without_counts(found: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Without lines such as ``SKIPPED [3] path:12: reason``."""
    return ((name, status) for name, status in found if status != "SKIPPED" or not _COUNT.match(name))


def pytest_log(log: str) -> Statuses:
    """SWE-bench: most repositories."""
    return dict(_without_counts(_summary(log)))


def old_pytest_log(log: str) -> Statuses:
    """SWE-bench before 5.0, and harnesses made from it."""
    return dict(_summary(log))


def pytest_options_log(log: str) -> Statuses:
    """SWE-bench: pydicom, requests, pylint, whose parameters hold paths of the machine."""
    return {_without_folders(name): status for name, status in _without_counts(_summary(log))}


def old_pytest_options_log(log: str) -> Statuses:
    """The same, before 5.0."""
    return {_without_folders(name): status for name, status in _summary(log)}


def _without_folders(name: str) -> str:
    match = _OPTION.search(name)
    if match is None:
        return name
    option = match[2]
    if option.startswith("/") and not option.startswith("//") and "*" not in option:
        option = "/" + option.split("/")[-1]
    return f"{match[1]}[{option}]"


def pytest_v2_log(log: str) -> Statuses:
    """SWE-bench: astropy, scikit-learn, sphinx; coloured output, names with spaces, status last."""
    found: Statuses = {}
    for line in log.split("\n"):
        line = _COLOUR.sub("", line).translate(_CONTROL)
        if line.startswith(WORDS):
            words = (line.split(" - ", 1)[0] if line.startswith("FAILED") else line).split()
            if len(words) > 1 and not (words[0] == "SKIPPED" and _COUNT.match(words[1])):
                found[" ".join(words[1:])] = words[0]
        elif line.endswith(WORDS):
            words = line.split()
            if len(words) > 1:
                found[" ".join(words[:-1])] = words[-1]
    return found


def old_pytest_v2_log(log: str) -> Statuses:
    """The same, before 5.0: a name ends at its first space."""
    found: Statuses = {}
    for line in log.split("\n"):
        line = _COLOUR.sub("", line).translate(_CONTROL)
        if line.startswith(WORDS):
            words = (line.replace(" - ", " ") if line.startswith("FAILED") else line).split()
            if len(words) > 1:
                found[words[1]] = words[0]
        elif line.endswith(WORDS):
            words = line.split()
            if len(words) > 1:
                found[words[0]] = words[1]
    return found


def nebo_log(log: str) -> Statuses:
    """SWE-rebench-V2's own: pytest's lines with times, and those of pytest-xdist."""
    found: Statuses = {}
    for line in log.splitlines():
        line = _COLOUR.sub("", line).translate(_CONTROL).strip()
        if (match := _WORKER.match(line)) and match[1] in WORDS:
            found[match[2].split(" in ")[0].strip()] = match[1]
        elif match := _TIMED.match(line):
            found[match[1].strip()] = match[2]
        elif match := _FIRST.match(line):
            found[match[2].split(" in ")[0].strip()] = match[1]
    return found


def matplotlib_log(log: str) -> Statuses:
    """SWE-bench: matplotlib, whose parameters changed their names."""
    return pytest_log(log.replace("MouseButton.LEFT", "1").replace("MouseButton.RIGHT", "3"))


def seaborn_log(log: str) -> Statuses:
    """SWE-bench: seaborn; only tests that pass or fail."""
    found: Statuses = {}
    for line in log.split("\n"):
        words = line.split()
        if len(words) < 2:
            continue
        if line.startswith("FAILED"):
            found[words[1]] = "FAILED"
        elif " PASSED " in line:
            if words[1] == "PASSED":
                found[words[0]] = "PASSED"
        elif line.startswith("PASSED"):
            found[words[1]] = "PASSED"
    return found


def pydantic_log(log: str) -> Statuses:
    """SWE-Gym: pydantic, where ``FAILED`` is followed by how much has run."""
    lines = (_COLOUR.sub("", line).translate(_CONTROL) for line in log.split("\n"))
    return old_pytest_v2_log("\n".join(_FAILED_SHARE.sub("FAILED", line) for line in lines))


def swe_smith_log(log: str) -> Statuses:
    """SWE-smith: the lines of a verbose run, ``path::test PASSED``."""
    return {match[1]: match[2] for match in map(_NAME_FIRST.match, log.split("\n")) if match}


def swe_smith_xdist_log(log: str) -> Statuses:
    """SWE-smith: autograd, whose tests run in several processes."""
    return {match[2]: match[1] for match in map(_WORKER_LINE.match, log.split("\n")) if match}


def r2e_gym_log(log: str) -> Statuses:
    """R2E-Gym: the short test summary, names without their file, parts joined by dots."""
    log = _ESCAPES.sub("", log)
    if "short test summary info" not in log:
        return {}
    found: Statuses = {}
    for line in log.split("short test summary info")[1].strip().split("\n"):
        status = next((word for word in ("PASSED", "FAILED", "ERROR") if word in line), None)
        if status:
            name = ".".join(line.split("::")[1:])
            found[name if status == "PASSED" else name.split(" - ")[0]] = status
    return found


# -- Django and sympy -----------------------------------------------------------------------------------

_OK = (" ... ok", " ... OK", " ...  OK")
_ENDINGS = ((" ... FAIL", "FAILED"), (" ... ERROR", "ERROR"))
_HEADS = (("FAIL:", "FAILED"), ("ERROR:", "ERROR"))
_INTERRUPTED = (
    re.compile(
        r"^(.*?)\s\.\.\.\sTesting\ against\ Django\ installed\ in\ ((?s:.*?))\ silenced\)\.\nok$", re.M
    ),
    re.compile(r"^(.*?)\s\.\.\.\sInternal\ Server\ Error:\ \/(.*)\/\nok$", re.M),
    re.compile(r"^(.*?)\s\.\.\.\sSystem check identified no issues \(0 silenced\)\nok$", re.M),
)
"""What Django prints between a test's name and its ``ok``."""
_GLUED = "Applying sites.0002_alter_domain_unique...test_no_migrations"
_ODD = "--version is equivalent to version"


def django_log(log: str) -> Statuses:
    """SWE-bench: Django's runtests.py; a test is named by what stands on its line: its id, or the first line
    of its docstring."""
    found: Statuses = {}
    last: str | None = None
    for line in map(str.strip, log.split("\n")):
        if _ODD in line:
            found[_ODD] = "PASSED"
        if " ... " in line:
            last = line.split(" ... ")[0]
        found.update(_django_line(line))
        if line.startswith("ok") and last is not None:
            found[last] = "PASSED"
    for pattern in _INTERRUPTED:
        found.update({match[1]: "PASSED" for match in pattern.finditer(log)})
    return found


def _django_line(line: str) -> Iterator[tuple[str, str]]:
    ending = next((ending for ending in _OK if line.endswith(ending)), None)
    if ending is not None:
        if line.startswith(_GLUED):
            line = line.split("...", 1)[-1].strip()
        yield line.rsplit(ending, 1)[0], "PASSED"
    if " ... skipped" in line:
        yield line.split(" ... skipped")[0], "SKIPPED"
    for (ending, status), (head, _) in zip(_ENDINGS, _HEADS, strict=True):
        if line.endswith(ending):
            yield line.split(ending)[0], status
        if line.startswith(head):
            yield line.split()[1].strip() if len(line.split()) > 1 else "", status


_SYMPY_FAILURE = re.compile(r"(_*) (.*)\.py:(.*) (_*)")
_SYMPY_ENDINGS = {" E": "ERROR", " F": "FAILED", " ok": "PASSED"}


def sympy_log(log: str) -> Statuses:
    """SWE-bench: sympy's ``bin/test``; a test is named by its function alone."""
    found = {f"{match[2]}.py:{match[3]}": "FAILED" for match in _SYMPY_FAILURE.finditer(log)}
    for line in map(str.strip, log.split("\n")):
        for ending, status in _SYMPY_ENDINGS.items():
            if line.startswith("test_") and line.endswith(ending):
                found[line.split()[0]] = status
    return found


PARSERS: dict[str, Callable[[str], Statuses]] = {
    "pytest": pytest_log,
    "old-pytest": old_pytest_log,
    "old-pytest-options": old_pytest_options_log,
    "old-pytest-v2": old_pytest_v2_log,
    "pytest-nebo": nebo_log,
    "pytest-options": pytest_options_log,
    "pytest-v2": pytest_v2_log,
    "matplotlib": matplotlib_log,
    "seaborn": seaborn_log,
    "django": django_log,
    "sympy": sympy_log,
    "pydantic": pydantic_log,
    "swe-smith": swe_smith_log,
    "swe-smith-xdist": swe_smith_xdist_log,
    "r2e-gym": r2e_gym_log,
}
"""By the names that ``Harness.parser`` takes."""
