"""The stages through which a learner goes; each is kept on disk, and is not done again."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from learning import tiny

from debug_gym.agents.llm.settings import LLMSettings
from debug_gym.benchmarks.sprouts import Sprouts
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import execute
from debug_gym.store.records import Run
from debug_gym.training.grpo import grpo as reinforce
from debug_gym.training.learner import Goal, Learner
from debug_gym.training.settings import GRPOSettings, SFTSettings
from debug_gym.training.sft import sft as imitate
from debug_gym.training.sources import Source

READING_SEED = 1
"""The base model reads functions of this seed, the agent plays tasks of seed 0."""


@dataclass(frozen=True)
class Size:
    """How much is done."""

    reading: int
    """Updates of the base model."""
    episodes: int
    """Of the oracle."""
    imitation: int
    """Updates of the supervised fine-tuning."""
    steps: int
    """Updates by GRPO."""
    prompts: int
    group: int
    held_out: int
    """Tasks of each kind that are played to evaluate."""
    tasks: int = 200
    """Of each family."""


SIZES = {
    "ci": Size(reading=30, episodes=8, imitation=60, steps=1, prompts=1, group=4, held_out=3, tasks=10),
    "small": Size(reading=400, episodes=300, imitation=100, steps=8, prompts=4, group=8, held_out=30),
    "medium": Size(reading=600, episodes=300, imitation=150, steps=16, prompts=4, group=8, held_out=40),
    "large": Size(reading=2000, episodes=1500, imitation=600, steps=150, prompts=8, group=8, held_out=200),
}


DEBUGGER = {
    "ci": Size(reading=10, episodes=4, imitation=10, steps=1, prompts=1, group=2, held_out=2, tasks=10),
    "small": Size(reading=200, episodes=150, imitation=120, steps=1, prompts=1, group=2, held_out=30),
    "medium": Size(reading=600, episodes=300, imitation=300, steps=1, prompts=1, group=2, held_out=60),
    "large": Size(reading=2000, episodes=1000, imitation=1000, steps=1, prompts=1, group=2, held_out=200),
}
"""The same for learners with and without ``pdb``, who only imitate: their texts are longer."""


@dataclass(frozen=True)
class Setting:
    """What the learner plays, and where everything is kept."""

    folder: Path
    size: Size
    tools: tuple[str, ...] = ("view", "rewrite")
    train: str = "train"
    """Split to learn on."""
    calls: int = 2
    options: dict[str, str] = field(default_factory=dict)
    """Of the benchmark."""

    @property
    def benchmark(self) -> Sprouts:
        """The tasks."""
        return Sprouts(size=self.size.tasks, **self.options)  # type: ignore[arg-type]

    @property
    def prompts(self) -> dict[str, str]:
        """The agent's templates: the problem, and nothing else."""
        system, instance = self.folder / "system.j2", self.folder / "instance.j2"
        self.folder.mkdir(parents=True, exist_ok=True)
        system.write_text("", encoding="utf-8")
        instance.write_text("{{ task.problem }}", encoding="utf-8")
        return {"system_template": str(system), "instance_template": str(instance)}


def oracle(setting: Setting) -> Path:
    """Episodes of the oracle, as a run."""
    return _play(
        setting,
        setting.folder / "oracle",
        split=setting.train,
        limit=setting.size.episodes,
        agent="oracle",
        agent_options={"by": "edits"},
    )


def base(setting: Setting, seed: int) -> Path:
    """A model that has read functions."""
    folder = setting.folder / f"base-{seed}"
    if not folder.exists():
        library = Sprouts(size=setting.size.tasks, seed=READING_SEED)
        names = library.split(setting.train) if setting.train != "train" else _all_but_runtime(library)
        texts = tiny.functions(library, names)
        told = [text for one in _source(setting).conversations() for text in _texts(one.messages)]
        tokenizer = tiny.make_tokenizer([*texts, *told])
        model = tiny.make_model(tokenizer, seed)
        tiny.read(model, tokenizer, texts, setting.size.reading, seed)
        tiny.save(model, tokenizer, folder)
    return folder


def sft(setting: Setting, start: Path, seed: int) -> Path:
    """The model after the oracle's episodes."""
    goal = Goal(output=setting.folder / f"sft-{seed}")
    assert goal.output is not None
    if not (goal.output / "config.json").exists():
        settings = SFTSettings(
            learning_rate=3e-3,
            schedule="linear",
            batch=16,
            max_steps=setting.size.imitation,
            max_length=1024,
            cpu=True,
            seed=seed,
            log_every=5,
        )
        with Learner(str(start), goal, settings) as learner:
            imitate(learner, _source(setting).conversations(), settings)
            learner.keep("", {})
    return goal.output


def grpo(setting: Setting, start: Path, seed: int) -> Path:
    """The model after playing."""
    goal = Goal(output=setting.folder / f"grpo-{seed}")
    assert goal.output is not None
    if not (goal.output / "config.json").exists():
        size = setting.size
        settings = GRPOSettings(
            learning_rate=1e-4,
            steps=size.steps,
            prompts=size.prompts,
            group=size.group,
            batch=size.prompts * size.group,
            calls=setting.calls,
            max_tokens=512,
            checkpoint_every=5,
            cpu=True,
            seed=seed,
        )
        tasks = setting.benchmark.split(setting.train)[size.episodes :]
        agent = LLMSettings.model_validate(setting.prompts)
        with Learner(str(start), goal, settings) as learner:
            reinforce(learner, setting.benchmark, tasks, setting.tools, settings, agent=agent)
            learner.keep("", {})
    return goal.output


def evaluate(setting: Setting, model: Path, split: str) -> Path:
    """A run of the model on tasks that it has not seen."""
    return _play(
        setting,
        setting.folder / "runs" / f"{split}-{model.name}",
        split=split,
        limit=setting.size.held_out,
        agent="llm",
        model=str(model),
        agent_options={
            "provider": "local",
            **setting.prompts,
            "constrained": False,
            "max_tokens": 120,
            "max_malformed": 1,
            "countdown": 0,  # what it was never told in the episodes that it learned from
            "device": "cpu",
        },
        workers=16,
    )


def figures(folder: Path) -> dict[str, float]:
    """``validity``: the share of the model's replies whose call was right; ``solved``: of tasks."""
    run = Run.open(folder)
    replies = right = 0
    for result in run.results():
        trajectory, end = run.trajectory(*result.key), run.end(*result.key)
        replies += sum(len(step.replies) for step in trajectory.steps) + len(end.replies if end else ())
        right += sum(not step.observation.error for step in trajectory.steps)
    solved = statistics.fmean(result.status == "resolved" for result in run.results())
    return {"validity": right / max(1, replies), "solved": solved}


def _play(setting: Setting, folder: Path, **options: object) -> Path:
    config = RunConfig.model_validate(
        {
            "benchmark": "sprouts",
            "benchmark_options": {"size": setting.size.tasks, **setting.options},
            "tools": setting.tools,
            "max_steps": setting.calls,
            "output": folder,
            **options,
        }
    )
    execute(prepare(config))
    return folder


def _source(setting: Setting) -> Source:
    return Source([setting.folder / "oracle"], options=setting.prompts)


def _all_but_runtime(benchmark: Sprouts) -> Sequence[str]:
    hidden = set(benchmark.split("runtime"))
    return [name for name in benchmark.ids() if name not in hidden]


def _texts(messages: Sequence[dict[str, object]]) -> list[str]:
    return [json.dumps(message, ensure_ascii=False) for message in messages] + [
        str(message["content"]) for message in messages if message["content"]
    ]
