"""The debugger's parts, each by itself."""

import bdb
import sys
from collections import deque
from pathlib import Path

import pytest

from debug_gym.sandbox.server.debug import commands
from debug_gym.sandbox.server.debug.activity import Activity
from debug_gym.sandbox.server.debug.breakpoints import Breakpoints
from debug_gym.sandbox.server.debug.conversation import Conversation
from debug_gym.sandbox.server.debug.exception_chain import ExceptionChain
from debug_gym.sandbox.server.debug.locations import Locator
from debug_gym.sandbox.server.debug.output import Output
from debug_gym.sandbox.server.debug.places import Places
from debug_gym.sandbox.server.debug.settings import Settings
from debug_gym.sandbox.server.debug.sources import Sources
from debug_gym.sandbox.server.debug.statements import as_statement, take_statement
from debug_gym.sandbox.server.debug.stepping import Stepper, set_trace_function
from debug_gym.sandbox.server.wire import Channel
from debug_gym.task import Environment

PROGRAM = """def double(n):
    m = n * 2
    return m


class Shop:
    def price(self):
        return 3


total = 0
for i in range(3):
    total += double(i)
"""


@pytest.fixture
def places(tmp_path, monkeypatch):
    (tmp_path / "shop.py").write_text(PROGRAM)
    monkeypatch.setattr(bdb.Breakpoint, "next", 1)
    monkeypatch.setattr(bdb.Breakpoint, "bplist", {})
    monkeypatch.setattr(bdb.Breakpoint, "bpbynumber", [None])
    return Places(str(tmp_path))


@pytest.fixture
def points(places):
    return Breakpoints(places, Sources())


def test_breakpoints_count_and_ignore_with_no_debugger(points, tmp_path):
    path = str(tmp_path / "shop.py")
    point = points.add(path, 2, False, "n > 0")
    point.ignore = 1
    hits = []

    class Program(bdb.Bdb):
        def user_line(self, frame):
            hit = points.hit(frame, lambda condition, frame: eval(condition, frame.f_globals, frame.f_locals))
            hits.extend([(hit.number, frame.f_locals["n"])] if hit else [])

    Program().run(compile(PROGRAM, path, "exec"), {})
    assert hits == [(1, 2)]  # 0 does not hold, 1 is ignored
    assert (point.hits, point.ignore) == (3, 0)


def test_breakpoints_are_the_same_after_a_journey_as_plain_data(points, places):
    points.add(places.workspace + "shop.py", 3, True, "m == 4")
    points.add(places.workspace + "shop.py", 12, False, None).enabled = False
    points.scripts[2] = ["p i", "c"]
    report, output = points.report(), Output(1000)
    points.replace(report, output)
    assert points.report() == report
    assert points.wanted() == {places.workspace + "shop.py": frozenset([3])}
    points.replace([{**report[0], "line": 99}], output)
    assert points.report() == []
    assert output.take().startswith("*** breakpoint 1 is gone")


@pytest.mark.parametrize(
    ("place", "line"),
    [("shop.py:2", 2), ("shop:double", 2), ("shop.Shop.price", 8), ("shop.py:price", 8), ("shop.double", 2)],
)
def test_places_are_found_with_no_program(places, place, line):
    locator = Locator(places, Sources(), lambda name: None)
    assert locator.locate(place, None) == (places.workspace + "shop.py", line)


@pytest.mark.parametrize("place", ["shop.py:4", "shop.py:99", "nowhere.py:1", "nothing", "3"])
def test_places_that_cannot_stop_a_program_are_refused(places, place):
    with pytest.raises(ValueError, match=r"blank|ends at line|no file|no function|no program"):
        Locator(places, Sources(), lambda name: None).locate(place, None)


class Recorder(Stepper):
    """Steps with no pdb: three lines into each stop, then out."""

    def __init__(self, places, points, activity):
        super().__init__(places, Sources(), points, activity, nested=True)
        self.seen = []

    def user_line(self, frame):
        self.seen.append((frame.f_code.co_name, frame.f_lineno, self.hit.number if self.hit else None))
        self.hit = None
        if len(self.seen) % 3:
            self.set_next(frame)
        else:
            self.set_continue()
        self.resume(frame)


