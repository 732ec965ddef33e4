"""What can be said to the debugger: commands, statements, and all about breakpoints."""

import pytest

SHOP = '''"""A shop."""

TAX = 2


def total(prices):
    """Add up."""
    result = 0

    # one by one
    for price in prices:
        result += price
    return (
        result
    )


def mean(prices):
    return total(prices) / len(prices)


class Shop:
    def __init__(self):
        self.prices = []

    def add(self, price):
        self.prices.append(price)
        return self
'''
RUN = """from shop import Shop, mean, total

print("begin")
shop = Shop().add(1).add(3)
print(total(shop.prices), mean(shop.prices))
shop.prices.clear()
print(total(shop.prices), mean(shop.prices))
"""
FILES = {"shop.py": SHOP, "run.py": RUN, "deep.py": "def f(n):\n    return f(n + 1)\n\n\nf(0)\n"}


@pytest.fixture(scope="module")
def sandbox(backend, make_task):
    with backend.start(make_task(FILES)) as sandbox:
        yield sandbox


def start(sandbox, *commands, at="start"):
    reply = sandbox.debug_start(script=["run.py"], at=at)
    for command in commands:
        reply = sandbox.debug(command)
    return reply


# -- statements and values ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("def twice(y):\n    return 2 * y\n\ntwice(4)", "8\n"),
        ("data = [\n1,\n2]\ndata", "[1, 2]\n"),
        ("if 1:\n    print('a')\nelse:\n    print('b')\nprint('c')", "a\nc\n"),
        (
            "for i in (1, 2):\n    try:\n        i / 0\n    except ZeroDivisionError:\n        print(i)",
            "1\n2\n",
        ),
        ('text = """one\n\ntwo"""\ntext', "'one\\n\\ntwo'\n"),
        ("for i in 1, 2:", "*** IndentationError"),
        ("c = 5\n!c", "5\n"),
        ("n = 5;; n == 5", "True\n"),
        ("n=5;; !n + 1", "6\n"),
        ("p(1 + 1)", "2\n"),
        ("pp({1: 2})", "{1: 2}\n"),
        ("k = 2; [k * i for i in (1, 2)]", "[2, 4]\n"),
        ("print('no', end='')", "no"),
        ("nothing", "*** NameError: name 'nothing' is not defined\n"),
        ("1 +", "*** SyntaxError: invalid syntax\n"),
        ("assert 0, 'one\\ntwo'", "*** AssertionError: one\ntwo\n"),
        ("import sys; sys.exit(3)", "*** SystemExit: 3\n"),
        ("input('?')", "?*** EOFError: EOF when reading a line\n"),
        ("interact", "*** interact needs a terminal"),
        ("p '☃' + '\\ud800'", "'☃\\ud800'\n"),
        ("p list(range(10**7))", "[0, 1, 2,"),
        ("p 'x' * 10**7", "'xxx"),
        ("p [[0] * 1000] * 1000", "[[0, 0,"),
        ("help pdb", "\nThe Python Debugger Pdb"),
        ("restart", "*** send `restart` as a command of its own\n"),
    ],
)
def test_commands_that_do_not_move_the_program(sandbox, command, said):
    before = start(sandbox)
    reply = sandbox.debug(command)
    assert reply.output.startswith(said)
    assert len(reply.output) < 25_000
    assert reply.stop == before.stop


def test_several_lines_are_executed_in_order(sandbox):
    start(sandbox)
    reply = sandbox.debug(
        "x = 3\n\nfor i in range(x):\n    if i:\n        print(i)\n    else:\n        print('-')\nx\nn"
    )
    assert reply.output.startswith("-\n1\n2\n3\nstep at run.py:3 in <module>\n")


def test_comprehensions_see_local_variables(sandbox):
    start(sandbox, "b shop.py:13", "c")
    assert sandbox.debug("p [price + result for price in prices]").output == "[5, 7]\n"
    assert sandbox.debug("limit = 2\nany(price > limit for price in prices)").output == "True\n"
    assert sandbox.debug("(lambda: result)()").output == "4\n"


