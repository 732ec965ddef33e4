"""The debugger's commands beside those of ``python -m pdb``, one by one, at several kinds of stops.

What each of the two says to a command is brought into one form, and must then be equal, unless the table says
that the two differ, and why.
"""

import re
from dataclasses import dataclass

import pytest

from debug_gym.task import Environment

AROUND = 3
"""Lines that a stop shows before and after its own."""
PROGRAM = '''"""Nothing useful."""
import sys


class Point:
    def __init__(self, x):
        self.x = x

    def __repr__(self): return f"Point({self.x})"

    def moved(self, by):
        return Point(self.x + by)


def down(n):
    if n == 0:
        return "deep"
    return down(n - 1)


def numbers(n):
    for i in range(n):
        yield i * 2
    return "over"


def added(n, *more, scale=1, **named):
    total = sum(
        numbers(n),
        0,
    )
    for part in more:
        total += part
    def scaled(value):
        return value * scale + total
    return scaled(1)


def divide(a, b):
    try:
        return a / b
    finally:
        a = None


def guarded(values):
    found = []
    for value in values:
        try:
            found.append(divide(12, value))
        except ZeroDivisionError as error:
            found.append(str(error))
    return found


def main():
    point = Point(3).moved(4)
    text = down(2)
    total = added(3, point.x, 5, scale=2, extra="☃")
    parts = guarded([1, 0])
    squares = [n * n for n in range(3)]
    with open("run.py") as file: first = file.readline(); first = first.strip()
    return text, total, parts, squares, first


result = main()
if "fail" in sys.argv: divide(1, 0)
if "exit" in sys.argv: sys.exit(3)
'''


def at(text, word="b"):
    """A command with the number of the first line that has this text."""
    return f"{word} {next(n for n, found in enumerate(PROGRAM.split(chr(10)), 1) if text in found)}"


@dataclass(frozen=True)
class Differs:
    """A command to which the answers are not equal, on purpose."""

    command: str
    reason: str
    versions: range = range(99)
    """Of Python 3: those where they are not."""


