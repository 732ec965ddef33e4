"""What models cost: a table of well-known ones that a user can extend."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, TypeAdapter

from debug_gym.agents.models.base import Usage
from debug_gym.task import Frozen

KNOWN = Path(__file__).with_name("prices.yaml")
THIS = "*"
"""The name in a table that stands for every model."""
_DATE = re.compile(r"[-@](\d{4}-\d{2}-\d{2}|\d{8}|latest)$")


class Prices(Frozen):
    """Dollars for a million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)
    """Input tokens from the server's prompt cache; None: as ``input``."""

    def dollars(self, usage: Usage) -> float:
        """What a reply cost."""
        cached = self.input if self.cached is None else self.cached
        fresh = usage.input_tokens - usage.cached_tokens
        micro = fresh * self.input + usage.cached_tokens * cached + usage.output_tokens * self.output
        return micro / 1e6


PriceTable = dict[str, Prices]


def read_prices(value: Any) -> Any:
    """What a user gives as ``prices``, as a table: one model's prices, a mapping of names to prices, the JSON
    of either, or a YAML or JSON file.

    Raises:
        ValueError: the file cannot be read.
    """
    if isinstance(value, str | Path):
        text = str(value)
        value = json.loads(text) if text.lstrip().startswith("{") else _read_file(Path(text))
    if value is None:
        return {}
    if isinstance(value, Prices) or (isinstance(value, dict) and {"input", "output"} & value.keys()):
        return {THIS: value}
    return value


def find_prices(model: str, own: PriceTable) -> Prices | None:
    """A model's prices, the user's own table first; None where they are not known.

    A name is also found without the provider before it (``openai/gpt-4o``), without the date or ``latest``
    after it, or both.
    """
    short = model.rpartition("/")[2]
    names = (model, _DATE.sub("", model), short, _DATE.sub("", short))
    for name, table in [*((name, own) for name in (*names, THIS)), *((name, _known()) for name in names)]:
        if name in table:
            return table[name]
    return None


@cache
def _known() -> PriceTable:
    content = yaml.safe_load(KNOWN.read_text(encoding="utf-8"))
    providers = (provider["models"] for provider in content["providers"])
    return TypeAdapter(PriceTable).validate_python({k: v for models in providers for k, v in models.items()})


def _read_file(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"the file {path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