def test_assigning_to_a_local_variable_changes_the_program(sandbox):
    reply = start(sandbox, "b shop.py:14", "c", "result = 40", "cl", "c")
    assert reply.program.startswith("40 2.0\n")


def test_up_down_and_where_name_frames_relative_to_the_workspace(sandbox):
    start(sandbox, "b shop.total", "c", "c")
    assert sandbox.debug("where").output == (
        "   run.py:5 in <module>\n"
        "       print(total(shop.prices), mean(shop.prices))\n"
        "   shop.py:19 in mean\n"
        "       return total(prices) / len(prices)\n"
        "-> shop.py:8 in total\n"
        "       result = 0\n"
    )
    assert sandbox.debug("u").output.startswith("frame at shop.py:19 in mean\n")
    assert sandbox.debug("u\nu").output.endswith("*** Oldest frame\n")
    assert sandbox.debug("p Shop is not None").output == "True\n"
    assert sandbox.debug("d 5\nd").output.endswith("*** Newest frame\n")


def test_a_recursion_is_shown_in_short(sandbox):
    sandbox.debug_start(script=["deep.py"], at="failure")
    said = sandbox.debug("u 3\nwhere").output
    assert said.count("deep.py:2 in f\n") == 4  # the one that `up` went to, the first, the current, the last
    assert "frames of this recursion" in said
    assert "-> deep.py:2 in f" in said


def test_what_looks_like_a_command_is_a_statement_after_a_failure_too(sandbox):
    start(sandbox, "c")
    assert sandbox.debug("n = 3; q = 4\nq = 5\np n, q").output == "(3, 5)\n"


def test_a_return_and_an_exception_are_told(sandbox):
    assert start(sandbox, "b shop.py:14", "c", "r").output.startswith("return at shop.py:13 in total: 4\n")
    assert sandbox.debug("retval").output == "4\n"
    reply = start(sandbox, "b shop.mean, not prices", "c", "n")
    assert reply.output.startswith("exception at shop.py:19 in mean: ZeroDivisionError: division by zero\n")


def test_a_step_off_the_end_of_a_generator_that_c_code_runs(backend, make_task):
    source = "def numbers():\n    yield 1\n    done = True\n\n\nfound = list(numbers())\nprint(found)\n"
    with backend.start(make_task({"generator.py": source})) as sandbox:
        for command in ("n", "r"):
            sandbox.debug_start(script=["generator.py"], at="start")
            assert sandbox.debug("b 3\nc").stop.line == 3
            assert sandbox.debug(command).stop.line == 7


def test_display_follows_a_value(sandbox):
    start(sandbox, "b shop.py:12", "c", "display result")
    assert "display result: 1  [old: 0]\n" in sandbox.debug("n").output


def test_stepping_through_an_expression(sandbox):
    before = start(sandbox, "n", "n")
    reply = sandbox.debug("debug total([1, 2])")
    assert reply.output == "ENTERING RECURSIVE DEBUGGER\nstep at <string>:1 in <module>\n"
    assert sandbox.debug("b total\nc").stop.function == "total"
    reply = sandbox.debug("c")
    assert reply.output == "LEAVING RECURSIVE DEBUGGER\n"
    assert sandbox.debug("p 7").stop == before.stop


def test_code_that_is_in_no_file_is_not_shown_as_another_file(backend, make_task):
    files = {
        "point.py": "from dataclasses import dataclass\n\n\n@dataclass\nclass Point:\n    x: int\n",
        "run.py": "from point import Point\n\nPoint(3)\n",
    }
    with backend.start(make_task(files)) as sandbox:
        sandbox.debug_start(script=["run.py"], at="start")
        reply = sandbox.debug("n\ns")
        assert reply.stop.file == "<string>"
        assert "call at <string>" in reply.output
        assert "dataclasses" not in reply.output.partition("call at <string>")[2]


