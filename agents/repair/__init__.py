"""A classical program repair baseline: it localises, mutates and validates, with no language model."""

from debug_gym.agents.repair.agent import RepairAgent

__all__ = ["RepairAgent"]
