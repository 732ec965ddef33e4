"""Task folders of Harbor and of Terminal-Bench: played without their images, and scored by their tests."""

import pytest

from debug_gym.agents.oracle import OracleAgent
from debug_gym.benchmarks.harbor import FOLDER, Harbor
from debug_gym.checks.validate import validate_all
from debug_gym.env import DebugGymEnv
from debug_gym.errors import ConfigError, TaskError
from debug_gym.session import play
from debug_gym.task import ImageSource

pytestmark = pytest.mark.slow

TOML = """\
version = "1.0"
[metadata]
category = "debugging"
difficulty = "easy"
[verifier]
timeout_sec = 90.0
[environment]
memory = "1G"
storage_mb = 100
[environment.env]
GREETING = "hello"
"""
TEST = (
    "import json\nimport os\nfrom pathlib import Path\n\n\ndef test_sums():\n"
    "    wanted = json.loads(Path('/tests/wanted.json').read_text())\n"
    "    assert json.loads(Path('/app/out/sums.json').read_text()) == wanted\n\n\n"
    "def test_place():\n    assert os.path.exists(os.environ['TEST_DIR'] + '/test_outputs.py')\n"
)
SOLVE = (
    "#!/bin/bash\ncd /app\nsed -i 's/a - b/a + b/' sums.py\nmkdir -p out\n"
    "python sums.py $(cat /solution/numbers.txt) > /app/out/sums.json\n"
)
PROGRAM = "import sys\n\n\ndef add(a, b):\n    return a - b\n\n\nprint([add(*map(int, sys.argv[1:]))])\n"
DOCKERFILE = (
    "FROM python:3.12-slim\n# the program\nRUN apt-get update && \\\n    apt-get install -y git\nWORKDIR /app\n"
    'COPY --chown=1000 sums.py ./\nCOPY ["data/*", "data/"]\nCOPY elsewhere.txt /etc/elsewhere.txt\n'
)
HARBOR = {
    "task.toml": TOML,
    "instruction.md": "Fix /app/sums.py and put the sum of 1 and 2 as a list into /app/out/sums.json.\n",
    "environment/Dockerfile": DOCKERFILE,
    "environment/sums.py": PROGRAM,
    "environment/data/numbers.csv": "1,2\n",
    "environment/elsewhere.txt": "not below the workspace\n",
    "solution/solve.sh": SOLVE,
    "solution/numbers.txt": "1 2\n",
    "tests/test.sh": "pytest $TEST_DIR/test_outputs.py -rA\necho $? > /logs/verifier/reward.txt\n",
    "tests/test_outputs.py": TEST,
    "tests/test_sums.py": "def test_nothing_that_counts():\n    assert False\n",
    "tests/wanted.json": "[3]\n",
}
TERMINAL_BENCH = {
    "task.yaml": "instruction: |-\n  Fix /app/sums.py; out/sums.json is the sum of 1 and 2.\ndifficulty: easy\n",
    "Dockerfile": "FROM t-bench/python-3-13:20250620\nCOPY . .\n",
    "docker-compose.yaml": "services: {}\n",
    "sums.py": PROGRAM,
    "solution.sh": SOLVE.replace("$(cat /solution/numbers.txt)", "1 2"),
    "run-tests.sh": "uv run pytest $TEST_DIR/test_outputs.py -rA\n",
    "tests/test_outputs.py": TEST,
    "tests/wanted.json": "[3]\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, files in {"sums": HARBOR, "old-sums": TERMINAL_BENCH, "notes": {"a.md": "no task"}}.items():
        for path, text in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_text(text)
    return tmp_path


def test_both_formats_are_sound_and_their_solutions_out_of_reach(folder, backend):
    benchmark = Harbor(folder)
    assert benchmark.ids() == ["old-sums", "sums"]
    found = validate_all(list(benchmark.tasks.values()), backend, repeats=1)
    assert [item.problems for item in found] == [(), ()]


def test_what_becomes_of_a_folder(folder):
    task = Harbor(folder / "sums").task("sums")
    assert set(task.source.files) == {"sums.py", "data/numbers.csv", f"{FOLDER}/README"}
    assert set(task.tests.hidden) == {f"{FOLDER}/test_outputs.py", f"{FOLDER}/wanted.json"}
    assert f"Path('/workspace/{FOLDER}/wanted.json')" in task.tests.hidden[f"{FOLDER}/test_outputs.py"]
    assert task.problem.startswith("Fix /workspace/sums.py and put")
    assert (task.limits.memory, task.limits.disk, task.tests.timeout) == (1 << 30, 100 << 20, 90)
    assert task.environment.variables["GREETING"] == "hello"
    assert task.metadata == {"category": "debugging", "difficulty": "easy"}
    assert task.is_editable("out/sums.json")
    assert not task.is_editable("conftest.py")
    assert not task.is_editable(f"{FOLDER}/wanted.json")
    assert set(Harbor(folder).task("old-sums").source.files) == {"sums.py", f"{FOLDER}/README"}


def test_images_that_are_named(folder):
    toml = folder / "sums/task.toml"
    toml.write_text(TOML.replace("[environment]\n", '[environment]\ndocker_image = "sums:1"\n'))
    task = Harbor(folder).task("sums")
    assert isinstance(task.source, ImageSource)
    assert (task.source.image, task.source.folder) == ("sums:1", "/app")
    assert task.problem.startswith("Fix /app/sums.py")
    assert task.environment.variables["TEST_DIR"] == f"/app/{FOLDER}"
    assert Harbor(folder, image="hb__{id}").task("old-sums").source.image == "hb__old-sums"
    assert Harbor(folder, image="files").task("sums").source.kind == "files"


def test_the_oracle_runs_the_solution(folder):
    task = Harbor(folder).task("sums")
    env = DebugGymEnv(task=task)
    try:
        assert play(env, OracleAgent()).verdict.resolved
        with pytest.raises(TaskError, match="gold script and no patch"):
            play(env, OracleAgent(by="edits"))
    finally:
        env.close()


def test_what_is_broken_is_told(folder):
    (folder / "sums/task.toml").write_text("version = ")
    with pytest.raises(TaskError, match=r"task\.toml cannot be read"):
        Harbor(folder).task("sums")
    (folder / "old-sums/task.yaml").write_text("difficulty: easy\n")
    with pytest.raises(TaskError, match="has no instruction"):
        Harbor(folder).task("old-sums")
    (folder / "old-sums/task.yaml").write_text(TERMINAL_BENCH["task.yaml"])
    (folder / "old-sums/Dockerfile").write_text("FROM x\nCOPY ../secrets /app/\n")
    with pytest.raises(TaskError, match="copies from outside of its folder"):
        Harbor(folder).task("old-sums")
    with pytest.raises(ConfigError, match="holds no task"):
        Harbor(folder / "notes").ids()
