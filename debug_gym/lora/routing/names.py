"""Routers by name, as command lines and requests give them."""

from pathlib import Path
from typing import Any

from debug_gym.errors import ConfigError, UnknownNameError
from debug_gym.lora.library import ExpertLibrary
from debug_gym.lora.routing.base import Router
from debug_gym.lora.routing.centroids import Centroids
from debug_gym.lora.routing.poly import PolyRouting
from debug_gym.lora.routing.request import PrefixLikelihood
from debug_gym.lora.routing.static import OneExpert, Uniform
from debug_gym.lora.routing.token import Arrow, GenKnowSub, Spectr

_PLAIN = {"uniform": Uniform, "arrow": Arrow, "spectr": Spectr, "likelihood": PrefixLikelihood}
NAMES = (*_PLAIN, "centroids", "genknowsub")
"""Routers that need nothing but the library; beside them any expert's name, and ``poly:FILE:TASK``."""


def make_router(name: str, library: ExpertLibrary, **options: Any) -> Router:
    """The router of that name; an expert's name stands for that expert.

    Args:
        name: one of :data:`NAMES`, an expert, or ``poly:FILE:TASK`` (FILE: a saved :class:`PolyRouting`, by
            path or in the library's folder).
        library: whose experts it routes.
        options: the router's fields, such as ``top_k``; genknowsub needs ``general``, names of experts.

    Raises:
        UnknownNameError: no such router or expert.
        ConfigError: an option that the router does not have.
    """
    if name in library:
        return OneExpert(name)
    try:
        if name in _PLAIN:
            plain: Router = _PLAIN[name](**options)
            return plain
        if name == "genknowsub":
            return GenKnowSub(tuple(options.pop("general", ())), **options)
        if name == "centroids":
            return Centroids.stored(library, **options)
    except TypeError:
        raise ConfigError(f"the router {name!r} does not take the options {', '.join(options)}") from None
    if name.startswith("poly:"):
        file, _, task = name.removeprefix("poly:").rpartition(":")
        path = Path(file) if Path(file).is_file() else library.folder / file
        return PolyRouting.load(path).task(task)
    raise UnknownNameError("router or expert", name, (*NAMES, *library))
