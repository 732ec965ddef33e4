"""The families of bugs: kinds of mistakes in kinds of functions, each one wrong spot in one small module.

A docstring says what the function is for in words that other families use as well: what is learned on some
families can be of use on those that were held out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from debug_gym.benchmarks.sprouts.picker import Picker

FUNCTIONS = tuple(
    (
        "price total score level amount budget volume weight length height margin profit income salary "
        "discount balance deposit payment charge credit penalty bonus quota share supply demand output "
        "storage reserve distance speed pressure density voltage energy fuel cargo freight rent toll fare "
        "tariff duty premium"
    ).split()
)
PARAMETERS = tuple(
    (
        "apple bread candle dollar engine flower garden hammer island jacket kettle ladder magnet needle "
        "orange pencil quiver ribbon saddle ticket umbrella violin window yarn acorn basket copper drawer "
        "emerald feather gravel helmet ivory jungle kitten lantern marble nickel oyster parcel rocket "
        "silver timber velvet"
    ).split()
)
WORDS = "oak elm ash fir yew box bay fig plum pear lime rose moss fern reed sage mint hemp flax rye".split()
ARITHMETIC = {"plus": "+", "minus": "-", "times": "*"}
COMPARISONS = {"more than": ">", "less than": "<", "equal to": "==", "other than": "!="}
NUMBERS = range(2, 10)

Draw = Callable[[Random], tuple[object, ...]]
"""Arguments for a call of the function."""


@dataclass(frozen=True)
class Bug:
    """A module that is right, the same with one wrong spot, and how to call its function."""

    function: str
    right: str
    wrong: str
    draw: Draw
    shown: tuple[object, ...] | None = None
    """Arguments of the call that the problem tells of; None: any that goes wrong."""
    look: str = ""
    """An expression, to be evaluated in a failed test, whose value shows what is wrong."""


Family = Callable[[Picker], Bug]
FAMILIES: dict[str, Family] = {}
"""Name, which is ``kind-shape``, to what makes one of its bugs."""
VALIDATION = ("operator-offset", "constant-scale", "name-limit", "argument-range", "boundary-sum")
TEST = ("operator-chain", "constant-cap", "name-triple", "argument-divide", "boundary-first")
"""Families that nobody trains on, one of each kind."""


def family(made: Family) -> Family:
    """Add a family; the function's name says its name."""
    FAMILIES[made.__name__.replace("_", "-")] = made
    return made


def _bug(  # noqa: PLR0917 - in the order in which a task is read
    pick: Picker, names: tuple[str, ...], doc: str, right: str, wrong: str, draw: Draw
) -> Bug:
    """A function of one line."""
    function = pick.one(FUNCTIONS)
    head = f'def {function}({", ".join(names)}):\n    """Return {doc}."""\n    return '
    return Bug(function, f"{head}{right}\n", f"{head}{wrong}\n", draw)


def _numbers(count: int, first: int = 1, last: int = 12) -> Draw:
    return lambda random: tuple(random.randint(first, last) for _ in range(count))


def _list_and_place(random: Random) -> tuple[object, ...]:
    items = [random.randint(1, 20) for _ in range(random.randint(4, 7))]
    return items, random.randint(2, len(items) - 1)


@family
def operator_pair(pick: Picker) -> Bug:
    """Another operator between two values."""
    names = a, b = pick.some(PARAMETERS, 2)
    word, other = pick.some([*ARITHMETIC], 2)
    right, wrong = (f"{a} {ARITHMETIC[one]} {b}" for one in (word, other))
    return _bug(pick, names, f"{a} {word} {b}", right, wrong, _numbers(2))


@family
def operator_offset(pick: Picker) -> Bug:
    """Another operator before a number."""
    a, n = pick.one(PARAMETERS), pick.one(NUMBERS)
    word, other = pick.some([*ARITHMETIC], 2)
    right, wrong = (f"{a} {ARITHMETIC[one]} {n}" for one in (word, other))
    return _bug(pick, (a,), f"{a} {word} {n}", right, wrong, _numbers(1))


@family
def operator_chain(pick: Picker) -> Bug:
    """One of two operators between three values is another."""
    names = a, b, c = pick.some(PARAMETERS, 3)
    words = [pick.one(["plus", "minus"]), pick.one(["plus", "minus"])]
    place = pick.one([0, 1])
    others = [*words]
    others[place] = "plus" if words[place] == "minus" else "minus"
    right, wrong = (f"{a} {ARITHMETIC[x]} {b} {ARITHMETIC[y]} {c}" for x, y in (words, others))
    return _bug(pick, names, f"{a} {words[0]} {b} {words[1]} {c}", right, wrong, _numbers(3))


