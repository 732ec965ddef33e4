"""Models by name: any registered provider, recorded if asked for; and the model that a run's agents share."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from debug_gym import plugins
from debug_gym.agents.models.base import Model
from debug_gym.agents.models.recording import RecordingModel

PROVIDER = "openai"
"""The provider of models where none is named."""
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
    model = plugins.make("models", provider, {"name": name, **own})
    folder = options.get(RECORD)
    return model if folder is None else RecordingModel(model, Path(folder))


def takes_model(agent: Callable[..., Any]) -> bool:
    """Whether what makes an agent takes a ``Model``: it says so in the annotation of its ``model``."""
    parameter = inspect.signature(agent, eval_str=True).parameters.get("model")
    return parameter is not None and Model in (parameter.annotation, *get_args(parameter.annotation))


def with_model(options: Mapping[str, Any], model: Model | None = None) -> dict[str, Any]:
    """An agent's options with the model itself in the place of its name and of its own options.

    Args:
        options: as a command line gives them: ``model``, ``provider``, and the options of both.
        model: one that was made from the same options; None: it is made. Whoever gets it closes it.

    Raises as ``make_model`` does.
    """
    provider = options.get("provider", PROVIDER)
    names = option_names(provider)
    if model is None:
        own = {key: value for key, value in options.items() if key in names}
        model = make_model(options["model"], provider, own)
    rest = {key: value for key, value in options.items() if key not in (*names, "provider")}
    return {**rest, "model": model}
