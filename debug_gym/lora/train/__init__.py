"""Libraries from data: one expert a task, clusters of tasks, skills learned jointly.

Training is transformers' ``Trainer`` with PEFT's LoRA and Poly; it needs the extra ``local``.
"""

from debug_gym.errors import MissingExtraError

try:
    import peft  # noqa: F401
    import transformers  # noqa: F401
except ImportError as error:
    raise MissingExtraError(error.name or "transformers", "local") from None

from debug_gym.lora.train.cluster import cluster, similarity
from debug_gym.lora.train.data import Example, encode, group, read_examples
from debug_gym.lora.train.experts import build_experts, train_expert
from debug_gym.lora.train.fit import TrainingSettings
from debug_gym.lora.train.poly import PolySettings, add_skills, fit_task, train_poly, tune_task

__all__ = [
    "Example",
    "PolySettings",
    "TrainingSettings",
    "add_skills",
    "build_experts",
    "cluster",
    "encode",
    "fit_task",
    "group",
    "read_examples",
    "similarity",
    "train_expert",
    "train_poly",
    "tune_task",
]
