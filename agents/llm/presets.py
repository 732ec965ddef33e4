"""The agents of the debug-gym paper (arXiv 2503.21557) as settings of the one LLM agent, with its budgets.

A preset is a function that makes an ``LLMAgent``. Options win over what it sets. One of your own is an entry
point of the group ``debug_gym.agents`` that leads to such a function.
"""

from typing import Any

from debug_gym.agents.llm.agent import LLMAgent
from debug_gym.agents.models import Model

TOOLS = ("view", "rewrite", "eval", "listdir")
BUDGETS = {"max_steps": 50, "max_rewrites": 10}


def rewrite(model: Model | str = "", **options: Any) -> LLMAgent:
    """The paper's agent without a debugger: view, rewrite, eval and listdir; 50 steps, 10 rewrites."""
    return LLMAgent(model, **{"name": "rewrite", "tools": TOOLS, **BUDGETS, **options})


def debug(model: Model | str = "", **options: Any) -> LLMAgent:
    """The paper's agent with a debugger: as rewrite, with pdb from the start."""
    return LLMAgent(model, **{"name": "debug", "tools": (*TOOLS, "pdb"), **BUDGETS, **options})


def debug_after(n: int, model: Model | str = "", **options: Any) -> LLMAgent:
    """The paper's debug(N), such as debug-after-5: as rewrite, and pdb after N rewrites."""
    return debug(model, **{"name": f"debug-after-{n}", "debugger_after": n, **options})
