"""The pdb tool, as an agent uses it, in a live sandbox."""

import ast
import re
from copy import deepcopy
from pathlib import Path

import pytest

from debug_gym.task import Tests
from debug_gym.tools.base import Session

SHOP = '''"""A shop."""


def total(prices):
    result = 0
    for price in prices:
        result += price
    return result


def mean(prices):
    return total(prices) / len(prices)
'''
TESTS = """from shop import mean, total


def test_total():
    print("summing", [1, 2])
    assert total([1, 2]) == 3


def test_mean():
    assert mean([1, 3]) == 2
    assert mean([]) == 0


def test_object():
    thing = object()
    assert thing is None
"""
FILES = {
    "shop.py": SHOP,
    "tests/test_shop.py": "import sys\n\nsys.path.insert(0, '.')\n" + TESTS,
    "main.py": "import sys\n\nprint('arguments', sys.argv[1:])\nfor n in iter(int, 1):\n    pass\n",
}
FAILED = "post-mortem at shop.py:12 in mean: ZeroDivisionError: division by zero"


@pytest.fixture
def session(make_session):
    return make_session(FILES)


@pytest.fixture
def pdb(call, session):
    return lambda command, **arguments: call(session, "pdb", command=command, **arguments)


def lines_of(seen):
    return seen.text.split("\n")


# -- starting -------------------------------------------------------------------------------------


def test_the_first_command_starts_the_suite_and_stops_at_the_first_failure(pdb):
    seen = pdb("p prices")
    lines = lines_of(seen)
    assert lines[0] == "started the test suite, to stop at the failure"
    assert FAILED in lines
    assert "  12  ->      return total(prices) / len(prices)" in lines
    assert lines[-3:] == ["[]", "--- the program wrote ---", "summing [1, 2]"]
    stop = {"file": "shop.py", "line": 12, "function": "mean", "reason": "post-mortem"}
    assert seen.data == {
        "stop": stop,
        "ended": False,
        "exit_code": None,
        "interrupted": False,
        "breakpoints": [],
    }
    assert not seen.error


def test_the_first_failing_test_of_the_last_eval_is_the_default(call, session, pdb):
    call(session, "eval")
    assert lines_of(pdb("where"))[0] == "started tests/test_shop.py::test_mean, to stop at the failure"


def test_a_test_that_is_named(pdb):
    seen = pdb("n", test="tests/test_shop.py::test_total", at="start")
    assert "start at tests/test_shop.py:8 in test_total" in seen.text
    assert seen.data["stop"]["line"] == 9
    assert seen.text.endswith("--- the program wrote ---\nsumming [1, 2]")


def test_going_on_to_the_failure_is_what_starting_does(pdb):
    seen = pdb("c", test="tests/test_shop.py::test_mean", at="failure")
    assert seen.data["stop"]["reason"] == "post-mortem"


def test_a_script_with_arguments_and_restarted_with_others(pdb):
    assert pdb("p sys.argv", script=["main.py", "a"], at="start").text.count("*** NameError") == 1
    assert pdb("n\np sys.argv").text.endswith("['main.py', 'a']")
    assert pdb("restart b c\nn\np sys.argv").text.endswith("['main.py', 'b', 'c']")
    assert pdb("restart\nn\nn").text.endswith("--- the program wrote ---\narguments ['b', 'c']")


def test_tests_that_are_a_script(make_session, call):
    session = make_session(FILES, tests=Tests(command=("python", "main.py", "--all")))
    assert call(session, "pdb", command="n\nsys.argv", at="start").text.endswith("['main.py', '--all']")
    session = make_session(FILES, tests=Tests(command=("make", "test")))
    seen = call(session, "pdb", command="where")
    assert seen.error
    assert "name what to debug by `script`" in seen.text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"command": "q"}, "no program is being debugged"),
        ({"command": "n", "test": "a", "script": ["b"]}, "name a test or a script, not both"),
        ({"command": "n", "test": "--pdb"}, "is not a test id"),
        ({"command": "n", "at": "end"}, "at: Input should be"),
        ({"command": "n", "timeout": 0}, "timeout: "),
        ({"command": "restart 1"}, "only a script takes arguments"),
        ({"command": "n", "where": 1}, "where: Extra inputs"),
    ],
)
def test_wrong_calls_are_explained(call, session, arguments, says):
    seen = call(session, "pdb", **arguments)
    assert seen.error
    assert says in seen.text


