"""A library of LoRA experts on one base model, and routing among them, per token or per request.

Experts are adapters in PEFT's own format; :func:`attach` makes a transformers model use a library through a
:class:`~debug_gym.lora.routing.base.Router`. Nothing here knows of agents or environments.
"""

from debug_gym.errors import MissingExtraError

try:
    import torch  # noqa: F401
except ImportError:
    raise MissingExtraError("torch", "local") from None

from debug_gym.lora.attach import RoutedModel, attach
from debug_gym.lora.expert import Expert, ExpertCard
from debug_gym.lora.library import ExpertLibrary
from debug_gym.lora.routing import Arrow, OneExpert, Router, Uniform
from debug_gym.lora.stack import ExpertStack

__all__ = [
    "Arrow",
    "Expert",
    "ExpertCard",
    "ExpertLibrary",
    "ExpertStack",
    "OneExpert",
    "RoutedModel",
    "Router",
    "Uniform",
    "attach",
]
