"""ATIF, the Agent Trajectory Interchange Format of Harbor, version 1.8.

A trajectory is one JSON document: who played, what the user said, and a step for each turn of the agent with
its tool calls, their results and what they cost. https://www.harborframework.com/docs/trajectory-format
"""

from collections.abc import Mapping
from typing import Any

from debug_gym.episode import Step, Trajectory
from debug_gym.store.records import Result, Run
from debug_gym.tools.base import Toolbox
from debug_gym.version import VERSION

SCHEMA = "ATIF-v1.8"
_COUNTS = {
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "cached_tokens": "cached_tokens",
}


def as_atif(run: Run, result: Result) -> dict[str, Any]:
    """One judged attempt as an ATIF document. Raises as ``Run.trajectory`` does."""
    trajectory = run.trajectory(*result.key)
    user = {"step_id": 1, "source": "user", "message": trajectory.first_observation}
    steps = [user, *(_step(step) for step in trajectory.steps)]
    return {
        "schema_version": SCHEMA,
        "session_id": f"{run.path.name}/{result.task}.{result.attempt}",
        "agent": _agent(run, trajectory),
        "steps": steps,
        "final_metrics": {
            **{f"total_{name}": count for name, count in _counts(result.usage).items()},
            "total_steps": len(steps),
            "extra": {
                "reward": float(result.status == "resolved"),
                "status": result.status,
                "ending": result.ending,
                "reason": result.reason,
                "seconds": result.seconds,
            },
        },
        "extra": {"benchmark": trajectory.benchmark, "task": result.task, "attempt": result.attempt},
    }


def _agent(run: Run, trajectory: Trajectory) -> dict[str, Any]:
    config = run.manifest.config
    agent: dict[str, Any] = {
        "name": trajectory.agent,
        "version": run.manifest.versions.get("debug_gym", VERSION),
    }
    if config.get("model"):
        agent["model_name"] = config["model"]
    if config.get("tools"):
        agent["tool_definitions"] = Toolbox(config["tools"]).schemas()
    return agent


def _step(step: Step) -> dict[str, Any]:
    key = step.call.id or f"call{step.index:05}"
    reply = step.replies[-1] if step.replies else None
    told: dict[str, Any] = {
        "step_id": step.index + 2,
        "source": "agent",
        "message": step.thought if reply is None else reply.text,
        "tool_calls": [
            {"tool_call_id": key, "function_name": step.call.name, "arguments": step.call.arguments}
        ],
        "observation": {"results": [{"source_call_id": key, "content": step.observation.text}]},
        "extra": {"reward": step.reward, "seconds": step.seconds, "error": step.observation.error},
    }
    if reply is not None and reply.reasoning:
        told["reasoning_content"] = reply.reasoning
    if counts := _counts(step.usage) | _tokens(step):
        told["metrics"] = counts
    return told


def _counts(usage: Mapping[str, float]) -> dict[str, Any]:
    counts: dict[str, Any] = {name: int(usage[key]) for name, key in _COUNTS.items() if key in usage}
    return counts | ({"cost_usd": usage["dollars"]} if "dollars" in usage else {})


def _tokens(step: Step) -> dict[str, Any]:
    """The ids and log-probabilities of the reply's tokens, where they were kept."""
    tokens = step.replies[-1].tokens if step.replies else None
    if tokens is None:
        return {}
    named = {
        "prompt_token_ids": tokens.prompt_ids,
        "completion_token_ids": tokens.completion_ids,
        "logprobs": tokens.completion_logprobs,
    }
    return {name: list(values) for name, values in named.items() if values is not None}