@pytest.mark.parametrize("arguments", [{}, {"command": " \n "}, {"at": "failure"}])
def test_without_a_command_the_program_is_started(call, session, arguments):
    seen = call(session, "pdb", **arguments)
    assert seen.text.startswith("started ")
    assert seen.data["stop"]["reason"] == "post-mortem"
    again = call(session, "pdb", command="")
    assert again.error
    assert "the command is empty" in again.text


def test_settings_and_aliases_come_along_to_a_fork_of_the_episode(call, session, pdb):
    pdb("set machinery on\nalias hi p 'hi', %1")
    with session.sandbox.fork() as forked:
        other = Session(sandbox=forked, task=session.task, state=deepcopy(session.state))
        assert "machinery  on " in call(other, "pdb", command="set").text
        assert "('hi', 3)" in call(other, "pdb", command="hi 3").text
        call(other, "pdb", command="set machinery off")
    assert "machinery  on " in pdb("set").text


def test_a_test_that_does_not_exist(pdb):
    seen = pdb("where", test="tests/test_shop.py::test_nothing")
    assert "pytest ran no test" in seen.text
    assert "not found" in seen.text
    assert "not executed, because the program ended: where" in seen.text
    assert seen.data["ended"]


def test_a_test_that_passes_ends(pdb):
    seen = pdb("where", test="tests/test_shop.py::test_total")
    assert "tests: 1 passed\nthe program ended with exit code 0" in seen.text
    assert seen.data["exit_code"] == 0


# -- going on ---------------------------------------------------------------------------------------


def test_one_session_over_several_calls(pdb):
    pdb("b shop.py:7")
    assert pdb("c").data["stop"]["line"] == 7
    assert pdb("p result").text == "0"
    assert pdb("n").data["stop"] == {"file": "shop.py", "line": 6, "function": "total", "reason": "step"}
    assert pdb("p result").text == "1"
    seen = pdb("cl 1\nc\nc\nc")
    assert "tests: 2 failed, 1 passed" in seen.text
    assert seen.data["ended"]
    assert pdb("p 1").text.startswith("started the test suite")  # and once more from the start


def test_an_endless_program_is_interrupted(pdb):
    seen = pdb("c", script=["main.py"], at="start", timeout=0.3)
    assert seen.data["interrupted"]
    assert seen.data["stop"]["file"] == "main.py"
    assert "[interrupted after 0.3 s; `c` goes on from here]" in seen.text
    assert pdb("p 6 * 7").text == "42"


def test_what_comes_after_a_command_that_took_too_long_is_named_and_not_executed(pdb):
    pdb("b 1", script=["main.py"], at="start")
    seen = pdb("c\np 6 * 7\n\np 6 * 8\nrestart\nc", timeout=0.3)
    assert seen.data["interrupted"]
    assert "not executed, because the time was over: p 6 * 7; p 6 * 8" in seen.text
    assert "not executed, because the time was over: restart; c" in seen.text
    assert pdb("p 6 * 7").text == "42"


def test_quitting_keeps_the_breakpoints(pdb):
    pdb("b shop.py:7\nc")
    seen = pdb("q")
    assert seen.text == "the debugger has ended; the breakpoints stay"
    assert "at shop.py:7" in pdb("b").text


def test_the_text_is_the_same_every_time(call, make_session):
    texts = []
    for _ in range(2):
        session = make_session(FILES)
        arguments = {"command": "p thing, [object()], thing", "test": "tests/test_shop.py::test_object"}
        texts.append(call(session, "pdb", **arguments).text)
    assert texts[0] == texts[1]
    assert "<object object at 0x" in texts[0]


def test_control_characters_are_made_visible(pdb):
    seen = pdb("print(chr(27) + '[31m')", script=["main.py"], at="start")
    assert seen.text.endswith("\\x1b[31m")


# -- breakpoints --------------------------------------------------------------------------------------


def test_breakpoints_are_set_and_refused_before_anything_runs(pdb):
    assert pdb("b shop.py:7, price > 1").text == "Breakpoint 1 at shop.py:7"
    assert pdb("b shop.py:7").text.startswith("Nothing to do: there is a breakpoint 1 at shop.py:7 already")
    assert pdb("b shop.py:2").text == "*** line 2 of shop.py is blank; the next line with code is 4"
    seen = pdb("b")
    assert seen.text.endswith("1   breakpoint   keep yes   at shop.py:7\n\tstop only if price > 1")
    assert [(point["line"], point["condition"]) for point in seen.data["breakpoints"]] == [(7, "price > 1")]
    assert pdb("cl").text == "Deleted breakpoint 1 at shop.py:7"


