"""What is typed becomes tool calls; what cannot be one is refused with a reason."""

import pytest

from debug_gym.env import DEFAULT_TOOLS
from debug_gym.errors import UnknownNameError
from debug_gym.terminal.grammar import CommandError, Grammar, describe
from debug_gym.tools.base import Toolbox

GRAMMAR = Grammar(Toolbox(DEFAULT_TOOLS).schemas())
FILES = ("shop/__init__.py", "shop/cart.py", "tests/test_cart.py")
TESTS = ("tests/test_cart.py::test_one", "tests/test_cart.py::test_two")


@pytest.mark.parametrize(
    ("line", "tool", "arguments"),
    [
        ("view a.py", "view", {"path": "a.py"}),
        ("view a.py 5 9", "view", {"path": "a.py", "start": 5, "end": 9}),
        ("view a.py:5-9", "view", {"path": "a.py", "start": 5, "end": 9}),
        ("view path='my file.py' start=3", "view", {"path": "my file.py", "start": 3}),
        ("eval", "eval", {}),
        (
            "eval t.py::test_a t.py::test_b timeout=2",
            "eval",
            {"tests": ["t.py::test_a", "t.py::test_b"], "timeout": 2.0},
        ),
        (
            'grep "def total" shop ignore_case=yes',
            "grep",
            {"pattern": "def total", "path": "shop", "ignore_case": True},
        ),
        ('replace a.py "a - b" "a + b"', "replace", {"path": "a.py", "old": "a - b", "new": "a + b"}),
        ("bash ls -l 'x y' | wc", "bash", {"command": "ls -l 'x y' | wc"}),
        ("bash timeout=3 sleep 1", "bash", {"command": "sleep 1", "timeout": 3.0}),
        ("pdb test=t.py::test_a b a.py:3", "pdb", {"command": "b a.py:3", "test": "t.py::test_a"}),
        ("b a.py:12, x > 3", "pdb", {"command": "b a.py:12, x > 3"}),
        ("n", "pdb", {"command": "n"}),
        ("back 2", "pdb", {"command": "back 2"}),
        ("submit", "submit", {}),
    ],
)
def test_a_line_is_a_call(line, tool, arguments):
    call = GRAMMAR.parse(line)
    assert (call.name, call.arguments) == (tool, arguments)


def test_a_stopped_program_gets_what_is_no_tool():
    assert GRAMMAR.parse("total + 1", debugging=True).arguments == {"command": "total + 1"}
    assert GRAMMAR.parse("view = 3", debugging=True).name == "pdb"
    assert GRAMMAR.parse("view a.py", debugging=True).name == "view"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "type a tool"),
        ("view", "view needs path: view path [start] [end]"),
        ("view a.py five", "start takes a whole number, not 'five'"),
        ("view a.py 1 2 3", "'3' is one too many"),
        ('grep "def', "quotation mark"),
        ("eval tests=[1", "tests takes a JSON list"),
    ],
)
def test_what_is_wrong_is_said(line, says):
    with pytest.raises(CommandError, match=r"^[^\n]*$") as caught:
        GRAMMAR.parse(line)
    assert says in str(caught.value)


def test_an_unknown_word_gets_the_nearest_one():
    with pytest.raises(UnknownNameError, match="did you mean 'view'"):
        GRAMMAR.parse("veiw a.py")


def test_without_the_debugger_its_commands_are_unknown():
    with pytest.raises(UnknownNameError):
        Grammar(Toolbox(["view", "eval"]).schemas()).parse("n")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("vi", ["view"]),
        ("checkp", ["checkpoints"]),
        ("view shop/c", ["view shop/cart.py"]),
        ("view path=t", ["view path=tests/test_cart.py"]),
        ("eval ", [f"eval {test}" for test in TESTS]),
        ("pdb test=", [f"pdb test={test}" for test in TESTS]),
        ("b shop/c", ["b shop/cart.py:"]),
        ("grep x ig", ["grep x ignore_case="]),
        ("nothing", []),
    ],
)
def test_completion(text, found):
    assert GRAMMAR.complete(text, files=FILES, tests=TESTS) == found


def test_calls_are_described_in_one_line():
    call = GRAMMAR.parse('replace a.py "one\ntwo" three')
    assert describe(call) == "replace a.py one ... three"
    assert describe(GRAMMAR.parse("tbreak a.py:3")) == "tbreak a.py:3"
