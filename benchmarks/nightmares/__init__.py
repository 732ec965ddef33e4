"""The nightmares: small realistic repositories whose bug is far from its symptom.

They are a benchmark that is a folder; the controls are made by ``debug-gym validate nightmares
--write-controls``.
"""

from pathlib import Path

from debug_gym.benchmarks.folder import FolderBenchmark

TASKS = Path(__file__).parent / "tasks"


class Nightmares(FolderBenchmark):
    """Bugs that reading misleads about and watching the program run explains."""

    description = "Small realistic repositories whose bug is far from its symptom."

    def __init__(self) -> None:
        super().__init__(TASKS)
