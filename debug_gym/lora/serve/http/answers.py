"""What clients get: completions, and the chunks of a stream."""

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from debug_gym.lora.serve.request import Generated
from debug_gym.lora.serve.sampling import Token
from debug_gym.toolcalls import FoundCalls

Json = dict[str, Any]


class Answer:
    """The parts that all chunks and the whole of one answer share."""

    def __init__(self, model: str, tokenizer: Any, *, logprobs: bool, ids: bool) -> None:
        """``logprobs``, ``ids``: what of the tokens was asked for."""
        self._tokenizer, self._logprobs, self._ids = tokenizer, logprobs, ids
        self._head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}

    def whole(self, choices: Sequence[tuple[Generated, FoundCalls]], prompt: Sequence[int]) -> Json:
        """A completion."""
        return {
            **self._head,
            **({"prompt_token_ids": list(prompt)} if self._ids else {}),
            "object": "chat.completion",
            "choices": [self._choice(number, *choice) for number, choice in enumerate(choices)],
            "usage": usage([generated for generated, _ in choices]),
        }

    def first(self, number: int, prompt: Sequence[int]) -> Json:
        """The chunk that begins a choice."""
        begun = self.chunk(number, {"role": "assistant", "content": ""})
        return begun | ({"prompt_token_ids": list(prompt)} if self._ids else {})

    def chunk(
        self, number: int, delta: Json, *, tokens: Sequence[Token] = (), finish_reason: str | None = None
    ) -> Json:
        """A part of a choice."""
        choice: Json = {"index": number, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        if self._logprobs and tokens:
            choice["logprobs"] = self._listed(tokens)
        if self._ids:
            choice["token_ids"] = [token.id for token in tokens]
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice]}

    def last(self, choices: Sequence[Generated]) -> Json:
        """The chunk that holds the usage alone."""
        return {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": usage(choices)}

    def _choice(self, number: int, generated: Generated, found: FoundCalls) -> Json:
        message: Json = {"role": "assistant", "content": found.text or None, "refusal": None}
        if found.reasoning:
            message["reasoning_content"] = found.reasoning
        if found.calls:
            message["tool_calls"] = tool_calls(found)
        elif message["content"] is None:
            message["content"] = ""
        return {
            "index": number,
            "message": message,
            "finish_reason": finish_reason(generated, found),
            "logprobs": self._listed(generated.tokens) if self._logprobs else None,
            **({"token_ids": [token.id for token in generated.tokens]} if self._ids else {}),
        }

    def _listed(self, tokens: Sequence[Token]) -> Json:
        return {
            "content": [
                {
                    **self._token(token.id, token.logprob),
                    "top_logprobs": [self._token(*pair) for pair in token.top],
                }
                for token in tokens
            ],
            "refusal": None,
        }

    def _token(self, number: int, logprob: float) -> Json:
        text = self._tokenizer.decode([number], skip_special_tokens=False)
        return {"token": text, "logprob": max(logprob, -9999.0), "bytes": list(text.encode())}


def tool_calls(found: FoundCalls) -> list[Json]:
    """Calls with ids of their own: nine letters and digits, which every template takes."""
    return [
        {
            "id": uuid.uuid4().hex[:9],
            "type": "function",
            "function": {"name": call.name, "arguments": call.as_json()},
        }
        for call in found.calls
    ]


def finish_reason(generated: Generated, found: FoundCalls) -> str:
    """OpenAI's word for why a choice ended."""
    return "tool_calls" if found.calls and generated.finish_reason == "stop" else generated.finish_reason


def usage(choices: Sequence[Generated]) -> Json:
    """Tokens of one prompt and all of its choices."""
    read = choices[0].prompt_tokens
    written = sum(len(generated.tokens) for generated in choices)
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": choices[0].cached_tokens},
    }


def error(message: str, kind: str = "invalid_request_error", code: str | None = None) -> Mapping[str, Any]:
    """An error as OpenAI's clients read it."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
