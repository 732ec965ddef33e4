"""Annotations for what comes out of a sandbox: nothing is converted, and the first thing wrong is refused.

pydantic's own ``str`` refuses what is no Unicode, but names of files and of tests may be just that: Python
keeps such bytes as lone surrogates.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import FailFast, GetCoreSchemaHandler, StrictBool, StrictInt
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

__all__ = ["FailFast", "Flag", "Number", "Text", "Texts", "Words"]


class _AnyText:
    """A ``str``, whatever is in it."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(str)


class _AnyTexts:
    """A tuple of ``str``, from a list."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_texts)


class _AnyWords:
    """A ``dict`` from ``str`` to ``str``."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_words)


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(isinstance(text, str) for text in value):
        return tuple(value)
    raise PydanticCustomError("texts", "Input should be a list of texts")


def _words(value: Any) -> dict[str, str]:
    if isinstance(value, dict) and all(
        isinstance(key, str) and isinstance(text, str) for key, text in value.items()
    ):
        return value
    raise PydanticCustomError("words", "Input should map texts to texts")


Text = Annotated[str, _AnyText]
Texts = Annotated[tuple[str, ...], _AnyTexts]
Words = Annotated[Mapping[str, str], _AnyWords]
Number = StrictInt
Flag = StrictBool
