"""Test commands with something before pytest or unittest: ``env -i``, ``timeout 60``, ``coverage run``.

In a sandbox, which has limits and an environment of its own, that means nothing or is a variable of the
environment. So tests run test by test and not as one program.
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePath

Unwrapped = tuple[tuple[str, ...], dict[str, str]]

_MODULES = {"pytest", "unittest"}
_PYTESTS = {"pytest", "py.test", "pytest-3", "py.test-3"}
_WRAPPERS: Mapping[str, tuple[set[str], int]] = {
    "env": ({"-u", "--unset"}, 0),
    "nice": ({"-n", "--adjustment"}, 0),
    "ionice": ({"-c", "-n", "--class", "--classdata"}, 0),
    "timeout": ({"-k", "-s", "--kill-after", "--signal"}, 1),
    "stdbuf": ({"-i", "-o", "-e", "--input", "--output", "--error"}, 0),
    "time": ({"-f", "-o", "--format", "--output"}, 0),
    "nohup": (set(), 0),
    "setsid": (set(), 0),
}
"""Program to its options whose value is the next word, and how many words of its own follow them."""
_ENVIRONMENTS = {"uv", "poetry", "pdm", "pipenv", "rye", "hatch"}
"""``NAME run`` enters an environment, which is the task's in a sandbox."""
_OF_ENVIRONMENTS = {"--extra", "--group", "--python", "-p", "--env-file"}
_OF_COVERAGE = {"--source", "--source-pkgs", "--include", "--omit", "--rcfile", "--data-file", "--context"}
_OF_COVERAGE |= {"--concurrency"}
_FLAGS = {"-u", "-B", "-s", "-E", "-q"}
"""Of Python: what changes nothing here."""
_MODES = {"dev": {"PYTHONDEVMODE": "1"}, "utf8": {"PYTHONUTF8": "1"}, "faulthandler": {}}
"""Of its option -X."""


def unwrapped(command: Sequence[str]) -> Unwrapped:
    """A command of pytest or unittest without what stands before it, and the variables that this sets.

    Any other command comes back as it is.
    """
    variables: dict[str, str] = {}
    words = _program(tuple(command), variables)
    return (words, variables) if words else (tuple(command), {})


def _program(words: tuple[str, ...], variables: dict[str, str]) -> tuple[str, ...]:
    """The words from the program on; none if it is neither pytest nor unittest."""
    while words:
        name = PurePath(words[0]).name
        if name in _PYTESTS:
            return ("pytest", *words[1:])
        if name.startswith("python"):
            return _of_python(words, variables)
        if name == "coverage" and words[1:2] == ("run",):
            return _of_coverage("python", words[2:], variables)
        if name in _ENVIRONMENTS and words[1:2] == ("run",):
            words = _after_options(words[2:], _OF_ENVIRONMENTS)
        elif name in _WRAPPERS:
            with_value, own = _WRAPPERS[name]
            words = _after_options(words[1:], with_value)[own:]
            while name == "env" and words and "=" in words[0]:
                variable, _, value = words[0].partition("=")
                variables[variable], words = value, words[1:]
        else:
            return ()
    return ()


def _after_options(words: tuple[str, ...], with_value: set[str]) -> tuple[str, ...]:
    while words and words[0].startswith("-"):
        if words[0] == "--":
            return words[1:]
        words = words[2 if words[0] in with_value else 1 :]
    return words


def _of_python(words: tuple[str, ...], variables: dict[str, str]) -> tuple[str, ...]:
    """``python ... -m MODULE ...``: its options are variables or change nothing; none: another command."""
    python, rest = words[0], words[1:]
    while rest:
        option, value, rest = rest[0][:2], rest[0][2:], rest[1:]
        if option in {"-m", "-X", "-W"} and not value and rest:
            value, rest = rest[0], rest[1:]
        if option == "-m":
            if value == "coverage" and rest[:1] == ("run",):
                return _of_coverage(python, rest[1:], variables)
            return (python, "-m", value, *rest) if value in _MODULES else ()
        if option == "-X" and value in _MODES:
            variables.update(_MODES[value])
        elif option == "-W":
            before = variables.get("PYTHONWARNINGS")
            variables["PYTHONWARNINGS"] = f"{before},{value}" if before else value
        elif option == "-O":
            variables["PYTHONOPTIMIZE"] = "2" if value == "O" else "1"
        elif option + value not in _FLAGS:
            return ()
    return ()


def _of_coverage(python: str, words: tuple[str, ...], variables: dict[str, str]) -> tuple[str, ...]:
    """``coverage run ... -m MODULE ...``: nothing is counted, and the module is the same."""
    while words and words[0].startswith("-") and words[0] not in {"-m", "--module"}:
        words = words[2 if words[0] in _OF_COVERAGE else 1 :]
    return _of_python((python, "-m", *words[1:]), variables) if len(words) > 1 else ()