@family
def operator_compare(pick: Picker) -> Bug:
    """Another comparison."""
    names = a, b = pick.some(PARAMETERS, 2)
    word, other = pick.some([*COMPARISONS], 2)
    right, wrong = (f"{a} {COMPARISONS[one]} {b}" for one in (word, other))
    return _bug(pick, names, f"whether {a} is {word} {b}", right, wrong, _numbers(2, 1, 3))


@family
def constant_offset(pick: Picker) -> Bug:
    """Another number after an operator."""
    a, word = pick.one(PARAMETERS), pick.one(["plus", "minus"])
    n, other = pick.some(NUMBERS, 2)
    right, wrong = (f"{a} {ARITHMETIC[word]} {one}" for one in (n, other))
    return _bug(pick, (a,), f"{a} {word} {n}", right, wrong, _numbers(1))


@family
def constant_scale(pick: Picker) -> Bug:
    """Another factor."""
    a, (n, other) = pick.one(PARAMETERS), pick.some(NUMBERS, 2)
    return _bug(pick, (a,), f"{a} times {n}", f"{a} * {n}", f"{a} * {other}", _numbers(1))


@family
def constant_cap(pick: Picker) -> Bug:
    """Another limit."""
    a, (n, other) = pick.one(PARAMETERS), pick.some(NUMBERS, 2)
    return _bug(pick, (a,), f"{a}, but at most {n}", f"min({a}, {n})", f"min({a}, {other})", _numbers(1))


@family
def constant_floor(pick: Picker) -> Bug:
    """Another lower limit."""
    a, (n, other) = pick.one(PARAMETERS), pick.some(NUMBERS, 2)
    return _bug(pick, (a,), f"{a}, but at least {n}", f"max({a}, {n})", f"max({a}, {other})", _numbers(1))


@family
def constant_compare(pick: Picker) -> Bug:
    """A comparison with another number."""
    a, word = pick.one(PARAMETERS), pick.one(["more than", "less than"])
    n, other = pick.some(NUMBERS, 2)
    right, wrong = (f"{a} {COMPARISONS[word]} {one}" for one in (n, other))
    return _bug(pick, (a,), f"whether {a} is {word} {n}", right, wrong, _numbers(1))


@family
def name_pair(pick: Picker) -> Bug:
    """One of two names twice."""
    names = a, b = pick.some(PARAMETERS, 2)
    word, twice = pick.one([*ARITHMETIC]), pick.one([0, 1])
    sign, name = ARITHMETIC[word], names[twice]
    return _bug(pick, names, f"{a} {word} {b}", f"{a} {sign} {b}", f"{name} {sign} {name}", _numbers(2))


@family
def name_triple(pick: Picker) -> Bug:
    """One of three names in the place of another."""
    names = a, b, c = pick.some(PARAMETERS, 3)
    place, by = pick.some([0, 1, 2], 2)
    used = [*names]
    used[place] = names[by]
    right, wrong = " + ".join(names), " + ".join(used)
    return _bug(pick, names, f"{a} plus {b} plus {c}", right, wrong, _numbers(3))


@family
def name_limit(pick: Picker) -> Bug:
    """A limit that is the limited value itself."""
    names = a, b = pick.some(PARAMETERS, 2)
    twice = names[pick.one([0, 1])]
    word, function = pick.one([("most", "min"), ("least", "max")])
    right, wrong = f"{function}({a}, {b})", f"{function}({twice}, {twice})"
    return _bug(pick, names, f"{a}, but at {word} {b}", right, wrong, _numbers(2))


@family
def name_compare(pick: Picker) -> Bug:
    """A value that is compared with itself."""
    names = a, b = pick.some(PARAMETERS, 2)
    word, name = pick.one([*COMPARISONS]), names[pick.one([0, 1])]
    right, wrong = f"{a} {COMPARISONS[word]} {b}", f"{name} {COMPARISONS[word]} {name}"
    return _bug(pick, names, f"whether {a} is {word} {b}", right, wrong, _numbers(2, 1, 3))


