"""Routers decide which experts act: for a whole model, for each token and layer, or for each request."""

from debug_gym.lora.routing.base import Folded, Plan, RequestPlan, Router, TokenPlan
from debug_gym.lora.routing.request import PrefixLikelihood, Retrieval
from debug_gym.lora.routing.static import OneExpert, Uniform
from debug_gym.lora.routing.token import Arrow

__all__ = [
    "Arrow",
    "Folded",
    "OneExpert",
    "Plan",
    "PrefixLikelihood",
    "RequestPlan",
    "Retrieval",
    "Router",
    "TokenPlan",
    "Uniform",
]