def test_jumping_leaves_lines_out(sandbox):
    reply = start(sandbox, "n", "j 4", "c")
    assert "begin" not in reply.program


def test_code_that_changed_on_disk_is_told_once(backend, make_task):
    with backend.start(make_task(FILES)) as sandbox:
        start(sandbox, "b shop.py:12", "c")
        sandbox.write("shop.py", SHOP.replace("result = 0", "result = 7").encode())
        assert (
            sandbox.debug("p 1").output == "1\nnote: shop.py changed on disk; `restart` runs the new code\n"
        )
        reply = sandbox.debug("n\nll")
        assert "note:" not in reply.output
        assert "result = 0" in reply.output


# -- breakpoints --------------------------------------------------------------------------------------------

SET = "Breakpoint 1 at shop.py:8\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("b shop.py:8", SET),
        ("b shop:8", SET),
        ("b ./shop.py:8", SET),
        ("b /workspace/shop.py:8", SET),
        ("b shop.total", SET),
        ("tbreak shop.py:total", "Temporary breakpoint 1 at shop.py:8\n"),
        ("b shop.mean, prices == []", "Breakpoint 1 at shop.py:19\n"),
        ("b shop.Shop.add", "Breakpoint 1 at shop.py:27\n"),
        (
            "b shop.py:18",
            "Breakpoint 1 at shop.py:18\n(line 18 runs when the function is defined; its body begins",
        ),
        ("b shop.py:9", "*** line 9 of shop.py is blank; the next line with code is 11\n"),
        ("b shop.py:10", "*** line 10 of shop.py is a comment; the next line with code is 11\n"),
        ("b shop.py:7", "*** line 7 of shop.py starts no statement"),
        ("b shop.py:700", "*** shop.py ends at line 28, there is no line 700\n"),
        ("b nothing.py:7", "*** there is no file nothing.py"),
        ("b shop.py:nothing", "*** there is no function nothing in shop.py\n"),
        ("b nothing", "*** there is no function or file 'nothing'"),
        ("b 7", "*** no program runs, so there is no current file"),
        ("b shop.py:8, x =", "*** the condition 'x =' is no expression"),
        ("b shop.py:8\nb shop.py:8", SET + "Nothing to do: there is a breakpoint 1 at shop.py:8 already\n"),
        (
            "b shop.py:8\nb shop.py:8, TAX",
            SET + "Breakpoint 1 at shop.py:8 existed; it now stops only if TAX\n",
        ),
        ("b", "There are no breakpoints.\n"),
        ("cl", "*** there are no breakpoints\n"),
        ("cl shop.py:8", "*** there is no breakpoint at shop.py:8\n"),
        ("cl 7", "*** Breakpoint number 7 out of range\n"),
        ("b shop.py:8\ncl shop.py:8", SET + "Deleted breakpoint 1 at shop.py:8\n"),
        ("b shop.py:8\nb shop.py:11\ncl", SET + "Breakpoint 2 at shop.py:11\nDeleted breakpoint 1"),
        ("b shop.py:8\ndisable 1", SET + "Disabled breakpoint 1 at shop.py:8\n"),
        ("b shop.py:8\ncommands\nend", SET + "Breakpoint 1 at shop.py:8 runs no commands\n"),
        ("b shop.py:8\ncommands 1", SET + "*** give the commands in the same call"),
        ("commands 4\nend", "*** cannot set commands: Breakpoint number 4 out of range\n"),
        ("where", "*** no program is being debugged\n"),
    ],
)
def test_breakpoints_without_a_program(sandbox, command, said):
    assert not sandbox.debug_start(at="idle").ended
    assert sandbox.debug(command).output.startswith(said)


def test_the_current_file_is_meant_where_none_is_named(sandbox):
    reply = start(sandbox, "b shop.py:8", "c", "b 12")
    assert reply.output == "Breakpoint 2 at shop.py:12\n"
    assert sandbox.debug("l 10, 12").output.split("\n")[2] == "  12 B            result += price"


