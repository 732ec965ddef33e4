"""The game without a screen: what its player sees after each call."""

import pytest

from debug_gym.episode import ToolCall
from debug_gym.store.records import Run
from debug_gym.terminal.place import written
from debug_gym.terminal.workspace import change
from debug_gym.tools.base import Toolbox


def say(game, line):
    return game.play(game.grammar.parse(line, debugging=game.debugging))


def test_stops_breakpoints_and_tests_are_followed(make_game):
    game = make_game()
    assert "Sums are wrong." in game.problem
    assert game.files == ("calc.py", "tests/test_calc.py")
    say(game, "eval")
    assert game.tests == (1, 3)
    say(game, "b calc.py:3")
    step = say(game, "c")
    assert (game.place.file, game.place.line, game.place.function) == ("calc.py", 3, "add")
    assert (game.source.path, game.source.current, dict(game.source.points)) == ("calc.py", 3, {3: 1})
    assert written(step).strip() == "adding 2 3"
    say(game, "n")
    assert game.source.current == 4
    say(game, "back")
    assert game.source.current == 3
    say(game, "up")
    assert game.source.path == "tests/test_calc.py"
    say(game, "q")
    assert not game.debugging
    assert game.source.current == 0


def test_the_test_that_the_debugger_has_stopped_in_is_known_before_any_was_run(make_game):
    game = make_game()
    assert game.tests == (0, 0)
    say(game, "c")
    (test,) = game.outcomes
    assert game.outcomes == {test: "failed"} and test.startswith("tests/test_calc.py::")
    say(game, "q")
    say(game, "eval")
    assert game.tests == (1, 3)


def test_marks_move_with_their_lines_when_the_file_is_edited(make_game):
    game = make_game()
    say(game, "b calc.py:3")
    say(game, "c")
    game.play(change("calc.py", game.source.text, "# new\n" + game.source.text))
    assert game.source.text.startswith("# new\n")
    assert (game.source.current, dict(game.source.points)) == (4, {4: 1})
    say(game, "n")
    assert (game.place.line, game.source.current) == (4, 5)  # the program still runs the old lines
    say(game, "restart")
    assert (game.place.line, game.source.current) == (4, 4)
    say(game, "view calc.py 8")
    assert (game.source.line, game.source.current) == (8, 4)


def test_looking_elsewhere_is_left_alone_until_the_program_moves(make_game):
    game = make_game()
    say(game, "c")
    say(game, "view calc.py:7")
    say(game, "p add")
    say(game, "b calc.py:8")
    assert (game.source.path, game.source.line, set(game.source.points)) == ("calc.py", 7, {8})
    say(game, "restart")
    assert (game.source.path, game.source.current) == ("tests/test_calc.py", 9)


def test_one_test_changes_the_outcome_of_one(make_game):
    game = make_game()
    say(game, "eval")
    say(game, "replace calc.py 'a - b' 'a + b'")
    say(game, "eval tests/test_calc.py::test_add")
    assert game.outcomes["tests/test_calc.py::test_add"] == "passed"
    assert game.outcomes["tests/test_calc.py::test_double"] == "failed"
    assert game.tests == (2, 3)


def test_an_attempt_is_kept_like_those_of_agents(make_game, tmp_path):
    game = make_game()
    say(game, "replace calc.py 'a - b' 'a + b'")
    say(game, "submit")
    assert game.result.status == "resolved"
    assert game.verdict.resolved
    assert "+    result = a + b" in game.end.patch
    trajectory = Run.open(tmp_path / "run").trajectory("calc")
    assert [step.call.name for step in trajectory.steps] == ["replace", "submit"]
    assert trajectory.agent == "human"


def test_what_cannot_be_shown_is_said(make_game, repository):
    (repository / "data.bin").write_bytes(b"\0\1")
    (repository / "odd.txt").write_bytes(b"red \x1b[31m\n")
    game = make_game()
    say(game, "view data.bin")
    assert "cannot be shown" in game.source.note
    say(game, "view odd.txt")
    assert game.source.text == "red \\x1b[31m\n"
    assert not game.source.exact


OLD = "a\nb\nc\nd\n"


@pytest.mark.parametrize(
    "new",
    [
        "a\nB\nc\nd\n",
        "a\nc\nd\n",
        "a\nb\nnew\nc\nd\n",
        "new\na\nb\nc\nd\n",
        "a\nb\nc\nd\nnew\n",
        "a\nb\nb\nc\nd\n",
        "d\n",
        "a\nb\nc\nd",
        "\n",
        "x\ny\nz\n",
    ],
)
@pytest.mark.parametrize("old", [OLD, "a\nb", ""])
def test_an_edit_is_one_rewrite(make_session, old, new):
    session = make_session({"a.txt": old})
    observation = Toolbox(["rewrite"]).call(session, change("a.txt", old, new))
    assert not observation.error, observation.text
    unended = new and not new.endswith("\n") and (not old or old.endswith("\n"))
    ended = new + "\n" if unended else new
    assert session.sandbox.read("a.txt").decode() == ended


def test_an_edit_names_only_the_lines_that_changed():
    assert change("a.txt", OLD, "a\nB\nc\nd\n") == ToolCall(
        name="rewrite", arguments={"path": "a.txt", "content": "B\n", "start": 2}
    )
    assert change("a.txt", OLD, OLD) is None
