"""Families whose right value stands nowhere: the program computes it, and only a run of it tells.

A checksum of a word decides; a table or a constant must agree with it. The failing test shows that it does
not, never what the checksum is.
"""

from debug_gym.benchmarks.sprouts.families import FUNCTIONS, NUMBERS, WORDS, Bug, Family
from debug_gym.benchmarks.sprouts.picker import Picker

RUNTIME: dict[str, Family] = {}
"""Name to family, as ``FAMILIES``."""
ROUNDS, CODES = 20, 90
FACTORS = (31, 33, 37, 41)
CODE = '''def code(word):
    """The checksum of the word."""
    value = {start}
    for letter in word * {rounds}:
        value = (value * {factor} + ord(letter)) % 9973
    return value % {codes} + 10
'''


def checksum(word: str, start: int, factor: int) -> int:
    """What ``code`` of a task gives: 10 to 99."""
    value = start
    for letter in word * ROUNDS:
        value = (value * factor + ord(letter)) % 9973
    return value % CODES + 10


def family(made: Family) -> Family:
    """Add a family; the function's name says its name."""
    RUNTIME[f"runtime-{made.__name__}"] = made
    return made


class _Code:
    """The checksum of a task, and two words whose checksums count: for the first one, the module is wrong."""

    def __init__(self, pick: Picker) -> None:
        self.word, *others = pick.some(WORDS, 2)
        self.start, self.factor = pick.one(range(1, 100)), pick.one(FACTORS)
        self.right = checksum(self.word, self.start, self.factor)
        self.wrong = (self.right - 10 + pick.one(range(1, 7)) * 13) % CODES + 10
        codes = (checksum(word, self.start, self.factor) for word in [*others, *WORDS])
        self.fine = next(code for code in codes if code not in {self.right, self.wrong})

    def bug(self, pick: Picker, head: str, doc: str, result: str) -> Bug:
        """``head`` holds ``{code}`` where the checksum belongs."""
        function = pick.one(FUNCTIONS)
        code = CODE.format(start=self.start, factor=self.factor, rounds=ROUNDS, codes=CODES)
        rest = f'\n\n\n{code}\n\ndef {function}(word):\n    """Return {doc}."""\n    return {result}\n'
        right, wrong = (head.format(code=code) + rest for code in (self.right, self.wrong))
        return Bug(
            function,
            right,
            wrong,
            lambda random: (random.choice(WORDS),),
            shown=(self.word,),
            look=f'sprout.code("{self.word}")',
        )


@family
def key(pick: Picker) -> Bug:
    """A table of one entry, whose key is wrong."""
    code, value = _Code(pick), pick.one(NUMBERS)
    head = f"TABLE = {{{{{{code}}: {value}}}}}"
    return code.bug(
        pick, head, "what the table has for the code of the word, else 0", "TABLE.get(code(word), 0)"
    )


@family
def table(pick: Picker) -> Bug:
    """A table of two entries; the key of one is wrong, and its value says of which."""
    code = _Code(pick)
    value, other = pick.some(NUMBERS, 2)
    entries = [f"{{code}}: {value}", f"{code.fine}: {other}"]
    first = pick.one([0, 1])
    head = f"TABLE = {{{{{entries[first]}, {entries[1 - first]}}}}}"
    return code.bug(
        pick, head, "what the table has for the code of the word, else 0", "TABLE.get(code(word), 0)"
    )


@family
def mark(pick: Picker) -> Bug:
    """A stored checksum that is out of date."""
    code = _Code(pick)
    return code.bug(pick, "MARK = {code}", "whether the code of the word is the mark", "code(word) == MARK")