WORDS = "the reason is told in other words"
BODY = "the line where it stops is named, not that of the `def`"
OUTER = "frames of pdb itself are left out"
ORDER = "the place comes first, as in Python 3.14"
STOPS = "each stop on the way is shown"
RAISED = "the line where it was raised counts, as from Python 3.10 on"
TOLD = "what was understood is told, and listed"
TABLE = {
    "steps": (
        "", "s", "n", "s", "n", at("class Point", "unt"), "n", "unt", at("def main", "until"), "n", "s", "s", "s",
        "s", "s", "s", "s", "s", "s", "s", "u", "d", "r", "w", "s", "n", "n", "s", "n", "r", "s", "r",
    ),
    "a function": (
        "", at("for part in more"), "c", "w", "a", "args", "p total", "p more, named", "pp named", "l", "l",
        "l .", "l 1, 3", "l 20, 2", "ll", "whatis n", "whatis added", "whatis numbers", "source Point.moved",
        "whatis Point", "whatis Point(1).moved", "whatis (lambda: 0)", "whatis 5 +", "whatis nothing", "rv", "retval",
        "display total", "n", "n", "display", "undisplay total", "n", "undisplay total", "undisplay", "u", "p point.x",
        "u", "d", "d", "d", Differs("u 5", OUTER), "d 9", "u x", "r", "rv", "p __return__", "n", "p total",
    ),
    "recursion": (
        "", at('return "deep"'), "c", "w", "w 1", "w 2", "u 2", "p n", "d", "p n", "r", "r", "r", "r", "n",
    ),
    "a generator": (
        "", at("yield i * 2"), "c", "p i, n", "w", "n", "a", "n", "n", "n", "s", "s", "cl 1", "u", "n", "n", "n",
    ),
    "the end of a generator": ("", at('return "over"'), "c", "s", "p __return__", "s", "s", "s", "n"),
    "an exception": (
        "", at("return a / b"), "condition 1 b == 0", "c", "n", "n", "w", "n", "n", "n", "p error", "n", "n", "p found",
    ),
    "an exception that nobody catches": (
        "fail", "c", Differs("w", RAISED, range(10)), "p a, b", Differs("u", RAISED, range(10)),
        Differs("w", RAISED, range(10)), Differs("l", RAISED, range(10)), Differs("ll", RAISED, range(10)), "a", "d",
        Differs("c", "the exit code is the program's", range(13, 99)),
    ),
    "the end": ("", "c"),
    "the end by sys.exit": ("exit", "c"),
    "a loop": ("", at("divide(12, value)"), "c", "p value", "n", "n", "unt", "p found", "unt", "n", "n"),
    "statements": (
        "", at("return scaled(1)"), "c", "total", "total = 4", "total", "!total += 1", Differs("! total", "a space does no harm"),
        "total; total", "for i in range(2): print(i)", "import math", "math.floor(2.5)", "del total", "total", "total = 9",
        "x y", "nothing", "1 / 0", "raise KeyError('☃')", "print('a', 'b', sep='')", "None", "'text'", "[n, more]",
        "p", "p n +", "pp 1 +", "p 'a', 'b'", "p nothing", "pp nothing", "p 1 / 0", "pp [list(range(30))] * 3",
        "lambda: 0", "assert n == 3, n", "assert n == 4, n", "(yield)", "x = 3 if n else 4", "x", "p x ;; p n;; x",
        "w ;; u", "p ';;'", "p 1 ;;", ";;", "p __name__", Differs("p __file__", "as `python run.py` has it"), "n", "n",
    ),
    "several commands": (
        "", at("found = []"), "c", Differs("s ;; s ;; p value", STOPS, range(13, 99)), "p value ;; p found;;p 5",
        Differs("n;;p found;;n", STOPS, range(13, 99)), Differs("unt;;unt", STOPS, range(13, 99)), Differs("n ;; p value", STOPS, range(13, 99)),
    ),
    "breakpoints": (
        "", Differs("b", "it is told that there are none"), "b 16", "b 17", "b run.py:18", "b run:22", Differs("tbreak 47", TOLD),
        "b 47", "b", "c", "c", "disable 1", "enable 1", "disable 1 2", "b", "c", "ignore 2 1", "ignore 2", "ignore 2 0",
        "condition 2 n < 2", "condition 2", "b", "cl 2", Differs("cl run.py:18", "silent by mistake", range(10)), "b", "enable 1 4", "c", "c", "cl 1 4", "c", "c",
    ),
    "breakpoints in functions": (
        "", Differs("b down, n == 0", BODY), "c", "p n", Differs("b down, n > 5", "one for each place is enough"),
        Differs("cl 1", BODY), Differs("b run.py:main", WORDS), Differs("tbreak guarded", BODY), Differs("c", BODY),
        "n", "l",
    ),
    "bad breakpoints": (
        "", Differs("b 4", WORDS), Differs("b 900", WORDS), Differs("b nothing", WORDS),
        Differs("b nothing.py:3", WORDS), Differs("b run.py:nothing", WORDS), Differs("tbreak 900", WORDS),
        "cl 9", "cl x", "enable 9", "enable x", Differs("disable", "it needs a number"),
        Differs("enable", "it needs a number"), "ignore 9 1", "ignore", "ignore x", "condition 9 x", "condition",
        "condition x", Differs("commands 9", "silent by mistake", range(11)), Differs("commands x", WORDS),
    ),
    "commands": (
        "", "b 16", Differs("commands 1\np n\nend", TOLD), Differs("c", ORDER), Differs("c", ORDER),
        Differs("commands\nsilent\np n * 2\nend", TOLD), "c", Differs("b", TOLD), "cl 1", at("for part in more"),
        Differs("commands\nsilent\np n\nc", TOLD), at("total += part"), "c",
    ),
    "jumps": (
        "", at("found = []"), "c", "n", "n", at("found = []", "j"), "n", "j 1", "j x", "j", "j 900",
        at("return found", "j"), "r", "u", "j 3",
    ),
    "arguments": (
        "", at("return found"), "c", "unt 1", "unt x", "until 3", "u x", "d x", "l x", "l 1, x", "l nothing",
        "r", "d 2", "undisplay", "undisplay nothing", "display nothing", "display 1 +", "display", "whatis",
        "source nothing", "source 5", "source", "tbreak", "h nothing", Differs("a 5", "it takes none"), "unalias x",
    ),
    "aliases": (
        "", "b 16", "c", "alias", "alias pn p n", "alias pn", "pn", "alias twice p %1, %1", "twice n", "alias",
        "unalias pn", "pn", "alias all p [%*]", "all 1, 2", "unalias nothing", "alias nn n;;p n", Differs("nn", STOPS, range(13, 99)),
    ),
    "stepping through an expression": (
        "", at("text, total, parts"), "c", "debug down(1)", "s", "s", "n", "w", "p n", "c", "debug 1 +",
        "debug nothing", "c", "debug divide(1, 0)", "c", "debug down(1)", "n", "q", "p text",
    ),
    "help": (
        "", Differs("h", "there are more commands"), Differs("h b", "more is possible"), "help where", "h pdb", "h exec",
        "? s", "h unalias",
    ),
}  # fmt: skip


# -- one form for both ----------------------------------------------------------------------------------------

PDB = """
import pdb
pdb.Pdb.prompt = property(
    lambda self: self.shown, lambda self, text: setattr(self, "shown", chr("(com)" in text or "..." in text))
)
pdb.main()
"""
"""``python -m pdb`` with prompts that occur in no answer: one character, another where a command goes on."""
THEIR_PLACE = re.compile(r"([> ]) (\S+?)\((\d+)\)(\S+?)\(\)(?:->(.*))?$")
THEIR_LINE = re.compile(r" *(\d+) *(B?)(->|>>|)\t(.*)$")
THEIR_END = re.compile(
    r"The program (?:finished and will be restarted|exited via sys\.exit\(\)\. Exit status: (\d+))"
    r"|Post mortem debugger (finished)\."
)
OUR_STOP = re.compile(r"([a-z][^:]*?) at (\S+):(\d+) in ([^:]+)(?:: (.*))?$")
OUR_FRAME = re.compile(r"(->|  ) (\S+):(\d+) in (\S+)$")
OUR_LINE = re.compile(r" +(\d+)(?: ([B ])(->|>>|  )?(?:  (.*))?)?$")
ADDRESS = re.compile(r"0x[0-9a-f]+")
POST_MORTEM = "Uncaught exception. Entering post mortem debugging"


