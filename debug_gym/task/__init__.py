"""What a task is: one broken repository, what the agent is told, and how a fix is judged.

Immutable data with no behaviour beyond simple questions about itself. Imports nothing of debug-gym.
"""

from debug_gym.task.content import Content, as_bytes
from debug_gym.task.frozen import Frozen
from debug_gym.task.harness import Harness
from debug_gym.task.names import file_name, from_file_name
from debug_gym.task.question import ANSWER, OpenQuestion
from debug_gym.task.sealing import opened
from debug_gym.task.sources import (
    ArchiveSource,
    DirectorySource,
    FilesSource,
    GitSource,
    ImageSource,
    SealedSource,
    Source,
)
from debug_gym.task.task import TESTS_AND_CONFIGURATION, Environment, Limits, Task
from debug_gym.task.tests import NegativeControl, RunnerChoice, Tests

__all__ = [
    "ANSWER",
    "ArchiveSource",
    "Content",
    "DirectorySource",
    "Environment",
    "FilesSource",
    "Frozen",
    "GitSource",
    "Harness",
    "ImageSource",
    "Limits",
    "NegativeControl",
    "OpenQuestion",
    "RunnerChoice",
    "SealedSource",
    "Source",
    "TESTS_AND_CONFIGURATION",
    "Task",
    "Tests",
    "as_bytes",
    "file_name",
    "from_file_name",
    "opened",
]
