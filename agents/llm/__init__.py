"""The agent that a language model drives, and the paper's agents as presets of it."""

from debug_gym.agents.llm.agent import LLMAgent
from debug_gym.agents.llm.settings import LLMSettings

__all__ = ["LLMAgent", "LLMSettings"]
