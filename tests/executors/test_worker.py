from debug_gym.executors.worker import Failure, Station
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import Attempt
from debug_gym.task import DirectorySource, Task


def test_a_station_whose_machine_cannot_play_says_so(tmp_path):
    config = RunConfig(benchmark="repo", agent="random", sandbox="nowhere")
    task = Task(id="calc", problem="", source=DirectorySource(path=tmp_path))
    (said,) = Station(config.model_dump_json()).play(Attempt(task, 0, 0), "0" * 64)
    assert isinstance(said, Failure)
    assert "no sandbox named 'nowhere'" in said.problem
