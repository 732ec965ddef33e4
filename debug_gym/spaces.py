"""Spaces for text and for tool calls, which gymnasium's own cannot hold."""

from collections.abc import Callable, Iterable
from typing import Any

import gymnasium
import numpy as np

from debug_gym.episode import InvalidToolCallError, ToolCall


class Unicode(gymnasium.Space[str]):
    """Any text. (``gymnasium.spaces.Text`` is limited to a charset and a length.)"""

    def __init__(self, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(shape=(), dtype=None, seed=seed)

    def sample(self, mask: None = None, probability: None = None) -> str:
        """A short random text, not only ASCII."""
        return "".join(chr(code) for code in self.np_random.integers(0x20, 0x3000, size=8))

    def contains(self, x: Any) -> bool:
        """Whether it is text."""
        return isinstance(x, str)

    @property
    def is_np_flattenable(self) -> bool:
        """Text does not become an array."""
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unicode)

    def __hash__(self) -> int:
        return hash(Unicode)

    def __repr__(self) -> str:
        return "Unicode()"


Examples = Callable[[str], Iterable[dict[str, Any]]]
"""Gives arguments of a tool that are valid now."""


class ToolCalls(gymnasium.Space[dict[str, Any]]):
    """Tool calls as ``{"name": ..., "arguments": {...}}``; also a ``ToolCall`` or its JSON is contained.

    Args:
        schemas: the tools in the form of OpenAI's function calling.
        validate: says whether the arguments are right for the tool of that name.
        examples: where ``sample`` draws from; it knows the live environment.
        seed: of the random numbers.
    """

    def __init__(
        self,
        schemas: list[dict[str, Any]],
        validate: Callable[[ToolCall], bool],
        examples: Examples,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        super().__init__(shape=None, dtype=None, seed=seed)
        self.schemas = schemas
        self._validate: Callable[[ToolCall], bool] | None = validate
        self._examples: Examples | None = examples

    @property
    def names(self) -> list[str]:
        """The tools' names."""
        return [schema["function"]["name"] for schema in self.schemas]

    def sample(self, mask: None = None, probability: None = None) -> dict[str, Any]:
        """A valid call of a random tool, of those that can be called now.

        Before the first episode (or in a copy of the space in another process) that is a call without
        arguments.
        """
        for index in self.np_random.permutation(len(self.names)):
            name = self.names[int(index)]
            found = list(self._examples(name)) if self._examples else []
            if found:
                return {"name": name, "arguments": found[int(self.np_random.integers(len(found)))]}
        bare = [name for name in self.names if self.contains({"name": name, "arguments": {}})] or self.names
        return {"name": bare[int(self.np_random.integers(len(bare)))], "arguments": {}}

    def contains(self, x: Any) -> bool:
        """Whether it is a call of a known tool with arguments of the right kind."""
        try:
            call = ToolCall.parse(x)
        except InvalidToolCallError:
            return False
        return call.name in self.names and (self._validate is None or self._validate(call))

    @property
    def is_np_flattenable(self) -> bool:
        """Tool calls do not become arrays."""
        return False

    def __getstate__(self) -> dict[str, Any]:
        """Without the link to the live environment, so that a space can go to another process."""
        return {**self.__dict__, "_validate": None, "_examples": None}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ToolCalls) and self.schemas == other.schemas

    def __hash__(self) -> int:
        return hash(tuple(self.names))

    def __repr__(self) -> str:
        return f"ToolCalls({', '.join(self.names)})"
