"""Routers decide which experts act: for a whole model, for each token and layer, or for each request."""

from debug_gym.lora.routing.base import Folded, Plan, RequestPlan, Router, TokenPlan
from debug_gym.lora.routing.centroids import Centroids
from debug_gym.lora.routing.names import make_router
from debug_gym.lora.routing.poly import Mixture, PolyRouting
from debug_gym.lora.routing.request import PrefixLikelihood, Retrieval
from debug_gym.lora.routing.static import OneExpert, Uniform
from debug_gym.lora.routing.token import Arrow, GenKnowSub, Spectr

__all__ = [
    "Arrow",
    "Centroids",
    "Folded",
    "GenKnowSub",
    "Mixture",
    "OneExpert",
    "Plan",
    "PolyRouting",
    "PrefixLikelihood",
    "RequestPlan",
    "Retrieval",
    "Router",
    "Spectr",
    "TokenPlan",
    "Uniform",
    "make_router",
]
