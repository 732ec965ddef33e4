"""Games around real sandboxes, and an app to press the keys of."""

import asyncio
from contextlib import ExitStack, asynccontextmanager

import pytest

pytest.importorskip("textual", reason="the extra play is not installed")

from debug_gym.runs.config import load_config
from debug_gym.runs.plan import prepare
from debug_gym.store.writer import RunWriter
from debug_gym.terminal.app import PlayApp
from debug_gym.terminal.game import Game

FILES = {
    "calc.py": (
        "def add(a, b):\n"
        "    print('adding', a, b)\n"
        "    result = a - b\n"
        "    return result\n"
        "\n"
        "\n"
        "def double(a):\n"
        "    return add(a, a)\n"
    ),
    "tests/test_calc.py": (
        "from calc import add, double\n\n\n"
        "def test_zero():\n    assert add(3, 0) == 3\n\n\n"
        "def test_add():\n    assert add(2, 3) == 5\n\n\n"
        "def test_double():\n    assert double(4) == 8\n"
    ),
}


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "calc"
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture
def make_game(repository, tmp_path):
    """``make_game(**settings)``: a game on the repository, kept as a run in ``tmp_path / "run"``."""
    with ExitStack() as stack:

        def make(**settings):
            named = {
                "benchmark": "repo",
                "benchmark_options": {"path": str(repository), "problem": "Sums are wrong."},
                "agent": "human",
                "output": tmp_path / "run",
                **settings,
            }
            plan = prepare(load_config((), named), driven=True)
            writer = stack.enter_context(RunWriter.begin(plan.config.folder, plan.manifest()))
            attempt = next(plan.attempts())
            game = Game(plan.session(attempt, writer.episode(*attempt.key)))
            stack.callback(lambda: game.result or game.abandon())
            return game

        yield make


class Player:
    """Presses keys, and waits until what they began is done."""

    def __init__(self, app, pilot):
        self.app, self.pilot = app, pilot

    async def press(self, *keys):
        await self.pilot.press(*keys)
        await self.settle()

    async def type(self, line):
        """Enter a line, wherever the cursor is."""
        self.app.query_one("#command").focus()
        await self.pilot.press(*line, "enter")
        await self.settle()

    async def settle(self):
        await self.pilot.pause()
        while self.app.busy:
            await asyncio.sleep(0.02)
        await self.pilot.pause()

    async def see(self, words, selector, seconds=30):
        """Wait until a pane shows something."""
        for _ in range(seconds * 20):
            if words in self.text(selector):
                return
            await self.pilot.pause(0.05)
        raise AssertionError(f"no {words!r} in:\n{self.text(selector)}")

    def text(self, selector):
        """What a pane shows, as text."""
        pane = self.app.screen.query_one(selector)
        strips = (
            pane.lines if hasattr(pane, "write") else [pane.render_line(y) for y in range(pane.size.height)]
        )
        return "\n".join(strip.text.rstrip() for strip in strips)


@pytest.fixture
def playing(make_game):
    """``async with playing(size=(80, 24)) as player``: an app on the screen."""

    @asynccontextmanager
    async def play(size=(120, 40), game=None, **settings):
        app = PlayApp(game or make_game(**settings))
        async with app.run_test(size=size) as pilot:
            yield Player(app, pilot)

    return play
