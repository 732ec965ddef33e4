"""What is trained, and where the result goes: an expert in a library, or a whole model in a folder."""

import tempfile
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from debug_gym.errors import ConfigError, LibraryError
from debug_gym.lora.library import ExpertLibrary, check_name
from debug_gym.lora.train.fit import adapted
from debug_gym.training.settings import TrainSettings


@dataclass(frozen=True)
class Goal:
    """Where the result goes.

    Args:
        library: a folder of experts; None: the whole model is trained.
        name: of the expert.
        output: a folder for the whole model.
        start: an expert of the library to begin with.
        replace: there may be an expert of that name, or a model in that folder.

    Raises:
        ConfigError: it is none of the two, or both.
    """

    library: Path | None = None
    name: str | None = None
    output: Path | None = None
    start: str | None = None
    replace: bool = False

    def __post_init__(self) -> None:
        if (self.library is None) == (self.output is None):
            raise ConfigError(
                "name a --library and the expert's --name, or an --output folder for a whole model"
            )
        if (self.library is None) != (self.name is None):
            raise ConfigError("--library and --name go together: a folder of experts, and the new one's name")
        if self.start is not None and self.library is None:
            raise ConfigError(
                "--start is an expert of the --library: name that, or begin with another --base"
            )
        if self.name is not None:
            check_name(self.name)

    @property
    def work(self) -> Path:
        """For checkpoints and curves."""
        if self.library is not None and self.name is not None:
            return self.library.with_name(f"{self.library.name}.work") / self.name
        assert self.output is not None
        return self.output.with_name(f"{self.output.name}.work")

    def check(self) -> None:
        """Raises ConfigError if the result is there already."""
        if self.replace:
            return
        if self.library is not None and (self.library / str(self.name)).exists():
            raise ConfigError(
                f"{self.library} has an expert {self.name!r} already: choose a name, or --replace"
            )
        if self.output is not None and (self.output / "config.json").exists():
            raise ConfigError(f"{self.output} holds a model already: choose a folder, or --replace")


class Learner(AbstractContextManager["Learner"]):
    """A model that is trained, and its tokenizer.

    Args:
        base: a folder as ``save_pretrained`` writes it, or a name on the Hub; None: the library's base.
        goal: what becomes of it.
        settings: of the training.

    Raises:
        ConfigError: the model cannot be loaded.
        LibraryError: the library is of another base.
    """

    def __init__(self, base: str | None, goal: Goal, settings: TrainSettings) -> None:
        self.goal, self.settings = goal, settings
        self._library = ExpertLibrary.create(goal.library, base) if goal.library is not None else None
        named = base or (self._library.base if self._library is not None else None)
        if not named:
            raise ConfigError("name the model to begin with: --base, a folder or a name on the Hub")
        self.base = named
        self._bar = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(named)
            self._model: Any = AutoModelForCausalLM.from_pretrained(named, dtype=torch.float32)
        except (OSError, ValueError) as error:
            why = str(error).strip().splitlines()[0]
            raise ConfigError(f"the model {named} cannot be loaded: {why}") from None
        if settings.chat_template is not None:
            self.tokenizer.chat_template = _read(settings.chat_template)
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self._stack = ExitStack()
        self.model: Any = self._model
        """The model that is trained: as it is, or with a LoRA."""

    def __enter__(self) -> "Learner":
        if self._library is not None:
            if self.goal.start is None:
                self.model = self._stack.enter_context(adapted(self._model, self._lora(), self.settings.seed))
            else:
                folder = self._library[self.goal.start].folder
                self.model = PeftModel.from_pretrained(self._model, folder, is_trainable=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        if self._bar:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]

    def keep(self, trained_on: str, metrics: dict[str, float]) -> Path:
        """Store what was learned; returns its folder."""
        if self._library is None or self.goal.name is None:
            assert self.goal.output is not None
            self.model.save_pretrained(self.goal.output)
            self.tokenizer.save_pretrained(self.goal.output)
            return self.goal.output
        self.goal.work.mkdir(parents=True, exist_ok=True)
        made_by = {"training": self.settings.model_dump(mode="json"), "start": self.goal.start}
        with tempfile.TemporaryDirectory(dir=self.goal.work) as scratch:
            self.model.save_pretrained(scratch)
            expert = self._library.add(
                scratch,
                self.goal.name,
                base=self._library.base,
                replace=self.goal.replace,
                trained_on=trained_on,
                metrics=metrics,
                made_by=made_by,
            )
        return expert.folder

    def _lora(self) -> LoraConfig:
        settings = self.settings
        targets = settings.targets if isinstance(settings.targets, str) else list(settings.targets)
        return LoraConfig(
            task_type="CAUSAL_LM",
            r=settings.rank,
            lora_alpha=settings.alpha,  # type: ignore[arg-type]  # PEFT divides it
            lora_dropout=settings.dropout,
            target_modules=targets,
        )


def _read(template: Path) -> str:
    try:
        return template.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LibraryError(f"the chat template {template} cannot be read: {error}") from None
