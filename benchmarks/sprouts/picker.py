"""Choices by number: every number below the size of the space gives other choices."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Picker:
    """Makes the choices of one task.

    The number is read in the mixed radix whose digits are the choices, so that two numbers below ``space``
    never make all the same choices. How many options a choice has must not depend on the choices before it.
    """

    def __init__(self, number: int) -> None:
        self._left = number
        self.space = 1
        """Product of the numbers of options so far."""

    def one(self, options: Sequence[T]) -> T:
        """One of the options."""
        self.space *= len(options)
        self._left, at = divmod(self._left, len(options))
        return options[at]

    def some(self, options: Sequence[T], count: int) -> tuple[T, ...]:
        """Several different ones, in an order of their own."""
        left = list(options)
        return tuple(left.pop(left.index(self.one(left))) for _ in range(count))