def test_breakpoints_keep_all_that_belongs_to_them(sandbox):
    sandbox.debug_start(at="idle")
    before = sandbox.debug(
        "b shop.py:8\ntbreak shop.py:11, price > 1\nb shop.mean\ncl 1\nignore 3 2\ndisable 3\n"
        "commands 3\nsilent\np 1\nend"
    )
    assert [entry.number for entry in before.breakpoints] == [2, 3]
    sandbox.debug_start(at="idle", breakpoints=before.breakpoints)
    after = sandbox.debug("b")
    assert after.breakpoints == before.breakpoints
    assert after.output == (
        "Num Type         Disp Enb   Where\n"
        "2   breakpoint   del  yes   at shop.py:11\n"
        "\tstop only if price > 1\n"
        "3   breakpoint   keep no    at shop.py:19\n"
        "\tignore next 2 hits\n"
        "\t    silent\n"
        "\t    p 1\n"
    )
    assert sandbox.debug("b shop.py:12").output == "Breakpoint 4 at shop.py:12\n"


def test_conditions_and_ignore_counts_decide_on_stops(sandbox):
    reply = start(sandbox, "b shop.py:12, price == 3", "ignore 1 1", "c")
    assert reply.stop.line == 12
    assert sandbox.debug("where").output.startswith("   run.py:5 in <module>\n")
    assert sandbox.debug("p price, result").output == "(3, 1)\n"
    assert [entry.hits for entry in sandbox.debug("b").breakpoints] == [4]


def test_commands_of_a_breakpoint_run_each_time_it_is_hit(sandbox):
    reply = start(sandbox, "b shop.py:12\ncommands\nsilent\np price\nc\nend\nb shop.mean", "c")
    assert reply.output.startswith("1\n3\nbreakpoint 2 at shop.py:19 in mean\n")
    reply = start(sandbox, "b shop.py:12\ncommands\np price\nend", "c")
    assert reply.output.startswith("breakpoint 1 at shop.py:12 in total\n")
    assert reply.output.endswith("\n1\n")


def test_a_condition_that_fails_stops_and_is_told(sandbox):
    reply = start(sandbox, "b shop.py:12, nothing > 1", "c")
    assert "breakpoint 1 at shop.py:12 in total: its condition failed: NameError" in reply.output


def test_a_condition_is_evaluated_once_a_hit(sandbox):
    reply = start(sandbox, "seen = []", "b 5, seen.append(1) or True", "c")
    assert reply.stop.line == 5
    assert sandbox.debug("p seen").output == "[1]\n"


def test_a_condition_sees_local_variables_in_its_comprehensions(sandbox):
    reply = start(sandbox, "b shop.py:12, price > 1 and any(price == each for each in prices)", "c")
    assert reply.output.startswith("breakpoint 1 at shop.py:12 in total\n")
    assert sandbox.debug("p price").output == "3\n"


def test_a_condition_that_exits_stops_and_is_told(sandbox):
    reply = start(sandbox, "b shop.py:12, exit(3)", "c")
    assert "breakpoint 1 at shop.py:12 in total: its condition failed: SystemExit: 3" in reply.output


def test_a_condition_that_does_not_end_is_interrupted_at_its_breakpoint(sandbox):
    start(sandbox, "b shop.py:12, all(True for _ in iter(int, 1))")
    reply = sandbox.debug("c", timeout=0.3)
    assert "breakpoint 1 at shop.py:12 in total: its condition failed: KeyboardInterrupt" in reply.output
    assert sandbox.debug("cl\nn").stop.line == 11


def test_a_temporary_breakpoint_stops_once(sandbox):
    reply = start(sandbox, "tbreak shop.total", "c")
    assert reply.output.startswith("Deleted breakpoint 1 at shop.py:8\nbreakpoint 1 at shop.py:8 in total\n")
    assert reply.breakpoints == ()
    assert sandbox.debug("c").stop.reason == "post-mortem"
