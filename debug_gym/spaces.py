"""Spaces for text and for tool calls, which gymnasium's own cannot hold."""

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector.utils import create_shared_memory, read_from_shared_memory, write_to_shared_memory

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


class SharedTexts(Sequence[str]):
    """The last text of each environment, written in its process and read in that of all.

    gymnasium's ``AsyncVectorEnv`` keeps one such object and copies it at each step (or does not): texts have
    no largest size, so each is a file in memory. They go with the object, in the process that made it.
    """

    def __init__(self, count: int) -> None:
        memory = Path("/dev/shm")
        place = memory if os.access(memory, os.W_OK) else None
        self._folder = Path(tempfile.mkdtemp(prefix="debug-gym-texts-", dir=place))
        self._count = count
        weakref.finalize(self, _remove, self._folder, os.getpid())

    def write(self, index: int, text: str) -> None:
        """Put an environment's text in the place of its last one."""
        (self._folder / str(index)).write_bytes(text.encode("utf-8", "surrogatepass"))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return tuple(self)[index]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        path = self._folder / str(index % self._count)
        return path.read_bytes().decode("utf-8", "surrogatepass") if path.exists() else ""

    def __len__(self) -> int:
        return self._count

    def __deepcopy__(self, memo: dict[int, Any]) -> tuple[str, ...]:
        return tuple(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (self._folder, self._count)


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # and not a fork of it
        shutil.rmtree(folder, ignore_errors=True)


def _opened(folder: Path, count: int) -> SharedTexts:
    """The same texts in another process, which does not remove them."""
    texts = SharedTexts.__new__(SharedTexts)
    texts._folder, texts._count = folder, count
    return texts


@create_shared_memory.register(Unicode)
def _create_texts(space: Unicode, n: int = 1, ctx: Any = None) -> SharedTexts:
    return SharedTexts(n)


@read_from_shared_memory.register(Unicode)
def _read_texts(space: Unicode, shared_memory: SharedTexts, n: int = 1) -> SharedTexts:
    return shared_memory


@write_to_shared_memory.register(Unicode)
def _write_text(space: Unicode, index: int, value: str, shared_memory: SharedTexts) -> None:
    shared_memory.write(index, value)


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
