"""Tool calls that models write as text: the formats they are trained on, found and read without guessing.

Knows nothing of agents or models: ``debug_gym.agents.models`` and ``debug_gym.lora.serve`` share it.
"""

from debug_gym.toolcalls.cursor import WrittenCall
from debug_gym.toolcalls.find import FoundCalls, find_calls

__all__ = ["FoundCalls", "WrittenCall", "find_calls"]
