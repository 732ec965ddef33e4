"""The content of a file as a value: text where it is UTF-8, else bytes, and JSON that keeps both."""

import base64
import binascii
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema


def _validate(value: Any) -> str | bytes:
    if isinstance(value, dict) and value.keys() == {"base64"}:
        try:
            value = base64.b64decode(value["base64"], validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise ValueError("base64 holds something else") from None
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    if not isinstance(value, str):
        raise ValueError('the content of a file is text, bytes, or {"base64": "..."}')
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half a character (a lone surrogate)") from None
    return value


def _serialize(value: str | bytes) -> str | dict[str, str]:
    return value if isinstance(value, str) else {"base64": base64.b64encode(value).decode()}


Content = Annotated[
    str | bytes,
    BeforeValidator(_validate),
    PlainSerializer(_serialize, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"base64": {"type": "string", "contentEncoding": "base64"}},
                    "required": ["base64"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""The content of a file. ``str`` if it is UTF-8 (also where bytes were given), else ``bytes``; in JSON, text
or ``{"base64": "..."}``."""


def as_bytes(content: str | bytes) -> bytes:
    """What stands in the file."""
    return content.encode() if isinstance(content, str) else content