def theirs(said):
    """What ``python -m pdb`` said to one command, as a list of tuples: places, lines of listings, texts."""
    rows = ADDRESS.sub("0x", said).replace("\1", "").replace("/workspace/", "").rstrip("\n").split("\n")
    if POST_MORTEM in rows:  # after the traceback, of which the last line is told
        first = rows.index(POST_MORTEM)
        rows[: first + 2] = [rows[first - 1]]
    facts, kind = [], ""
    while rows:
        row = rows.pop(0)
        place, listed, end = THEIR_PLACE.match(row), THEIR_LINE.match(row), THEIR_END.match(row)
        if place:
            mark, file, number, function, returned = place.groups()
            source = rows.pop(0)[3:] if rows and rows[0].startswith("-> ") else ""
            if mark == ">" or file == "run.py":  # the other frames are pdb's own
                facts.append(("place", mark == ">", file, int(number), function, source))
            if kind == "return":
                facts.append(("returns", returned))
            kind = ""
        elif row in ("--Call--", "--Return--"):
            kind = row.strip("-").lower()
            facts.append((kind,))
        elif listed:
            number, broken, arrow, text = listed.groups()
            facts.append(("line", int(number), broken, arrow, text.rstrip()))
        elif end:
            return [*facts, ("ended", int(end.group(1) or bool(end.group(2))))]
        elif row.strip():
            facts.append(("said", row.strip()))
    return facts


def ours(reply):
    """The same of one of our replies. The listing that each stop comes with counts with its current line."""
    rows = ADDRESS.sub("0x", reply.output).rstrip("\n").split("\n")
    facts = []
    while rows:
        row = rows.pop(0)
        stop, frame, listed = OUR_STOP.match(row), OUR_FRAME.match(row), OUR_LINE.match(row)
        if stop:
            facts += _our_stop(stop, rows)
        elif frame:
            mark, file, number, function = frame.groups()
            source = rows.pop(0).strip() if rows and rows[0].startswith(" " * 7) else ""
            if mark == "->" or file == "run.py":
                facts.append(("place", mark == "->", file, int(number), function, source))
        elif listed:
            number, broken, arrow, text = listed.groups()
            facts.append(
                ("line", int(number), *((part or "").strip() for part in (broken, arrow)), text or "")
            )
        elif row.strip() and not row.startswith("the program ended"):
            facts.append(("said", row.strip()))
    return [*facts, ("ended", reply.exit_code)] if reply.ended else facts


def _our_stop(stop, rows):
    kind, file, number, function, detail = stop.groups()
    if rows and rows[0].startswith("    (deeper, in"):
        rows.pop(0)
    number, source = int(number), ""
    while rows and (listed := OUR_LINE.match(rows[0])) and abs(int(listed.group(1)) - number) <= AROUND:
        rows.pop(0)
        if listed.group(3) == "->":
            source = listed.group(4).strip()
    place = ("place", True, file, number, function, source)
    if kind == "return":
        return [("return",), place, ("returns", detail)]
    return [*([("call",)] if kind == "call" else []), *([("said", detail)] if detail else []), place]


# -- the comparison -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox(backend, make_task, some_python):
    with backend.start(
        make_task({"run.py": PROGRAM}, environment=Environment(python=some_python))
    ) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def minor(sandbox):
    """The minor version of the Python in the sandbox."""
    return int(sandbox.exec(["python", "-c", "import sys; print(sys.version_info[1])"]).output)


@pytest.mark.parametrize("name", TABLE)
def test_every_command_does_what_it_does_in_the_standard_library(sandbox, minor, name):
    arguments, *table = TABLE[name]
    entries = [entry if isinstance(entry, Differs) else Differs(entry, "", range(0)) for entry in table]
    commands = [entry.command for entry in entries]
    program = ["run.py", *arguments.split()]
    text = "\n".join([*commands, "q", ""]).encode()
    said = sandbox.exec(["python", "-u", "-W", "ignore", "-c", PDB, *program], stdin=text, timeout=60).output
    answers = said.split("\0")[1:]
    sandbox.debug_start(script=program, at="start")
    seen = [
        (ours(sandbox.debug(command)), theirs(answer))
        for command, answer in zip(commands, answers, strict=False)
    ]
    equal = [
        (entry.command, *pair)
        for entry, pair in zip(entries, seen, strict=True)
        if minor not in entry.versions
    ]
    assert [(command, mine) for command, mine, _ in equal] == [
        (command, other) for command, _, other in equal
    ]
