"""The game on a screen: keys, clicks and lines lead to calls, and the panes show what came of them."""

import asyncio
import io

from rich.console import Console

from debug_gym.store.records import Run
from debug_gym.terminal.screens import AskScreen, HelpScreen, VerdictScreen


def run(scenario):
    asyncio.run(scenario)


def calls(player):
    return [(step.call.name, step.call.arguments) for step in player.app.game.steps]


def test_a_bug_is_found_and_repaired_by_keys(playing, tmp_path):
    async def repair():
        async with playing() as player:
            app = player.app
            await player.press("f6")
            await player.see("✗ test_add", "#tests")
            await player.see("2 failed, 1 passed of 3", "#answers")
            await player.type("b calc.py:3")
            await player.press("f5")
            assert app.game.place.line == 3
            await player.see("▶", "#source")
            await player.see("●", "#source")
            assert "adding 2 3" not in player.text("#answers").partition("> c\n")[2]
            await player.press("ctrl+o")
            await player.see("adding 2 3", "#program")
            await player.press("ctrl+o")
            await player.press("f10")
            await player.press("ctrl+z")
            assert app.game.place.line == 3
            await player.type("p a, b")
            await player.see("(2, 3)", "#answers")
            await player.press("f4")
            await player.press("down", "up", *["right"] * len("    result = a "), "delete", "+", "ctrl+s")
            await player.see("+    result = a + b", "#answers")
            await player.press("f6")
            assert isinstance(app.screen, VerdictScreen)
            assert "RESOLVED" in screen_text(app)
            await player.press("enter")
            assert app.return_code == 0

    run(repair())
    assert [result.status for result in Run.open(tmp_path / "run").results()] == ["resolved"]


def test_keys_of_the_source_pane_and_clicks_into_its_margin(playing):
    async def click():
        async with playing() as player:
            await player.type("view calc.py")
            await player.pilot.click("#source", offset=(2, 3))
            await player.settle()
            assert dict(player.app.game.source.points) == {3: 1}
            player.app.query_one("#source").focus()
            await player.press("c")
            assert player.app.game.place.line == 3
            await player.press("u")
            assert player.app.game.place.file == "tests/test_calc.py"
            await player.press("d", "r")
            assert player.app.game.place.line == 4
            await player.press("ctrl+z")
            assert player.app.game.place.line == 3
            await player.pilot.click("#source", offset=(2, 3))
            await player.settle()
            assert dict(player.app.game.source.points) == {}
            assert calls(player)[-1] == ("pdb", {"command": "cl 1"})

    run(click())


def test_a_test_is_debugged_from_its_pane(playing):
    async def choose():
        async with playing() as player:
            await player.press("f6")
            tests = player.app.query_one("#tests")
            tests.focus()
            tests.highlighted = tests.get_option_index("tests/test_calc.py::test_double")
            await player.press("enter")
            assert player.app.game.place.function == "test_double"
            await player.press("r")
            assert calls(player)[-1] == ("eval", {"tests": ["tests/test_calc.py::test_double"]})

    run(choose())


def test_what_is_no_call_costs_no_step(playing):
    async def stumble():
        async with playing() as player:
            await player.type("view")
            await player.type("conjure")
            assert calls(player) == []

    run(stumble())


def test_tab_completes_and_arrows_recall(playing):
    async def complete():
        async with playing() as player:
            command = player.app.query_one("#command")
            await player.press(*"vie", "tab", "c", "tab")
            assert command.value == "view calc.py "
            await player.press("enter")
            await player.press("up")
            assert command.value == "view calc.py"
            command.value = "pdb t"
            await player.press("end", "tab")
            await player.see("tests/test_calc.py", "#candidates")

    run(complete())


def test_an_edit_is_dropped_by_escape(playing):
    async def drop():
        async with playing() as player:
            await player.type("view calc.py")
            await player.press("f4", "x", "escape")
            assert player.app.query_one("#source").text.startswith("def add")
            assert len(calls(player)) == 1

    run(drop())


def test_the_screen_lives_while_a_call_runs(playing, repository):
    (repository / "tests" / "test_slow.py").write_text("import time\n\ndef test_slow():\n    time.sleep(2)\n")

    async def wait():
        async with playing() as player:
            await player.pilot.press("f6")
            await player.see("eval runs", "#status")
            await player.pilot.press("f5")  # refused while something runs
            await player.pilot.press("f1")
            assert isinstance(player.app.screen, HelpScreen)
            await player.pilot.press("escape")
            await player.settle()
            assert [name for name, _ in calls(player)] == ["eval"]

    run(wait())


def test_leaving_asks_and_can_be_judged(playing, tmp_path):
    async def leave():
        async with playing() as player:
            await player.type("view calc.py")
            await player.press("ctrl+q")
            assert isinstance(player.app.screen, AskScreen)
            await player.press("escape")
            assert not isinstance(player.app.screen, AskScreen)
            await player.press("ctrl+q", "enter")
            assert "UNRESOLVED" in screen_text(player.app)

    run(leave())
    assert [result.ending for result in Run.open(tmp_path / "run").results()] == ["gave up"]


def test_leaving_without_a_verdict_counts_as_not_played(playing, make_game, tmp_path):
    game = make_game()

    async def leave():
        async with playing(game=game) as player:
            await player.type("view calc.py")
            await player.press("ctrl+q", "right", "enter")
            assert player.app.return_code == 0

    run(leave())
    game.abandon()
    assert Run.open(tmp_path / "run").results() == []


def test_small_terminals(playing):
    async def look():
        async with playing(size=(80, 24)) as player:
            assert player.app.query_one("#problem").region.width > 70
            await player.press("f5")
            assert player.app.query_one("#problem").region.width == 0
            assert player.app.query_one("#source").region.height >= 8
            await player.press("f3")
            assert player.app.query_one("#tests").region.width > 70
            await player.press("f2")
            assert player.app.query_one("#files").region.width > 20
            await player.pilot.resize_terminal(50, 12)
            await player.settle()
            assert player.app.query_one("#small").region.width == 50
            assert player.app.query_one("#board").region.width == 0

    run(look())


def test_dark_and_light(playing):
    async def switch():
        async with playing() as player:
            await player.type("view calc.py")
            dark = player.app.query_one("#source").get_line(0).spans
            await player.press("ctrl+t")
            assert player.app.theme == "textual-light"
            light = player.app.query_one("#source").get_line(0).spans
            assert dark and light and dark != light

    run(switch())


def screen_text(app):
    out = io.StringIO()
    Console(file=out, width=120).print(app.screen.query_one("Static").content)
    return out.getvalue()
