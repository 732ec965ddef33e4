"""Breakpoints on the host's side: they follow their lines, whatever changed the file."""

from copy import deepcopy

import pytest

from debug_gym.sandbox import Breakpoint
from debug_gym.tools.breakpoints import Breakpoints, moved_lines

TEXT = "import os\n\n\ndef f(x):\n    y = x + 1\n    return y\n\n\ndef g():\n    return f(2)\n"


def entry(number, line, file="a.py", **fields):
    return Breakpoint(number, file, line, **fields)


def made(*entries, text=TEXT):
    points = Breakpoints()
    points.update(entries, {"a.py": text, "b.py": text})
    return points


def lines(points):
    return [point.line for point in points.entries]


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (TEXT, [5, 10]),
        ("# one\n# two\n" + TEXT, [7, 12]),
        (TEXT.replace("\n\n\ndef g", "\ndef g"), [5, 8]),
        (TEXT.replace("import os\n", ""), [4, 9]),
        (TEXT.replace("    y = x + 1\n", "    y = x - 1\n"), [10]),
        (TEXT.replace("    y = x + 1\n    return y\n", "    return x + 1\n"), [9]),
        (TEXT.replace("\n", "\r\n"), [5, 10]),
        (TEXT[:-1], [5, 10]),
        (TEXT + TEXT, [5, 10]),
        ("", []),
    ],
)
def test_they_follow_their_lines(new, expected):
    points = made(entry(1, 5), entry(2, 10))
    points.follow(lambda path: new)
    assert lines(points) == expected


def test_those_in_files_outside_of_the_workspace_stay():
    points = made(entry(1, 5, "/usr/lib/python3/copy.py"))
    assert points.follow({}.get) == []
    assert lines(points) == [5]


def test_what_moved_and_what_is_gone_is_told():
    points = made(entry(1, 5, condition="x > 1"), entry(2, 6), entry(3, 5, "b.py"))
    remarks = points.follow({"a.py": "# new\n" + TEXT.replace("return y", "return -y")}.get)
    assert remarks == [
        "breakpoint 1 followed its line from a.py:5 to a.py:6",
        "breakpoint 2 at a.py:6 is gone: its line was changed or removed",
        "breakpoint 3 at b.py:5 is gone: the file is gone",
    ]
    assert points.entries == (entry(1, 6, condition="x > 1"),)


def test_following_twice_changes_nothing_more():
    points = made(entry(1, 5))
    new = "# new\n" + TEXT
    assert points.follow(lambda path: new)
    assert points.follow(lambda path: new) == []
    assert lines(points) == [6]


def test_lines_are_those_of_the_present_text():
    points = made(entry(1, 5), entry(2, 10), entry(3, 1, "b.py"))
    assert points.lines("a.py") == {5, 10}
    assert points.lines("a.py", "# new\n" + TEXT) == {6, 11}
    assert points.lines("a.py", TEXT.replace("y = x + 1", "y = 0")) == {10}
    assert points.lines("c.py", TEXT) == set()
    assert lines(points) == [5, 10, 1]


def test_a_report_in_the_programs_old_lines_is_understood():
    points = made(entry(1, 5))
    changed = "# new\n" + TEXT
    assert points.lines("a.py", changed) == {6}
    points.update([entry(1, 5, hits=3), entry(2, 6)], {})  # by a program that runs the old text
    assert points.lines("a.py", changed) == {6, 7}
    points.follow(lambda path: changed)
    assert lines(points) == [6, 7]


def test_copies_are_independent():
    points = made(entry(1, 5))
    copy = deepcopy(points)
    copy.follow(lambda path: None)
    assert lines(points) == [5]
    assert lines(copy) == []


def test_disabled_ones_do_not_count_as_active():
    assert made(entry(1, 5)).active
    assert not made(entry(1, 5, enabled=False)).active
    assert not made().active


def test_large_files_are_compared_in_little_time():
    old = [f"line {number % 977}" for number in range(20_000)]
    new = ["first", *old[:9_000], "between", *old[9_100:]]
    moved = moved_lines(old, new)
    assert moved[1] == 2
    assert moved[9_000] == 9_001
    assert moved[20_000] == len(new)
