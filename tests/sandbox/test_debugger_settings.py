"""What can be switched on in the debugger, and what of it outlives a program."""

import pytest

SHOP = """class Shop:
    def __init__(self):
        self.prices = []

    def add(self, price):
        tax = price // 2
        self.prices.append(price + tax)
        return self


def countdown(n):
    if n:
        countdown(n - 1)
    return n


def main():
    shop = Shop()
    for price in (2, 5):
        shop.add(price)
    del price
    many = list(range(500))
    many.append(0)
    countdown(2)


main()
"""
TESTS = """from shop import Shop


def test_shop():
    assert Shop().add(2).prices == [2]
"""
ENDLESS = """class Slow:
    def __repr__(self):
        while True:
            pass


slow = Slow()
done = 1
"""


@pytest.fixture(scope="module")
def sandbox(backend, make_task):
    files = {"shop.py": SHOP, "test_shop.py": TESTS.replace("shop import", "lib import"), "slow.py": ENDLESS}
    with backend.start(make_task({**files, "lib.py": SHOP.replace("\nmain()\n", "")})) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def as_at_first(sandbox):
    yield
    sandbox.debug_start(at="idle")
    sandbox.debug("set changes off\nset machinery off\nunalias hi")


def start(sandbox, *commands, script="shop.py"):
    reply = sandbox.debug_start(script=[script], at="start")
    for command in commands:
        reply = sandbox.debug(command)
    return reply


def changes(reply):
    return [line.strip() for line in reply.output.split("\n") if line.startswith("    ") and "  (" in line]


# -- variables that changed ------------------------------------------------------------------------


def test_each_stop_lists_the_variables_that_changed(sandbox):
    first = start(sandbox, "set changes on\nb 7\nc")
    assert changes(first) == [
        "self = <__main__.Shop object at 0x"
        + first.output.partition(" at 0x")[2].partition(">")[0]
        + ">  (new)",
        "price = 2  (new)",
        "tax = 1  (new)",
        "self.prices = []  (new)",
    ]
    assert changes(sandbox.debug("n")) == ["self.prices = [3]  (was [])"]
    assert changes(sandbox.debug("c")) == ["price = 5  (was 2)", "tax = 2  (was 1)"]


def test_a_variable_that_is_gone_and_a_long_value(sandbox):
    start(sandbox, "set changes on\nb 21\nc")
    assert changes(sandbox.debug("n")) == ["price  (gone)"]
    assert changes(sandbox.debug("n"))[0].startswith("many = [0, 1, 2,")
    (change,) = changes(sandbox.debug("n"))
    assert "498, 499, 0]  (was [0, 1, 2," in change
    assert len(change) < 250


def test_the_calls_of_a_recursion_are_told_apart(sandbox):
    start(sandbox, "set changes on\nb 12\nc")
    seen = [changes(sandbox.debug(command)) for command in ("c", "c", "cl\nr", "n", "n")]
    assert seen == [["n = 1  (new)"], ["n = 0  (new)"], [], [], []]


def test_nothing_is_listed_unless_it_was_asked_for(sandbox):
    assert changes(start(sandbox, "b 7\nc")) == []
    assert changes(sandbox.debug("set changes on"))[1:] == [
        "price = 2  (new)",
        "tax = 1  (new)",
        "self.prices = []  (new)",
    ]
    assert changes(sandbox.debug("set changes off\nn")) == []


def test_commands_that_go_on_by_themselves_list_them_unless_they_are_silent(sandbox):
    reply = start(sandbox, "set changes on\nb 7\ncommands\nc\nend\nb 21\nc")
    assert "price = 5  (was 2)" in changes(reply)
    reply = start(sandbox, "b 7\ncommands\nsilent\nc\nend\nb 21\nc")
    assert "price = 5  (was 2)" not in changes(reply)


def test_a_repr_that_does_not_end_is_interrupted(sandbox):
    start(sandbox, "set changes on\nb 8", script="slow.py")
    reply = sandbox.debug("c", timeout=0.2)
    assert "*** showing the changed variables took too long\n" in reply.output
    assert reply.stop.line == 8
    assert sandbox.debug("p done").output.startswith("*** NameError")


# -- machinery --------------------------------------------------------------------------------------


def test_machinery_is_shown_on_request(sandbox):
    sandbox.debug_start(test="test_shop.py::test_shop", at="start")
    plain = sandbox.debug("where").output
    assert plain.startswith("-> test_shop.py:5 in test_shop\n")
    shown = sandbox.debug("set machinery on\nwhere").output
    assert "/_pytest/" in shown
    assert shown.endswith("\n" + plain)
    assert "/_pytest/python.py:" in sandbox.debug("up").output
    assert sandbox.debug("set machinery off\nwhere").output == "machinery: off\n" + plain


def test_machinery_stays_shown_at_the_next_stop(sandbox):
    start(sandbox, "set machinery on")
    assert "mainprogram.py" not in sandbox.debug("n\nwhere").output
    assert "debug/program.py" in sandbox.debug("where").output
    assert sandbox.debug("s").stop.file == "shop.py"  # stepping leaves it out all the same


# -- settings and programs -----------------------------------------------------------------------------


def test_settings_are_listed(sandbox):
    sandbox.debug_start(at="idle")
    assert sandbox.debug("set changes on\nset").output.split("\n")[1:3] == [
        "changes    on   (on: each stop lists the local variables that changed since the one before)",
        "machinery  off  (on: where, up and down also show pytest, the import system, asyncio's loop and the "
        "debugger)",
    ]


@pytest.mark.parametrize("command", ["set changes", "set nothing on", "set changes maybe", "set a b c"])
def test_a_wrong_setting_is_explained(sandbox, command):
    assert start(sandbox, command).output.startswith("*** say  set changes on|off  or  set machinery on|off")


def test_settings_and_aliases_outlive_the_program(sandbox):
    start(sandbox, "set changes on\nalias hi p 'hi', %1", "q")
    assert changes(start(sandbox, "b 7\nc"))
    assert sandbox.debug("hi 3").output == "('hi', 3)\n"


def test_settings_and_aliases_are_those_of_now_after_going_back(sandbox):
    start(sandbox, "b 7\nc", "alias hi p 'hi'\nset changes on\nc")
    back = sandbox.debug("back\nhi")
    assert back.output.endswith("\n'hi'\n")
    assert "price = 2  (new)" in changes(back)
    sandbox.debug("unalias hi\nset changes off")
    assert sandbox.debug("import os; os._exit(1)").stop == back.stop
    assert sandbox.debug("hi").output.startswith("*** NameError")


def test_what_is_displayed_goes_back_with_the_program(sandbox):
    start(sandbox, "b 7\nc", "display tax", "n")
    assert "display tax" not in sandbox.debug("back 1\ndisplay").output
