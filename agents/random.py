"""A floor for comparison: the agent that makes calls at random, each valid by its tool's schema."""

import random
import re
from typing import Any

from debug_gym.agents.base import Agent, Briefing, Decision
from debug_gym.episode import Observation, ToolCall

PATH = re.compile(r"[\w/-][\w./-]*\.\w+")
WORD = re.compile(r"[A-Za-z_]\w*")
REMEMBERED = 1000
"""Different paths and words, each, that it remembers of an episode."""


class RandomAgent(Agent):
    """Draws a tool and its arguments from the schemas, with paths and words that it has seen.

    The same ``seed`` and the same episode seed give the same calls. It takes no other options.
    """

    name = "random"

    def __init__(self, seed: int = 0) -> None:
        self._seed = int(seed)

    def start(self, briefing: Briefing) -> None:
        """Forget the last episode."""
        self._random = random.Random(f"{self._seed}:{briefing.seed}")
        self._tools = [tool["function"] for tool in briefing.tools]
        self._paths: dict[str, None] = {".": None}
        self._words: dict[str, None] = {}

    def act(self, observation: Observation) -> Decision | None:
        """A random call."""
        _remember(self._paths, PATH.findall(observation.text))
        _remember(self._words, WORD.findall(observation.text))
        tool = self._random.choice(self._tools)
        parameters = tool["parameters"]
        return Decision(ToolCall(name=tool["name"], arguments=self._draw("", parameters, parameters)))

    def _draw(self, name: str, schema: dict[str, Any], root: dict[str, Any]) -> Any:
        """A value that fits a JSON schema (what pydantic makes of arguments; no patterns or formats)."""
        while "$ref" in schema or "anyOf" in schema:
            if "anyOf" in schema:
                schema = self._random.choice(schema["anyOf"])
            else:
                schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
        choices = [schema["const"]] if "const" in schema else schema.get("enum", schema.get("examples"))
        if choices:
            return self._random.choice(choices)
        kind = schema.get("type", "string")
        if kind in ("object", "array"):
            return self._collection(kind, name, schema, root)
        if kind in ("integer", "number"):
            return _number(self._random, schema, whole=kind == "integer")
        if kind == "string":
            return self._text(name, schema)
        return None if kind == "null" else self._random.random() < 0.5

    def _collection(self, kind: str, name: str, schema: dict[str, Any], root: dict[str, Any]) -> Any:
        if kind == "array":
            count = self._random.randint(schema.get("minItems", 0), schema.get("maxItems", 3))
            return [self._draw(name, schema.get("items", {}), root) for _ in range(count)]
        required, properties = schema.get("required", ()), schema.get("properties", {})
        chosen = [key for key in properties if key in required or self._random.random() < 0.5]
        return {key: self._draw(key, properties[key], root) for key in chosen}

    def _text(self, name: str, schema: dict[str, Any]) -> str:
        seen = self._paths if "path" in name or "file" in name else self._words
        text = self._random.choice(list(seen)) if seen else "x"
        return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]


def _remember(seen: dict[str, None], found: list[str]) -> None:
    if len(seen) < REMEMBERED:
        seen.update(dict.fromkeys(found))
        for text in list(seen)[REMEMBERED:]:
            del seen[text]


def _number(draw: random.Random, schema: dict[str, Any], *, whole: bool) -> int | float:
    """A number within the schema's bounds; where they are open, up to 100 above the lower one."""
    edge = 1 if whole else 0
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + edge)
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 100) - edge)
    return draw.randint(low, high) if whole else draw.uniform(low, high)
