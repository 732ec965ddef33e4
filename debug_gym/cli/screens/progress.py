"""What a command is doing before it has something to show: a line that changes; elsewhere, a few lines."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from debug_gym.cli.screens.summary import clock

PAUSE = 10.0
"""Seconds between two lines where there is no terminal."""


@contextmanager
def announced(what: str) -> Iterator[Callable[[str], None]]:
    """Say on stderr what is being done; gives a function to call with more about it."""
    console = Console(stderr=True)
    if console.is_terminal:
        with console.status(Text(what)) as status:
            yield lambda more: status.update(Text(more))
        return
    console.print(Text(what), soft_wrap=True)
    last = 0.0

    def say(more: str) -> None:
        nonlocal last
        if time.monotonic() > last + PAUSE:
            last = time.monotonic()
            console.print(Text(more), soft_wrap=True)

    yield say


@contextmanager
def counted(what: str, total: int) -> Iterator[Callable[[str], None]]:
    """Say on stderr how many of ``total`` things are done and about how long the rest takes.

    Gives a function to call with a word about each that is done.
    """
    console = Console(stderr=True)
    began = last = time.monotonic()
    done = 0

    def line(word: str) -> Text:
        left = (total - done) * (time.monotonic() - began) / done
        rest = f", about {clock(left)} left" if done < total else ""
        return Text(f"{what}: {done}/{total}{rest}: {word}")

    if console.is_terminal:
        with console.status(Text(what)) as status:

            def show(word: str) -> None:
                nonlocal done
                done += 1
                status.update(line(word))

            yield show
        return
    console.print(Text(f"{what}: 0/{total}"), soft_wrap=True)

    def tell(word: str) -> None:
        nonlocal done, last
        done += 1
        if time.monotonic() - last >= PAUSE or done == total:
            last = time.monotonic()
            console.print(line(word), soft_wrap=True)

    yield tell
