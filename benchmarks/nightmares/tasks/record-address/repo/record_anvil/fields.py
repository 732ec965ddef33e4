"""Field descriptors: they check what is assigned and convert to and from JSON."""

from __future__ import annotations

from typing import Any, Optional, Sequence


class FieldError(ValueError):
    """A value does not fit into its field."""

    def __init__(self, field: Field, message: str) -> None:
        super().__init__(f"{field.name}: {message}")
        self.field = field


class Field:
    """Base of all fields. The values live in the record's ``_values``."""

    def __init__(self, default: Any = None, required: bool = False) -> None:
        self.default = default
        self.required = required
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, record: Any, owner: Optional[type] = None) -> Any:
        if record is None:
            return self
        if self.name not in record._values:
            record._values[self.name] = self.initial()
        return record._values[self.name]

    def __set__(self, record: Any, value: Any) -> None:
        if value is None and self.required:
            raise FieldError(self, "a value is required")
        if value is not None:
            value = self.check(value)
        record._values[self.name] = value

    def initial(self) -> Any:
        """The value of a field that was never set."""
        return self.default

    def check(self, value: Any) -> Any:
        return value

    def dump(self, value: Any) -> Any:
        """What JSON stores."""
        return value

    def load(self, value: Any) -> Any:
        return value


class Text(Field):
    def __init__(self, default: Optional[str] = None, required: bool = False, longest: int = 80) -> None:
        super().__init__(default, required)
        self.longest = longest

    def check(self, value: Any) -> str:
        text = " ".join(str(value).split())
        if len(text) > self.longest:
            raise FieldError(self, f"longer than {self.longest} characters")
        return text


class Number(Field):
    """A whole number; JSON stores it as a string of digits, which survives other programs' floats."""

    def check(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise FieldError(self, f"{value!r} is not a whole number")
        return value

    def dump(self, value: Any) -> Any:
        return None if value is None else str(value)

    def load(self, value: Any) -> Any:
        return None if value is None else int(value)


class Choice(Field):
    def __init__(self, *options: str, required: bool = False) -> None:
        super().__init__(options[0], required)
        self.options = options

    def check(self, value: Any) -> str:
        if value not in self.options:
            raise FieldError(self, f"{value!r} is not one of {', '.join(self.options)}")
        return str(value)


class ListOf(Field):
    """A list of texts; each record has a list of its own."""

    def __init__(self, default: Sequence[str] = ()) -> None:
        super().__init__(tuple(default))

    def initial(self) -> list[str]:
        return list(self.default)

    def check(self, value: Any) -> list[str]:
        if isinstance(value, str):
            raise FieldError(self, "a list is needed, not a string")
        return [str(item) for item in value]

    def dump(self, value: Any) -> Any:
        return None if value is None else list(value)
