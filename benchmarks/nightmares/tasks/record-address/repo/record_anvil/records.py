"""Records: classes with fields."""

from __future__ import annotations

from typing import Any, ClassVar, Mapping, TypeVar

from .fields import Field, FieldError

R = TypeVar("R", bound="Record")


class Record:
    """Base of everything that a store can keep."""

    _fields: ClassVar[dict[str, Field]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Field)}
        cls._fields = {**cls._fields, **own}

    def __init__(self, **values: Any) -> None:
        self._values: dict[str, Any] = {}
        for name, value in values.items():
            if not isinstance(getattr(type(self), name, None), Field):
                raise TypeError(f"{type(self).__name__} has no field {name!r}")
            setattr(self, name, value)

    @classmethod
    def fields(cls) -> dict[str, Field]:
        """The fields of this class by name."""
        return dict(cls._fields)

    def validate(self) -> None:
        """Raises FieldError if a required field has no value."""
        for name, field in self._fields.items():
            if field.required and getattr(self, name) is None:
                raise FieldError(field, "a value is required")

    def to_dict(self) -> dict[str, Any]:
        return {name: field.dump(getattr(self, name)) for name, field in self._fields.items()}

    @classmethod
    def from_dict(cls: type[R], data: Mapping[str, Any]) -> R:
        """Data of fields that the class does not have any more is ignored."""
        record = cls()
        for name, field in cls._fields.items():
            if data.get(name) is not None:
                setattr(record, name, field.load(data[name]))
        return record

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({values})"
