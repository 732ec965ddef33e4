"""Tune a prompt by the tasks of a run: propose, score on a part of them, keep what helps on another."""

import json
import random
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from debug_gym.agents.llm.settings import LLMSettings
from debug_gym.agents.models.base import Model
from debug_gym.errors import ConfigError, SandboxError
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import make_benchmark, prepare
from debug_gym.runs.scheduler import execute
from debug_gym.store.records import Result, Run
from debug_gym.tuning.proposals import Present, check, failed, propose

START = "start"
"""What the prompt is called that tuning begins with."""


class TuningSettings(BaseModel):
    """How much is tried."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rounds: int = Field(default=3, ge=1)
    proposals: int = Field(default=3, ge=1)
    """In each round."""
    validation: float = Field(default=0.5, gt=0, lt=1)
    """Share of the tasks that decide what is kept; proposals see the others and are scored on them."""
    seed: int = 0
    """Which tasks are which."""


class Split(NamedTuple):
    """Ids of tasks."""

    train: tuple[str, ...]
    validation: tuple[str, ...]


@dataclass(frozen=True)
class Tried:
    """A prompt and what it was worth: shares of attempts that were resolved."""

    name: str
    train: float | None = None
    """None: its template cannot be filled."""
    validation: float | None = None
    """None: it was no better than the present one on the tasks to train on."""
    kept: bool = False


@dataclass(frozen=True)
class Tuned:
    """What came of it."""

    prompt: str
    """The best template."""
    tried: list[Tried] = field(default_factory=list)
    """All of them, in order; the last that was kept is the best."""


def tune(
    run: Run,
    prompt: str,
    proposer: Model,
    settings: TuningSettings,
    folder: Path,
    *,
    on_tried: Callable[[Tried], None] = lambda tried: None,
) -> Tuned:
    """Look for a better system prompt.

    In each round a model sees the present prompt and episodes that failed with it, and proposes others. Those
    are played on the tasks to train on. The best of them, if it solves more there than the present one, is
    played on the tasks to validate on, and takes its place if it solves more there, too. Proposals never see
    the tasks to validate on.

    Args:
        run: whose benchmark, tasks, agent and model are used.
        prompt: a Jinja template as ``LLMSettings.system_template`` takes it.
        proposer: any model.
        settings: how much is tried.
        folder: keeps prompts, runs, ``best.j2`` and ``tuning.json``; called again after a kill, it goes on.
        on_tried: told of each prompt once it is scored.

    Raises:
        ConfigError: the run has too few tasks, its agent takes no prompt, or the folder holds another tuning.
        ModelError: a model cannot be asked.
        SandboxError: attempts ended in infrastructure errors; called again, it plays them again.
    """
    config = RunConfig.model_validate(run.manifest.config)
    parts = split(run.manifest.tasks, settings)
    task = make_benchmark(config.benchmark, config.benchmark_options).task(parts.train[0]).for_agent()
    check(prompt, task, config.tools or ())
    _claim(folder, run, prompt, settings)
    play = _Player(run, config, folder)
    shares = [play.share(START, prompt, part) for part in parts]
    present = Tried(START, shares[0], shares[1], kept=True)
    tried = [present]
    on_tried(present)
    for number in range(1, settings.rounds + 1):
        names = [f"{number}-{at}" for at in range(1, settings.proposals + 1)]
        failures = failed(*play.results(present.name, prompt, parts.train))
        random.Random(settings.seed + number).shuffle(failures)
        share = present.train or 0.0
        found = propose(proposer, Present(prompt, share, failures), names, folder / "proposals.jsonl")
        scored = [Tried(name, _score(play, name, found.get(name), parts.train, task)) for name in names]
        best = max(scored, key=lambda one: -1.0 if one.train is None else one.train)
        for one in scored:
            if one is best and one.train is not None and one.train > share:
                value = play.share(one.name, found[one.name], parts.validation)
                one = Tried(one.name, one.train, value, kept=value > (present.validation or 0.0))
                if one.kept:
                    present, prompt = one, found[one.name]
            tried.append(one)
            on_tried(one)
    _write(folder / "best.j2", prompt)
    _write(folder / "tuning.json", json.dumps([asdict(one) for one in tried], indent=1) + "\n")
    return Tuned(prompt, tried)


def split(tasks: Sequence[str], settings: TuningSettings) -> Split:
    """The tasks to train on and those to validate on, by the seed.

    Raises:
        ConfigError: there are fewer than two.
    """
    if len(tasks) < 2:
        raise ConfigError("tuning needs a run of two tasks at least: some to try prompts on, some to decide")
    shuffled = random.Random(settings.seed).sample(sorted(tasks), len(tasks))
    kept = min(len(tasks) - 1, max(1, round(len(tasks) * settings.validation)))
    return Split(tuple(shuffled[kept:]), tuple(shuffled[:kept]))


class _Player:
    """Plays tasks with a prompt; what the run has played with that prompt already is not played again."""

    def __init__(self, run: Run, config: RunConfig, folder: Path) -> None:
        self.run, self.config, self.folder = run, config, folder
        template = config.agent_options.get("system_template", LLMSettings().system_template)
        self._own = _text(Path(template))

    def share(self, name: str, prompt: str, tasks: Sequence[str]) -> float:
        """Of the attempts at the tasks that were resolved, 0 to 1."""
        _, results = self.results(name, prompt, tasks)
        return sum(one.status == "resolved" for one in results) / len(results)

    def results(self, name: str, prompt: str, tasks: Sequence[str]) -> tuple[Run, list[Result]]:
        """How the attempts went, and the run that holds them."""
        if prompt == self._own:
            found = [one for one in self.run.results() if one.task in tasks and one.status != "error"]
            if len(found) == len(tasks) * self.config.attempts:
                return self.run, found
        file = self.folder / "prompts" / f"{name}.j2"
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, prompt)
        options = {**self.config.agent_options, "system_template": str(file)}
        where: dict[str, Any] = {
            "tasks": tuple(sorted(tasks)),
            "output": self.folder / "runs" / _label(name, tasks),
        }
        where |= {"split": None, "shuffle": None, "limit": None, "agent_options": options}
        with closing(prepare(self.config.model_copy(update=where))) as plan:
            done = execute(plan)
        if done.interrupted:
            raise KeyboardInterrupt
        if wrong := [one for one in done.results if one.status == "error"]:
            raise SandboxError(
                f"{len(wrong)} of {len(done.results)} attempts with the prompt {name} ended in an error "
                f"({wrong[0].reason}): the same command again plays them again"
            )
        return done.run, list(done.results)


def _label(name: str, tasks: Sequence[str]) -> str:
    """Of a run: its prompt, and how many tasks it has, by which the two parts differ in their folders."""
    return f"{name}-{min(tasks)}-{len(tasks)}"


def _score(play: _Player, name: str, prompt: str | None, tasks: Sequence[str], task: Any) -> float | None:
    try:
        check(prompt or "", task, play.config.tools or ())
    except ConfigError:
        return None
    return play.share(name, prompt or "", tasks)


def _claim(folder: Path, run: Run, prompt: str, settings: TuningSettings) -> None:
    """A folder belongs to one tuning: another one must not go on from its proposals."""
    told = {"run": str(run.path.resolve()), "prompt": prompt, "settings": settings.model_dump()}
    file = folder / "tuned.json"
    if file.exists():
        if json.loads(file.read_text(encoding="utf-8")) != told:
            raise ConfigError(
                f"{folder} holds another tuning (prompt, run or settings differ): delete it, or name another"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    _write(file, json.dumps(told, indent=1) + "\n")


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None


def _write(file: Path, text: str) -> None:
    scratch = file.with_name(file.name + ".new")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(file)
