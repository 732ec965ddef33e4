"""Models by name: any registered provider, recorded if asked for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from debug_gym import plugins
from debug_gym.agents.models.base import Model
from debug_gym.agents.models.recording import RecordingModel

RECORD = "record"
"""The option of every provider: a folder to record the answers in."""


def option_names(provider: str) -> list[str]:
    """What ``make_model`` takes for a provider.

    Raises:
        UnknownNameError: no such provider.
    """
    return [*plugins.load("models", provider).Settings.model_fields, RECORD]


def make_model(name: str, provider: str, options: Mapping[str, Any]) -> Model:
    """A model of a registered provider; with the option ``record`` its answers are recorded in that folder.

    Raises:
        UnknownNameError: no such provider.
        ConfigError: an option is unknown or wrong.
        ModelError: the model cannot be used, e.g. for want of a key.
    """
    own = {key: value for key, value in options.items() if key != RECORD}
    model: Model = plugins.load("models", provider)(name, **own)
    folder = options.get(RECORD)
    return model if folder is None else RecordingModel(model, Path(folder))
