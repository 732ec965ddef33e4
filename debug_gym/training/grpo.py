"""Reinforcement learning in the gym: groups of rollouts from forks of one episode, rewarded by the judge."""

import functools
import random
from collections.abc import Iterator, Sequence
from typing import Any

from debug_gym.agents.llm import prompts
from debug_gym.agents.llm.settings import LLMSettings
from debug_gym.benchmarks.base import Benchmark
from debug_gym.errors import ConfigError
from debug_gym.integrations.trl import OVER, Episode, environment
from debug_gym.opening import opening
from debug_gym.task import Task
from debug_gym.training.extra import (
    Dataset,
    GRPOConfig,
    GRPOTrainer,
    add_response_schema,
    supports_tool_calling,
)
from debug_gym.training.learner import Learner
from debug_gym.training.settings import GRPOSettings
from debug_gym.training.trainer import Progress, arguments, begin, digest, train

MEASURES = {
    "reward": "rewards/DebugGym/mean",
    "validity": "rewards/validity/mean",
    "length": "completions/mean_length",
    "entropy": "entropy",
    "calls": "calls",
    "same": "frac_reward_zero_std",
    "kl": "kl",
    "gym_seconds": "gym_seconds",
    "seconds": "step_time",
}
"""What the curve shows: the reward of an episode, the share of valid calls, tokens of the agent, and in how
many groups all rollouts got the same reward, so that nothing was learned from them."""


def grpo(
    learner: Learner,
    benchmark: Benchmark,
    tasks: Sequence[str],
    tools: Sequence[str],
    settings: GRPOSettings,
    *,
    agent: LLMSettings | None = None,
    sandbox: str = "namespace",
    on_progress: Progress | None = None,
) -> list[dict[str, float]]:
    """Train a learner on what the judge says of its episodes; called again after it was killed, it goes on.

    Args:
        learner: what is trained, inside its ``with``. The caller keeps it. Its chat template must know of
            tools.
        benchmark: whose tasks are played.
        tasks: ids of those to train on.
        tools: names of the tools that it may call.
        settings: how.
        agent: prompts that it reads, as the agent ``llm`` would with these settings.
        sandbox: where episodes are played.
        on_progress: told of each point of the curve.

    Returns:
        The curve, see ``MEASURES``.

    Raises:
        ConfigError: options that do not fit together, or another training was begun in the folder.
        DebugGymError: an episode failed by no fault of the learner.
    """
    total = settings.prompts * settings.group
    if total % settings.batch:
        raise ConfigError(f"--set batch={settings.batch} does not divide prompts x group = {total} rollouts")
    _check_template(learner)
    agent = agent or LLMSettings()
    world = environment(
        benchmark,
        tasks=list(tasks),
        tools=tools,
        reward=settings.reward,
        max_steps=settings.calls,
        sandbox=sandbox,
        workers=settings.workers,
        told=False,
    )
    prompt = functools.cache(lambda name: _prompt(benchmark.task(name), agent, tools, settings.calls))
    rows = [{"prompt": prompt(name), "task": name} for name in _drawn(tasks, settings)]
    work = learner.goal.work
    told = {"kind": "grpo", "base": learner.base, "start": learner.goal.start, "tools": list(tools)}
    begin(work, {**told, "settings": settings.model_dump(), "data": digest(rows)})
    known: dict[str, Any] = {
        "max_steps": settings.steps,
        "gradient_accumulation_steps": total // settings.batch,
        "num_generations": settings.group,
        "max_completion_length": settings.max_tokens,
        "max_tool_calling_iterations": settings.calls,
        "temperature": settings.temperature,
        "beta": settings.beta,
        "loss_type": settings.loss,
        "reward_weights": [settings.validity],
        "shuffle_dataset": False,
    }
    trainer = _Trainer(
        learner.model,
        reward_funcs=[validity],
        args=GRPOConfig(**{**known, **arguments(settings, work)}),
        train_dataset=Dataset.from_list(rows),
        processing_class=learner.tokenizer,
        environment_factory=world,
    )
    trainer._env_tools = {None: world._arena.env.toolbox.schemas()}  # the schemas that agents read
    try:
        return train(trainer, work, MEASURES, on_progress)
    finally:
        world._arena.close()


def validity(
    completions: Sequence[Sequence[dict[str, Any]]],
    environments: Sequence[Episode],
    log_metric: Any,
    **_: Any,
) -> list[float]:
    """For each rollout the share of the agent's turns whose call was right, in the form of TRL's rewards."""
    arena = environments[0]._arena
    arena.settle()
    rollouts = [one._rollout for one in environments]
    log_metric("gym_seconds", arena.take_seconds())
    log_metric("calls", sum(one.calls for one in rollouts if one) / len(rollouts))
    turns = [sum(message["role"] == "assistant" for message in completion) for completion in completions]
    valid = [one.calls - one.wrong if one else 0 for one in rollouts]
    return [min(1.0, right / max(1, count)) for right, count in zip(valid, turns, strict=True)]


class _Trainer(GRPOTrainer):  # type: ignore[misc]
    """A rollout ends with its episode; TRL would go on until the model calls nothing."""

    def _get_tool_suffix_ids(self, tool_messages: list[dict[str, Any]]) -> list[int]:
        if str(tool_messages[-1]["content"]).endswith(OVER):
            # what does not fit is taken back, and the rollout ends with the call
            return [self.processing_class.pad_token_id] * (self.max_completion_length + 1)
        return list(super()._get_tool_suffix_ids(tool_messages))


def _drawn(tasks: Sequence[str], settings: GRPOSettings) -> Iterator[str]:
    """The tasks of all steps, in order: each as often as the others. TRL's own order is lost by a break."""
    draw, waiting = random.Random(settings.seed), list[str]()
    for _ in range(settings.steps * settings.prompts):
        if not waiting:
            waiting = draw.sample(list(tasks), len(tasks))
        yield waiting.pop()


def _prompt(task: Task, agent: LLMSettings, tools: Sequence[str], calls: int) -> list[dict[str, Any]]:
    told = task.for_agent()
    return [dict(one) for one in prompts.opening(agent, told, opening(told), tools, calls)]


def _check_template(learner: Learner) -> None:
    tokenizer = learner.tokenizer
    if not supports_tool_calling(tokenizer):
        raise ConfigError(
            f"the chat template of {learner.base} writes no tool calls: give one that does by "
            "--set chat_template=FILE"
        )
    if getattr(tokenizer, "response_template", None) is None:
        try:
            add_response_schema(tokenizer)
        except ValueError:
            raise ConfigError(
                f"TRL cannot read the calls of {learner.base}'s chat template: its tokenizer needs a "
                "response_template (see transformers' documentation on parsing responses)"
            ) from None