def test_breakpoints_in_installed_packages_are_kept(call, make_session):
    session = make_session({"main.py": "import json\n\njson.loads('[1]')\n"})
    seen = call(session, "pdb", command="b json.loads\nwhere", script=["main.py"])
    assert seen.data["stop"]["function"] == "loads"
    assert seen.data["stop"]["file"].endswith("/json/__init__.py")
    assert "gone" not in call(session, "pdb", command="restart").text


@pytest.mark.parametrize("settings", ["[pytest]\npythonpath = src\n", "[pytest]\n"])
def test_a_package_of_the_workspace_comes_before_an_installed_one(call, make_session, settings):
    session = make_session({"src/iniconfig/__init__.py": "def parse():\n    pass\n", "pytest.ini": settings})
    for command in ("b iniconfig.parse", "b iniconfig:parse"):
        seen = call(session, "pdb", command=f"{command}\ncl")
        assert seen.text.startswith("Breakpoint 1 at src/iniconfig/__init__.py:2\n")


def test_breakpoints_and_the_start_in_one_text(pdb):
    seen = pdb("b shop.py:7;; b shop.py:8\ncommands 1\nsilent\np price\nc\nend\nc\nwhere")
    lines = lines_of(seen)
    assert lines[:3] == [
        "Breakpoint 1 at shop.py:7",
        "Breakpoint 2 at shop.py:8",
        "Breakpoint 1 at shop.py:7 runs 3 commands",
    ]
    assert lines[3] == "started the test suite, to stop at a breakpoint or failure"
    assert lines[4:7] == ["1", "2", "breakpoint 2 at shop.py:8 in total"]
    assert "-> shop.py:8 in total" in lines


def test_they_survive_restarts_with_all_that_belongs_to_them(pdb):
    pdb("tbreak shop.py:5\nb shop.py:7, price == 2\nignore 2 0\nb shop.py:12\ndisable 3")
    assert pdb("c").data["stop"]["reason"] == "breakpoint 1"
    seen = pdb("restart")
    assert seen.data["stop"]["reason"] == "breakpoint 2"
    assert [point["number"] for point in seen.data["breakpoints"]] == [2, 3]
    assert [point["enabled"] for point in seen.data["breakpoints"]] == [True, False]
    assert pdb("p price").text == "2"


def test_they_survive_a_crash_and_a_kill(pdb):
    pdb("b shop.py:7")
    died = pdb("import os; os._exit(3)", script=["main.py"], at="start")
    assert "the program ended with exit code 3\nback at the last stop, 1;" in died.text
    assert pdb("b").data["breakpoints"][0]["line"] == 7
    killed = pdb("sum(range(10**13))", timeout=0.1)
    assert (killed.data["ended"], killed.data["stop"]["line"]) == (False, died.data["stop"]["line"])
    assert "`c` goes on from here" not in killed.text
    assert pdb("b").data["breakpoints"][0]["line"] == 7


def test_going_back_after_the_end(pdb):
    assert pdb("back").text == "no program is being debugged"
    failed = pdb("p 1")
    assert pdb("c\nc").data["ended"]
    assert pdb("back 9").text == "*** there are only 2 earlier stops to go back to"
    back = pdb("goto 1\np prices")
    assert back.data["stop"] == failed.data["stop"]
    assert back.text.endswith("\n[]")
    assert pdb("b shop.py:7").data["breakpoints"][0]["line"] == 7
    assert pdb("q").data["ended"]
    assert pdb("checkpoints").text == "no program is being debugged"


def test_breakpoints_that_are_set_after_the_end_leave_the_way_back(pdb):
    failed = pdb("p 1")
    assert pdb("c\nc").data["ended"]
    set_ = pdb("b shop.py:7\ncommands 1\np price\nend\nb")
    assert set_.text.startswith("Breakpoint 1 at shop.py:7\nBreakpoint 1 at shop.py:7 runs 1 command\n")
    assert pdb("checkpoints").text.count("\n") == 2
    back = pdb("alias hi p 'hi'\nback 2\nhi")
    assert back.data["stop"] == failed.data["stop"]
    assert back.text.endswith("\n'hi'")
    assert [point["commands"] for point in back.data["breakpoints"]] == [["p price"]]
    assert pdb("restart").data["stop"]["reason"] == "breakpoint 1"


