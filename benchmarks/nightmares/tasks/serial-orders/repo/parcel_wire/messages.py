"""The messages that offices and the warehouse exchange."""

from dataclasses import asdict, dataclass
from typing import Dict, Type, Union

from .fields import FieldError, read_fields, write_fields
from .frames import Frame


@dataclass(frozen=True)
class Order:
    office: str
    number: int
    customer: str
    article: str
    quantity: int


@dataclass(frozen=True)
class Cancellation:
    office: str
    number: int
    reason: str = ""


@dataclass(frozen=True)
class Ping:
    office: str


Message = Union[Order, Cancellation, Ping]
TYPES: Dict[str, Type[Message]] = {"O": Order, "C": Cancellation, "P": Ping}


def to_frame(message: Message) -> Frame:
    kind = next(kind for kind, type_ in TYPES.items() if isinstance(message, type_))
    return Frame(kind, write_fields(asdict(message)))


def from_frame(frame: Frame) -> Message:
    """Raises FieldError if the frame does not hold such a message."""
    fields: Dict[str, object] = dict(read_fields(frame.text))
    for name in ("number", "quantity"):
        if name in fields:
            fields[name] = int(str(fields[name]))
    try:
        return TYPES[frame.kind](**fields)  # type: ignore[arg-type]
    except TypeError as error:
        raise FieldError(f"not a message of kind {frame.kind}: {error}") from None
