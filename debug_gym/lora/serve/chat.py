"""Conversations to prompts and replies to messages, by a tokenizer's chat template.

How the model writes tool calls is found out by letting the template render one. A template that knows of no
tools gets them described in the system message, with calls and results as text.
"""

import copy
import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2

from debug_gym.errors import ConfigError
from debug_gym.lora.serve.syntax import PROBE, PROBE_TOOL, PROBED, CallSyntax, common_start, find_syntax
from debug_gym.toolcalls import FoundCalls, find_calls
from debug_gym.toolcalls.cursor import Schema
from debug_gym.toolcalls.notation import HERMES
from debug_gym.toolcalls.plain import as_plain_text

Message = Mapping[str, Any]
"""One message in the form of OpenAI's chat completions."""
DESCRIBED = CallSyntax("<tool_call>", '\n{"name": "{name}", "arguments": ', "}\n</tool_call>")
"""What models write that are told of the tools in the system message (``HERMES``)."""
PLAIN = (
    "{% for message in messages %}{{ message.role }}: {{ message.content }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)
"""For base models, whose tokenizers have no chat template."""
MARK = re.compile("\ue000(\\d+)\ue001")
"""Private characters that stand for a special token's text within a message."""


class Chat:
    """The chat template of one tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer, self._lock = copy.deepcopy(tokenizer), threading.Lock()  # it is no use to threads
        self._template = tokenizer.chat_template or PLAIN
        tokens = tokenizer.added_tokens_decoder.values()
        self._special = sorted({str(token) for token in tokens}, key=len, reverse=True)
        self._syntax = self._probe()
        self.takes_tools = self._syntax is not None
        """Whether the template knows how to describe tools and to write calls and results."""

    @property
    def syntax(self) -> CallSyntax | None:
        """How calls are written; None: in a way that a grammar cannot follow."""
        return self._syntax.calls if self._syntax else DESCRIBED

    @property
    def ends(self) -> tuple[int, ...]:
        """The token that ends a turn in the template, which need not be the one that ends a text."""
        if not self._syntax or not self._syntax.end:
            return ()
        return (self._tokenizer.convert_tokens_to_ids(self._syntax.end),)

    def prompt(self, messages: Sequence[Message], tools: Sequence[Schema] = ()) -> list[int]:
        """The token ids that the model goes on from.

        Control tokens that stand in a message as text (``<|im_end|>`` in a file that was read) stay text:
        they cannot end a turn or begin another.

        Raises:
            ConfigError: the template refuses the conversation.
        """
        if tools and not self.takes_tools:
            messages, tools = as_plain_text(messages, tools, HERMES), ()
        elif not self.takes_tools:
            messages = as_plain_text(messages, (), HERMES)
        return self._encode(self._render(self._guarded(messages), tools))

    def read(
        self,
        text: str,
        messages: Sequence[Message],
        tools: Sequence[Schema],
        *,
        cut: bool = False,
        demanded: bool = False,
    ) -> FoundCalls:
        """The calls, the reasoning and the rest of a reply to a conversation; see ``find_calls``."""
        others = [
            str(message.get("content") or "") for message in messages if message["role"] in ("user", "tool")
        ]
        return find_calls(text, tools, cut=cut, others=others, demanded=demanded)

    def _render(self, messages: Sequence[Message], tools: Sequence[Schema]) -> str:
        try:
            return self._apply(messages, tools)
        except ConfigError:
            merged = _without_system(messages)
            if merged == messages:
                raise
            return self._apply(merged, tools)  # some templates have no system message

    def _apply(self, messages: Sequence[Message], tools: Sequence[Schema], *, prompt: bool = True) -> str:
        try:
            text: str = self._tokenizer.apply_chat_template(
                list(messages),
                tools=list(tools) or None,
                chat_template=self._template,
                add_generation_prompt=prompt,
                tokenize=False,
            )
        except (jinja2.TemplateError, TypeError, KeyError, ValueError, AttributeError) as error:
            raise ConfigError(f"the model's chat template refuses this conversation: {error}") from None
        return text

    def _guarded(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """Messages as templates like them, with no control token in what anybody wrote."""
        ids: dict[str, str] = {}
        names: dict[str, str] = {}
        guarded = []
        for message in messages:
            told = {**message, "content": self._guard(_text(message.get("content")))}
            if calls := message.get("tool_calls"):
                told["tool_calls"] = [self._guard_call(call, ids, names) for call in calls]
            else:
                told.pop("tool_calls", None)
            if told["role"] == "tool":
                given = told.get("tool_call_id") or ""
                told |= {"tool_call_id": ids.get(given, "call00000"), "name": names.get(given, "tool")}
            guarded.append(told)
        return guarded

    def _guard_call(self, call: Mapping[str, Any], ids: dict[str, str], names: dict[str, str]) -> Any:
        """Arguments as an object, and an id that every template takes: Mistral's wants nine characters."""
        given, function = call.get("id") or "", call["function"]
        ids[given], names[given] = f"call{len(ids):05}", function["name"]
        arguments = function.get("arguments") or {}
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments)
            except ValueError:
                arguments = {"arguments": arguments}
        function = {"name": function["name"], "arguments": self._guard(arguments)}
        return {"id": ids[given], "type": "function", "function": function}

    def _guard(self, value: Any) -> Any:
        if isinstance(value, str):
            for number, token in enumerate(self._special):
                value = value.replace(token, f"\ue000{number}\ue001")
            return value
        if isinstance(value, dict):
            return {key: self._guard(item) for key, item in value.items()}
        return [self._guard(item) for item in value] if isinstance(value, list) else value

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for place, part in enumerate(MARK.split(text)):
            quoted = place % 2 == 1 and int(part) < len(self._special)
            piece = self._special[int(part)] if quoted else part
            with self._lock:
                ids += self._tokenizer.encode(piece, add_special_tokens=False, split_special_tokens=quoted)
        return ids

    def _probe(self) -> "_Syntax | None":
        """How the template writes a call; None: it does not write any."""
        try:
            whole = self._apply(PROBED, [PROBE_TOOL])
            start = self._apply(PROBED[:1], [PROBE_TOOL])
            turn = self._apply(PROBED[:2], [PROBE_TOOL], prompt=False)
        except ConfigError:
            return None
        called = turn[len(common_start(start, turn)) :]
        if "probe_result" not in whole or PROBE not in start or PROBE not in called:
            return None
        end = next((token for token in self._special if called.rstrip().endswith(token)), "")
        return _Syntax(find_syntax(called.rstrip().removesuffix(end) if end else called), end)


@dataclass(frozen=True)
class _Syntax:
    """What a template was found to write."""

    calls: CallSyntax | None
    end: str
    """The token that ends a turn."""


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """The conversation with the system's words at the beginning of the user's."""
    if len(messages) < 2 or messages[0]["role"] != "system" or messages[1]["role"] != "user":
        return list(messages)
    content = f"{messages[0]['content']}\n\n{messages[1]['content']}"
    return [{**messages[1], "content": content}, *messages[2:]]


def _text(content: Any) -> str:
    """A message's text; parts of other kinds than text are left out."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content or ""