def test_breakpoints_beside_a_test_are_set_before_it_starts(pdb):
    seen = pdb("b shop.py:7, price == 2\np price", test="tests/test_shop.py::test_total")
    assert lines_of(seen)[:2] == [
        "Breakpoint 1 at shop.py:7",
        "started tests/test_shop.py::test_total, to stop at a breakpoint or failure",
    ]
    assert "\n2\n--- the program wrote" in seen.text
    seen = pdb("b 9", test="tests/test_shop.py::test_total", at="start")
    assert seen.text.endswith("\nBreakpoint 2 at tests/test_shop.py:9")


def test_restart_among_other_commands(pdb):
    pdb("b shop.py:7\nc")
    seen = pdb("cl\n\nb shop.py:5\nrestart\nn\n\np prices")
    assert lines_of(seen)[:4] == [
        "Deleted breakpoint 1 at shop.py:7",
        "Breakpoint 2 at shop.py:5",
        "started the test suite, to stop at a breakpoint or failure",
        "breakpoint 2 at shop.py:5 in total",
    ]
    assert seen.data["stop"]["line"] == 6
    assert "[1, 2]\n--- the program wrote" in seen.text
    assert pdb("q\nrestart").data["stop"]["reason"] == "breakpoint 2"


@pytest.mark.parametrize("tool", ["rewrite", "bash", "sandbox"])
def test_they_follow_their_lines_whatever_changed_the_file(call, session, pdb, tool):
    pdb("b shop.py:7\nb shop.py:12\nc")
    changed = SHOP.replace('"""A shop."""', '"""A shop."""\nTAX = 1').replace(
        "/ len(prices)", "/ max(len(prices), 1)"
    )
    if tool == "rewrite":
        last = changed.split("\n")[-2]
        call(session, "rewrite", path="shop.py", start=12, content=last)
        call(session, "rewrite", path="shop.py", start=1, content='"""A shop."""\nTAX = 1')
    elif tool == "bash":
        call(session, "bash", command=f"cat > shop.py <<'EOF'\n{changed}EOF")
    else:
        session.sandbox.write("shop.py", changed.encode())
    assert session.sandbox.read("shop.py").decode() == changed
    assert pdb("p 1").text == "1\nnote: shop.py changed on disk; `restart` runs the new code"
    seen = pdb("restart")
    assert lines_of(seen)[:2] == [
        "breakpoint 1 followed its line from shop.py:7 to shop.py:8",
        "breakpoint 2 at shop.py:12 is gone: its line was changed or removed",
    ]
    assert seen.data["stop"]["line"] == 8
    assert "   8 B->          result += price" in seen.text


def test_view_marks_them(call, session, pdb):
    pdb("b shop.py:7")
    assert "B>  7\t        result += price" in call(session, "view", path="shop.py").text


def test_a_fork_of_the_episode_has_the_breakpoints_but_not_the_program(call, session, pdb):
    pdb("b shop.py:7\nc")
    with session.sandbox.fork() as forked:
        other = Session(sandbox=forked, task=session.task, state=deepcopy(session.state))
        seen = call(other, "pdb", command="p price")
        assert lines_of(seen)[0] == "started the test suite, to stop at a breakpoint or failure"
        call(other, "pdb", command="cl")
    assert pdb("p price").text == "1"
    assert len(pdb("b").data["breakpoints"]) == 1


# -- the documentation ------------------------------------------------------------------------------------

GUIDE = Path(__file__).parents[2] / "docs" / "debugger.md"


def test_the_session_in_the_documentation_is_a_real_one(make_session, call):
    blocks = re.findall(r"^```(python|pdb)\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    session = make_session({"README": ""})
    shown = 0
    for kind, block in blocks:
        if kind == "python":
            path, _, text = block.removeprefix("# ").partition("\n")
            session.sandbox.write(path, text.encode())
            continue
        for step in re.split(r"^>>> pdb\((.*)\)\n", block, flags=re.MULTILINE)[1:]:
            if shown % 2 == 0:
                command = ast.literal_eval(step)
            else:
                assert call(session, "pdb", command=command).text + "\n" == step, command
            shown += 1
    assert shown > 10
