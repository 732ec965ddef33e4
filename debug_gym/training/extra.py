"""What is taken from TRL and datasets; where they are not installed, a sentence names the extra."""

import os

from debug_gym.errors import MissingExtraError

os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # it warns of the environment interface
try:
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer
    from trl.chat_template_utils import add_response_schema, supports_tool_calling
except ImportError as error:
    raise MissingExtraError(error.name or "trl", "train") from None

__all__ = [
    "Dataset",
    "GRPOConfig",
    "GRPOTrainer",
    "SFTConfig",
    "SFTTrainer",
    "add_response_schema",
    "supports_tool_calling",
]
