"""An expert: an adapter in PEFT's format, and beside it ``expert.json``, which says where it comes from."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from debug_gym.errors import LibraryError
from debug_gym.lora.adapter import AdapterConfig, Pairs, read_config, read_pairs

CARD, PROTOTYPES = "expert.json", "prototypes.safetensors"


class ExpertCard(BaseModel):
    """``expert.json``: everything about an expert that its weights do not say. Unknown keys are kept."""

    model_config = ConfigDict(extra="allow", frozen=True)

    format: int = 1
    description: str = ""
    trained_on: str = ""
    """What it was trained on: a dataset, a task, a repository at a commit, a cluster of them."""
    base: str | None = None
    """Name of the base model on the Hub, or a folder; None: the adapter does not say."""
    base_revision: str | None = None
    metrics: dict[str, float] = Field(default_factory=dict)
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    made_by: dict[str, Any] = Field(default_factory=dict)
    """How it came to be: experts and weights of a merge, settings of a training."""
    checksums: dict[str, str] = Field(default_factory=dict)
    """File name -> its SHA-256, in hexadecimal."""


@dataclass(frozen=True)
class Expert:
    """One expert of a library. Its weights are read when asked for."""

    name: str
    folder: Path
    config: AdapterConfig
    card: ExpertCard

    @classmethod
    def read(cls, folder: Path, name: str | None = None) -> "Expert":
        """The expert or plain PEFT adapter in ``folder``.

        Raises:
            LibraryError: there is none, or it is of a kind that cannot be an expert.
        """
        config = read_config(folder)
        return cls(name or folder.name, folder, config, read_card(folder) or _card_of(config))

    def pairs(self) -> Pairs:
        """A and B of every module, unscaled; ``config.scale(module)`` is what B A x is multiplied with."""
        return read_pairs(self.folder, self.config)

    def problems(self) -> list[str]:
        """What is wrong with its files: changed, missing or unreadable; empty: nothing."""
        found = []
        for file, checksum in self.card.checksums.items():
            path = self.folder / file
            if not path.is_file():
                found.append(f"{file} is missing")
            elif sha256(path) != checksum:
                found.append(f"{file} has changed since it was added: its checksum differs")
        if not self.card.checksums:
            found.append(f"{CARD} has no checksums")
        try:
            pairs = self.pairs()
        except LibraryError as error:
            return [*found, str(error)]
        broken = [
            module for module, (a, b) in pairs.items() if not (a.isfinite().all() and b.isfinite().all())
        ]
        return [*found, f"{broken[0]} holds NaN or infinity"] if broken else found


def read_card(folder: Path) -> ExpertCard | None:
    """``expert.json`` of ``folder``; None when there is none."""
    path = folder / CARD
    try:
        return ExpertCard.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise LibraryError(f"{path} cannot be read: {reason}") from error


def write_card(folder: Path, card: ExpertCard) -> None:
    """``expert.json`` with the checksums of all other files of the folder."""
    sums = {path.name: sha256(path) for path in sorted(folder.iterdir()) if path.name != CARD}
    filled = card.model_copy(update={"checksums": sums})
    (folder / CARD).write_text(filled.model_dump_json(indent=2) + "\n", encoding="utf-8")


def sha256(path: Path) -> str:
    """Of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _card_of(config: AdapterConfig) -> ExpertCard:
    return ExpertCard(base=config.base_model_name_or_path, base_revision=config.revision)
