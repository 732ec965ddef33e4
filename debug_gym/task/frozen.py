"""The base of all immutable data."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Base of the immutable data types: no unknown keys, no changes after validation."""

    model_config = ConfigDict(frozen=True, extra="forbid")
