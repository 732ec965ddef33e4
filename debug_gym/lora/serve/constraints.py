"""Grammars that replies must follow: tool calls whose arguments are valid for the tool's JSON schema.

The grammars are ``llguidance``'s (Lark syntax with JSON schemas in it); a mask over the vocabulary costs
microseconds a token.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import torch
from torch import Tensor

from debug_gym.errors import ConfigError, MissingExtraError
from debug_gym.lora.serve.syntax import ArgumentSyntax, CallSyntax
from debug_gym.toolcalls.cursor import is_text

try:
    import llguidance
    import llguidance.hf
except ImportError as error:
    raise MissingExtraError("llguidance", "local") from error

MOST = 8
"""Calls in one reply, if not told otherwise."""
THOUGHT = 1000
"""Characters that may stand before a call that is demanded, at most."""
AS_WRITTEN = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": ", "lenient": True}
"""JSON as Python writes it, and as models are trained on it; keywords of a schema that the grammar cannot
express are left to the tool."""


class Grammars:
    """The grammars of one tokenizer."""

    def __init__(self, tokenizer: Any, vocabulary: int, ends: Sequence[int]) -> None:
        """``vocabulary``: the number of the model's logits; ``ends``: the tokens that end a reply.

        Raises:
            ConfigError: it is no fast tokenizer.
        """
        try:
            self._tokenizer = llguidance.hf.from_tokenizer(
                tokenizer, n_vocab=max(vocabulary, len(tokenizer)), eos_token=list(ends)
            )
        except ValueError as error:
            raise ConfigError(f"constrained decoding needs a fast tokenizer: {error}") from error
        self._vocabulary = vocabulary
        self._special = {
            str(token): number for number, token in tokenizer.added_tokens_decoder.items() if token.special
        }
        self._compiled = lru_cache(maxsize=64)(self._compile)

    def start(self, grammar: str) -> "Constraint":
        """A fresh constraint.

        Raises:
            ConfigError: the grammar is wrong, e.g. for a JSON schema that is none.
        """
        return Constraint(self._compiled(grammar).deep_copy(), self._vocabulary)

    def _compile(self, grammar: str) -> llguidance.LLMatcher:
        matcher = llguidance.LLMatcher(self._tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise ConfigError(f"no grammar can be made of this: {matcher.get_error().splitlines()[0]}")
        return matcher

    def for_json(self, schema: Mapping[str, Any]) -> str:
        """A reply that is one JSON value by a schema."""
        return f"start: {_json(schema)}"

    def for_calls(
        self,
        tools: Sequence[Mapping[str, Any]],
        syntax: CallSyntax,
        choice: Literal["auto", "required"],
        *,
        most: int = MOST,
        thought: int = THOUGHT,
    ) -> str | None:
        """A reply with text and then calls of these tools; nothing where there is nothing to constrain.

        ``required``: it ends with a call, with at most ``thought`` characters before it. At
        most ``most`` calls follow each other.
        """
        if not tools or (choice == "auto" and not syntax.marked):
            return None
        calls = [self._call(tool["function"], syntax) for tool in tools]
        names = " | ".join(f"call_{number}" for number in range(len(calls)))
        following = f"(next ({names})){{0,{most - 1}}}" if most > 1 else ""
        some = r"(.|\n)*" if choice == "auto" else rf"(.|\n){{0,{min(thought, THOUGHT)}}}"
        return "\n".join(
            [
                f"start: first ({names}) {following}" + (" | TEXT" if choice == "auto" else ""),
                *self._first(syntax, some),
                f"next: {self._literal(syntax.separator + syntax.trigger)}",
                *(f"call_{number}: {call}" for number, call in enumerate(calls)),
                *([f"value[lazy]: TEXT {json.dumps(syntax.argument.after)}"] if syntax.argument else []),
                r"TEXT: /(.|\n)*/",
            ]
        )

    def _first(self, syntax: CallSyntax, some: str) -> list[str]:
        """The rules for what stands before the first call and its trigger, which begins a line."""
        if not syntax.marked:
            return [f"first: {self._literal(syntax.trigger)}"]
        if syntax.trigger in self._special:
            return [f"first: BEFORE {self._literal(syntax.trigger)}", f"BEFORE: /{some}/"]
        # One lazy lexeme: it ends as soon as the trigger is there, so that TEXT cannot hold one.
        return [f"first[lazy]: BEFORE {json.dumps(syntax.trigger)}", rf"BEFORE: /({some}\n)?/"]

    def _call(self, function: Mapping[str, Any], syntax: CallSyntax) -> str:
        """The right side of the rule of one tool."""
        schema = function.get("parameters") or {"type": "object"}
        arguments = self._tagged(schema, syntax.argument) if syntax.argument else _json(schema)
        opening = self._literal(syntax.opening.replace("{name}", function["name"]))
        return f"{opening} {arguments} {self._literal(syntax.closing)}"

    def _tagged(self, schema: Mapping[str, Any], syntax: ArgumentSyntax) -> str:
        """The arguments in the schema's order, those that are not required may be left out."""
        required = schema.get("required", ())
        parts = []
        for key, value in schema.get("properties", {}).items():
            written = f"{_json(value)} {json.dumps(syntax.after)}"
            if is_text(value):
                written = "value"
            part = f"({json.dumps(syntax.before + key + syntax.between)} {written})"
            parts.append(part if key in required else f"{part}?")
        return " ".join(parts)

    def _literal(self, text: str) -> str:
        """A text in the grammar's syntax; special tokens in it by their numbers."""
        parts, rest = [], text
        while rest:
            found = [(at, token) for token in self._special if (at := rest.find(token)) >= 0]
            at, token = min(found, key=lambda place: (place[0], -len(place[1])), default=(len(rest), ""))
            if at:
                parts.append(json.dumps(rest[:at], ensure_ascii=False))
            if token:
                parts.append(f"<[{self._special[token]}]>")
            rest = rest[at + len(token) :]
        return " ".join(parts)


def _json(schema: Mapping[str, Any]) -> str:
    return "%json " + json.dumps({**schema, "x-guidance": AS_WRITTEN})


class Constraint:
    """Which tokens one reply may go on with."""

    def __init__(self, matcher: llguidance.LLMatcher, vocabulary: int) -> None:
        self._matcher = matcher
        self._vocabulary = vocabulary
        self._bits = torch.empty((1, -(-vocabulary // 32)), dtype=torch.int32)

    def mask(self) -> Tensor:
        """True for the tokens that may come next (vocabulary)."""
        self._matcher.unsafe_compute_mask_ptr(self._bits.data_ptr(), self._bits.nbytes)
        shifts = torch.arange(32, dtype=torch.int32)
        return ((self._bits[0, :, None] >> shifts) & 1).bool().flatten()[: self._vocabulary]

    def accept(self, token: int) -> None:
        """A token was chosen.

        Raises:
            ConfigError: the grammar went beyond its limits (it never does for a token of ``mask``).
        """
        if not self._matcher.consume_token(token):
            raise ConfigError(f"the grammar of the reply failed: {self._matcher.get_error().splitlines()[0]}")

    @property
    def finished(self) -> bool:
        """Nothing but the end may come."""
        return bool(self._matcher.is_stopped())
