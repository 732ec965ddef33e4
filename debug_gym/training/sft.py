"""Supervised fine-tuning on stored episodes: the agent's tokens are learned, all others are only read."""

from collections.abc import Iterable
from typing import Any

from debug_gym.errors import ConfigError
from debug_gym.lora.serve.chat import Chat
from debug_gym.lora.train.data import Encoded, Example, encode
from debug_gym.store.exports.conversations import Conversation
from debug_gym.store.exports.rows import with_objects
from debug_gym.toolcalls.notation import HERMES
from debug_gym.toolcalls.plain import as_plain_text
from debug_gym.training.extra import Dataset, SFTConfig, SFTTrainer
from debug_gym.training.learner import Learner
from debug_gym.training.settings import SFTSettings
from debug_gym.training.trainer import Progress, arguments, begin, digest, train

MEASURES = {"loss": "loss", "accuracy": "mean_token_accuracy", "learning_rate": "learning_rate"}


def sft(
    learner: Learner,
    conversations: Iterable[Conversation],
    settings: SFTSettings,
    *,
    on_progress: Progress | None = None,
) -> list[dict[str, float]]:
    """Train a learner on conversations; called again after it was killed, it goes on.

    Args:
        learner: what is trained, inside its ``with``. The caller keeps it.
        conversations: as ``Source`` gives them.
        settings: how.
        on_progress: told of each point of the curve.

    Returns:
        The curve: ``loss``, and ``accuracy``: the share of the agent's tokens that come first.

    Raises:
        ConfigError: there is nothing to learn from, or another training was begun in the folder.
    """
    rows = [
        {"input_ids": one.ids, "labels": one.labels}
        for conversation in conversations
        for one in encoded(conversation, learner.tokenizer, settings.max_length)
    ]
    if not rows:
        raise ConfigError(
            "there is nothing to learn from: no episode is fit, or none fits into --set max_length=N"
        )
    work = learner.goal.work
    begin(
        work, {"kind": "sft", "base": learner.base, "settings": settings.model_dump(), "data": digest(rows)}
    )
    known: dict[str, Any] = {
        "num_train_epochs": settings.epochs,
        "max_steps": settings.max_steps,
        "gradient_accumulation_steps": settings.accumulate,
        "max_length": None,
        "dataset_kwargs": {"skip_prepare_dataset": True},
    }
    trainer = SFTTrainer(
        learner.model,
        args=SFTConfig(**{**known, **arguments(settings, work)}),
        train_dataset=Dataset.from_list(rows),
        processing_class=learner.tokenizer,
    )
    return train(trainer, work, MEASURES, on_progress)


def encoded(conversation: Conversation, tokenizer: Any, max_length: int) -> list[Encoded]:
    """A conversation as the learner will read it in an episode, and what of it is learned.

    Models whose chat template knows of no tools are told of them, and call them, in text, as a local model is
    when it plays.
    """
    messages = [with_objects(message) for message in conversation.messages]
    tools: list[Any] | None = list(conversation.tools)
    if not Chat(tokenizer).takes_tools:
        messages, tools = list(as_plain_text(conversation.messages, conversation.tools, HERMES)), None
    names: dict[str, str] = {}
    for message in messages:
        for call in message.get("tool_calls") or ():
            names[call["id"]] = call["function"]["name"]
        if message["role"] == "tool":
            message["name"] = names.get(message["tool_call_id"], "tool")
    return encode(Example(messages=messages, tools=tools, task=conversation.task), tokenizer, max_length)