def test_stepping_stands_by_itself(points, places):
    points.add(places.workspace + "shop.py", 2, False, "n != 1")
    stepper = Recorder(places, points, Activity(Conversation(Channel(-1, -1), 1000)))
    code, before = compile(PROGRAM, places.workspace + "shop.py", "exec"), sys.gettrace()
    try:
        stepper.reset()
        stepper.botframe = sys._getframe()
        stepper.set_continue()
        stepper.resume(sys._getframe())
        exec(code, {})
    finally:
        set_trace_function(before)
    assert stepper.seen == [
        ("double", 2, 1),
        ("double", 3, None),
        ("<module>", 12, None),
        ("double", 2, 1),
        ("double", 3, None),
        ("<module>", 12, None),
    ]


def test_an_interrupt_ends_what_is_at_work():
    conversation = Conversation(Channel(-1, -1), 1000)
    activity = Activity(conversation)
    assert activity.interrupt()  # the program itself
    with activity.judgement(), pytest.raises(KeyboardInterrupt):
        activity.interrupt()
    conversation.lines.append("p 1")
    conversation.waiting = True
    assert not activity.interrupt()
    assert list(conversation.lines) == ["p 1"]
    conversation.waiting, conversation.closed = False, True
    assert not activity.interrupt()
    assert not activity.may_stop()


def test_exceptions_are_chosen_by_number_or_by_expression(places):
    kept = ValueError("kept")
    try:
        raise kept
    except ValueError:
        pass
    try:
        try:
            {}["a"]
        except KeyError as error:
            raise TypeError("b") from error
    except TypeError as error:
        chain = ExceptionChain(error, places)
    assert chain.describe().startswith("TypeError: b\n(one of 2")
    chain.select("0", int)
    assert isinstance(chain.current, KeyError)
    chain.select("result.error", lambda text: kept)
    assert chain.table().endswith(">   2 ValueError('kept')")
    for wrong in ("7", "x"):
        with pytest.raises(ValueError, match=r"No exception|must be an integer"):
            chain.select(wrong, lambda text: None)


def test_settings_keep_the_aliases_of_whoever_shares_them():
    settings, output = Settings(), Output(1000)
    shared = settings.aliases
    settings.restore({"changes": True, "aliases": {"hi": "p 1"}})
    assert (settings.changes, settings.machinery, shared) == (True, False, {"hi": "p 1"})
    assert settings.command("machinery on", output) == "machinery"
    assert settings.command("changes maybe", output) is None
    assert output.take().startswith("machinery: on\n*** say")


@pytest.mark.parametrize("line", ["c = 5", "n == 3", "s *= 2", "r(1)", "a, b = 1, 2", "ll = []"])
def test_what_only_looks_like_a_command_is_a_statement(line):
    marked = as_statement(line)
    assert marked == "!" + line or line.split()[0] not in commands.BY_WORD


def test_a_statement_takes_the_lines_that_belong_to_it():
    following = deque(["    print(i)", "else:", "    pass", "p 1"])
    assert take_statement("for i in x:", following) == "for i in x:\n    print(i)\nelse:\n    pass"
    assert list(following) == ["p 1"]


def test_the_table_knows_every_command_of_every_pdb(backend, make_task, python):
    source = "import pdb\nprint(*(name[3:] for name in dir(pdb.Pdb) if name.startswith('do_')))\n"
    with backend.start(make_task({"run.py": source}, environment=Environment(python=python))) as sandbox:
        names = sandbox.exec([python or sys.executable, "run.py"]).output.split()
    assert len(names) > 50
    assert set(names) <= commands.BY_WORD.keys()


def test_the_documentation_has_the_table():
    text = (Path(__file__).parents[2] / "docs/debugger.md").read_text()
    for command in commands.COMMANDS:
        usage = command.argument and f"`{command.argument}`".replace("|", "\\|")
        names = ", ".join(f"`{name}`" for name in command.names)
        assert f"| {names} | {usage} | {command.help} |\n" in text
