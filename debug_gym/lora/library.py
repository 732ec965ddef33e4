"""A library of experts: a folder of PEFT adapters on one base model, each with its ``expert.json``.

Every change is atomic: an expert is written beside the library's folders and renamed into place, so that a
crash leaves either the old state or the new one.
"""

import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from debug_gym.errors import LibraryError, UnknownNameError
from debug_gym.lora import hub
from debug_gym.lora.adapter import CONFIG, WEIGHTS
from debug_gym.lora.expert import PROTOTYPES, Expert, ExpertCard, write_card
from debug_gym.lora.stack import ExpertStack

INDEX = "library.json"
_SCRATCH, _REPLACED = ".changing-", ".replaced"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class ExpertLibrary(Mapping[str, Expert]):
    """Name -> :class:`Expert`, in alphabetical order. Open one with :meth:`open` or :meth:`create`."""

    def __init__(self, folder: Path, base: str | None) -> None:
        self.folder, self.base = folder, base

    @classmethod
    def open(cls, source: str | Path) -> Self:
        """The library in a folder, or in a repository of the Hugging Face Hub (``hf://owner/name[@revision]``).

        Any folder of PEFT adapters is a library, with or without ``expert.json``.

        Raises:
            LibraryError: there is no such folder, or it holds neither ``library.json`` nor adapters.
        """
        folder = hub.fetch(str(source)) if hub.is_address(source) else Path(source)
        if not folder.is_dir():
            raise LibraryError(f"there is no library at {folder}: make one with  debug-gym library add")
        library = cls(folder, _read_base(folder))
        if library.base is None and not (folder / INDEX).exists():
            if not len(library):
                raise LibraryError(f"{folder} is no library: it holds neither {INDEX} nor adapters")
            library.base = next((card.base for card in library.cards() if card.base), None)
        return library

    @classmethod
    def create(cls, folder: str | Path, base: str | None = None) -> Self:
        """The library in ``folder``, made if it is not there; ``base`` is the model of all its experts."""
        folder = Path(folder)
        if (folder / INDEX).exists() or (folder.is_dir() and any(folder.iterdir())):
            library = cls.open(folder)
            library._expect_base(base, f"the library {folder}")
            return library
        folder.mkdir(parents=True, exist_ok=True)
        library = cls(folder, base)
        library._write_index()
        return library

    def __getitem__(self, name: str) -> Expert:
        """An expert, or UnknownNameError."""
        if name not in self:
            raise UnknownNameError("expert", name, self)
        return Expert.read(self.folder / name)

    def __iter__(self) -> Iterator[str]:
        names = (entry.name for entry in os.scandir(self.folder) if entry.is_dir())
        return iter(sorted(name for name in names if name in self))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return bool(
            isinstance(name, str) and _NAME.fullmatch(name) and (self.folder / name / CONFIG).is_file()
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The experts' names, in alphabetical order."""
        return tuple(self)

    def cards(self) -> list[ExpertCard]:
        """What each expert says about itself, in the order of the names."""
        return [expert.card for expert in self.values()]

    def stack(self, names: Iterable[str] | None = None) -> ExpertStack:
        """The weights of these experts (default: all), as one tensor a module."""
        return ExpertStack.of([self[name] for name in (self.names if names is None else names)])

    def add(
        self,
        source: str | Path,
        name: str | None = None,
        *,
        base: str | None = None,
        replace: bool = False,
        **card: Any,
    ) -> Expert:
        """Copy a PEFT LoRA into the library.

        Args:
            source: its folder, or ``hf://owner/name[/folder][@revision]``.
            name: default: the folder's name.
            base: the base model's name, where the adapter names another (a local folder, an old name).
            replace: overwrite an expert of that name.
            card: fields of :class:`ExpertCard`, such as ``trained_on`` and ``metrics``.

        Raises:
            LibraryError: it is no LoRA that can be mixed, belongs to another base, or its name is taken.
        """
        folder = hub.fetch(str(source)) if hub.is_address(source) else Path(source)
        expert = Expert.read(folder, name or folder.resolve().name)
        named = base or expert.card.base
        self._expect_base(named, f"the adapter {folder}")
        fields = {**expert.card.model_dump(), "base": named or self.base, **card}
        made = ExpertCard.model_validate(fields)
        return self.write(expert.name, lambda into: _copy(folder, into), made, replace=replace)

    def write(
        self, name: str, fill: Callable[[Path], None], card: ExpertCard, *, replace: bool = False
    ) -> Expert:
        """Add an expert whose adapter ``fill(folder)`` writes. It is checked before it is there at all."""
        check_name(name)
        with self._locked():
            if name in self and not replace:
                raise LibraryError(
                    f"the library has an expert {name!r} already: choose a name, or replace it"
                )
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=_SCRATCH) as scratch:
                new = Path(scratch, name)
                new.mkdir()
                fill(new)
                self._check(Expert.read(new))
                write_card(new, card)
                if self.base is None and card.base:
                    self.base = card.base
                self._write_index()
                if name in self:
                    (self.folder / name).rename(Path(scratch, _REPLACED))
                new.rename(self.folder / name)
        return self[name]

    def amend(self, name: str, fill: Callable[[Path], None] | None = None, **card: Any) -> Expert:
        """Change fields of an expert's card, and let ``fill(folder)`` add files beside its weights."""
        old = self[name]

        def copy(into: Path) -> None:
            _copy(old.folder, into)
            if fill:
                fill(into)

        fields = {**old.card.model_dump(), **card}
        return self.write(name, copy, ExpertCard.model_validate(fields), replace=True)

    def remove(self, name: str) -> None:
        """Take an expert out of the library and delete its files."""
        with self._locked(), tempfile.TemporaryDirectory(dir=self.folder, prefix=_SCRATCH) as scratch:
            self[name].folder.rename(Path(scratch, name))

    def verify(self) -> dict[str, list[str]]:
        """Name -> what is wrong with that expert's files, for every expert; an empty list: nothing."""
        found: dict[str, list[str]] = {}
        for name in self:
            try:
                found[name] = self[name].problems()
            except LibraryError as error:
                found[name] = [str(error)]
        return found

    def _check(self, expert: Expert) -> None:
        """Its tensors are sound and fit one other expert of the library (and thereby all)."""
        other = next((self[name] for name in self if name != expert.name), None)
        ExpertStack.of([expert] if other is None else [other, expert])

    def _expect_base(self, base: str | None, what: str) -> None:
        if base and self.base and not same_model(base, self.base):
            raise LibraryError(
                f"{what} is for the base model {base}, this library for {self.base}: "
                f"put it into a library of its own, or name the base if they are the same model"
            )

    def _write_index(self) -> None:
        path = self.folder / INDEX
        if not path.exists() or _read_base(self.folder) != self.base:
            text = json.dumps({"format": 1, "base": self.base}, indent=2) + "\n"
            scratch = path.with_suffix(".json.new")
            scratch.write_text(text, encoding="utf-8")
            scratch.replace(path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One change at a time, whichever process makes it; what a killed one left is put right first."""
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for scratch in self.folder.glob(f"{_SCRATCH}*"):
                self._finish(scratch)
                shutil.rmtree(scratch)
            yield

    def _finish(self, scratch: Path) -> None:
        """Where an expert had been moved away for a new one, that one was complete: put it in its place."""
        if (scratch / _REPLACED).exists():
            for new in scratch.iterdir():
                if new.name != _REPLACED:
                    new.rename(self.folder / new.name)


def check_name(name: str) -> None:
    """Raises LibraryError when ``name`` cannot be an expert's."""
    if not _NAME.fullmatch(name):
        raise LibraryError(
            f"{name!r} is no name for an expert: letters, digits, '.', '_' and '-', at most 100"
        )


def _copy(folder: Path, into: Path) -> None:
    for file in (CONFIG, WEIGHTS, PROTOTYPES):
        if (folder / file).is_file():
            shutil.copyfile(folder / file, into / file)


def same_model(one: str, other: str) -> bool:
    """Whether two names can mean one model: they are equal, or one is a folder called like the other."""
    if one == other:
        return True
    local = any(name.startswith((".", "/", "~")) or Path(name).is_dir() for name in (one, other))
    return local and Path(one).name.casefold() == Path(other).name.casefold()


def _read_base(folder: Path) -> str | None:
    path = folder / INDEX
    if not path.exists():
        return None
    try:
        base = json.loads(path.read_text(encoding="utf-8"))["base"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LibraryError(f"{path} cannot be read: {error}") from error
    return str(base) if base else None
