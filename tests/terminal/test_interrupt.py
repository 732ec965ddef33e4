"""Ctrl-C ends the call that runs, not the game."""

import asyncio
import time


def test_what_runs_is_interrupted(playing, repository):
    (repository / "forever.py").write_text("n = 0\nwhile True:\n    n += 1\n")
    (repository / "tests" / "test_slow.py").write_text(
        "import time\n\ndef test_slow():\n    time.sleep(50)\n"
    )

    async def interrupt():
        async with playing() as player:
            began = time.monotonic()
            for line in ("bash sleep 50", "eval", "pdb script=forever.py at=breakpoint c"):
                player.app.query_one("#command").value = line
                await player.pilot.press("enter")
                await player.pilot.pause(1)
                assert player.app.busy is not None
                await player.press("ctrl+c")
            assert time.monotonic() - began < 45
            game = player.app.game
            assert [step.observation.data.get("timed_out") for step in game.steps[:2]] == [True, True]
            assert game.place.file == "forever.py"
            await player.type("p n > 5")
            assert "True" in player.text("#answers")

    asyncio.run(interrupt())
