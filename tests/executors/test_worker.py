from debug_gym.executors.worker import Failure, Worker
from debug_gym.session import Attempt, AttemptConfig
from debug_gym.task import DirectorySource, Task


def test_a_worker_whose_machine_cannot_play_says_so(tmp_path):
    config = AttemptConfig(benchmark="repo", agent="random", sandbox="nowhere")
    task = Task(id="calc", problem="", source=DirectorySource(path=tmp_path))
    (said,) = Worker(config.model_dump_json()).play(Attempt(task, 0, 0), "0" * 64)
    assert isinstance(said, Failure)
    assert "no sandbox named 'nowhere'" in said.problem
