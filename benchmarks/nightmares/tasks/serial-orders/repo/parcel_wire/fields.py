"""The text of a message: one field a line."""

from typing import Dict, Mapping


class FieldError(ValueError):
    """A message lacks a field, or its text is not made of fields."""


def write_fields(fields: Mapping[str, object]) -> str:
    lines = []
    for key, value in fields.items():
        text = str(value).replace("\\", "\\\\").replace("\n", "\\n")
        lines.append(f"{key}={text}\n")
    return "".join(lines)


def read_fields(text: str) -> Dict[str, str]:
    fields = {}
    for line in text.split("\n"):
        if not line:
            continue
        key, equals, value = line.partition("=")
        if not equals:
            raise FieldError(f"not a field: {line!r}")
        fields[key] = _unescape(value)
    return fields


def _unescape(value: str) -> str:
    parts = value.split("\\\\")
    return "\\".join(part.replace("\\n", "\n") for part in parts)