@family
def argument_power(pick: Picker) -> Bug:
    """Swapped arguments of ``pow``."""
    names = a, b = pick.some(PARAMETERS, 2)
    doc = f"{a} to the power of {b}"
    return _bug(pick, names, doc, f"pow({a}, {b})", f"pow({b}, {a})", _numbers(2, 1, 5))


@family
def argument_range(pick: Picker) -> Bug:
    """Swapped ends of a range."""
    names = a, b = pick.some(PARAMETERS, 2)
    doc = f"the numbers from {a} to {b}, {b} left out"
    right, wrong = f"list(range({a}, {b}))", f"list(range({b}, {a}))"
    return _bug(pick, names, doc, right, wrong, lambda random: (random.randint(0, 4), random.randint(6, 9)))


@family
def argument_divide(pick: Picker) -> Bug:
    """Swapped arguments of ``divmod``."""
    names = a, b = pick.some(PARAMETERS, 2)
    doc = f"how often {b} goes into {a}, and the rest"
    return _bug(pick, names, doc, f"divmod({a}, {b})", f"divmod({b}, {a})", _numbers(2, 1, 20))


@family
def argument_replace(pick: Picker) -> Bug:
    """Swapped arguments of ``str.replace``."""
    names = text, old, new = pick.some(PARAMETERS, 3)
    doc = f"{text} with {new} in the place of {old}"
    right, wrong = f"{text}.replace({old}, {new})", f"{text}.replace({new}, {old})"
    return _bug(pick, names, doc, right, wrong, _text_and_letters)


def _text_and_letters(random: Random) -> tuple[object, ...]:
    return "".join(random.choices("abc", k=6)), *random.sample("abcd", 2)


@family
def boundary_range(pick: Picker) -> Bug:
    """A range that lacks its end, or has one more."""
    names = a, b = pick.some(PARAMETERS, 2)
    end, doc = pick.one([(" + 1", "included"), ("", "left out")])
    wrong = f"list(range({a}, {b}{'' if end else ' + 1'}))"
    doc = f"the numbers from {a} to {b}, {b} {doc}"
    draw: Draw = lambda random: (random.randint(0, 4), random.randint(5, 9))  # noqa: E731
    return _bug(pick, names, doc, f"list(range({a}, {b}{end}))", wrong, draw)


@family
def boundary_sum(pick: Picker) -> Bug:
    """A sum that lacks its last number."""
    a, n = pick.one(PARAMETERS), pick.one(range(5))
    right, wrong = f"sum(range({n}, {a} + 1))", f"sum(range({n}, {a}))"
    return _bug(pick, (a,), f"the sum of the numbers from {n} to {a}", right, wrong, _numbers(1, 5, 12))


@family
def boundary_first(pick: Picker) -> Bug:
    """One item too few, or too many."""
    names = items, k = pick.some(PARAMETERS, 2)
    off = pick.one([" - 1", " + 1"])
    doc = f"the first {k} of {items}"
    return _bug(pick, names, doc, f"{items}[:{k}]", f"{items}[:{k}{off}]", _list_and_place)


@family
def boundary_last(pick: Picker) -> Bug:
    """One item too few, or too many, at the end."""
    names = items, k = pick.some(PARAMETERS, 2)
    off = pick.one([" - 1", " + 1"])
    doc = f"{items} without the first {k}"
    return _bug(pick, names, doc, f"{items}[{k}:]", f"{items}[{k}{off}:]", _list_and_place)


@family
def boundary_nth(pick: Picker) -> Bug:
    """Counted from 0 in the place of 1, or the other way round."""
    names = items, k = pick.some(PARAMETERS, 2)
    first, at, wrong = pick.one([(1, " - 1", ""), (0, "", " - 1")])
    doc = f"item {k} of {items}, counted from {first}"
    return _bug(pick, names, doc, f"{items}[{k}{at}]", f"{items}[{k}{wrong}]", _list_and_place)


@family
def boundary_least(pick: Picker) -> Bug:
    """A limit that is left out, or taken in."""
    a, n = pick.one(PARAMETERS), pick.one(NUMBERS)
    words = {"at least": ">=", "more than": ">", "at most": "<=", "less than": "<"}
    word = pick.one([*words])
    right = words[word]
    wrong = right.removesuffix("=") if "=" in right else f"{right}="
    draw: Draw = lambda random: (n + random.randint(-1, 1),)  # noqa: E731
    return _bug(pick, (a,), f"whether {a} is {word} {n}", f"{a} {right} {n}", f"{a} {wrong} {n}", draw)
