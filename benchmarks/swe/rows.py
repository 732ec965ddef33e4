"""What the rows of these data sets have in common, and what is read out of their patches."""

import json
import re
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from debug_gym.benchmarks.base import first_problem
from debug_gym.errors import TaskError

NO_TESTS = (".json", ".png", "csv", ".txt", ".md", ".jpg", ".jpeg", ".pkl", ".yml", ".yaml", ".toml")
"""Endings of files in a test patch that swebench does not hand to the test command."""
_DIFF = re.compile(r"diff --git a/.* b/(.*)")
_DELETED = re.compile(r"^diff --git a/.* b/(.*)\ndeleted file mode", re.MULTILINE)
_RENAMED = re.compile(r"^rename from (.*)\nrename to (.*)$", re.MULTILINE)
_NEW = re.compile(r"^diff --git a/.* b/(.*)\nnew file mode", re.MULTILINE)

R = TypeVar("R", bound="Row")


def _names(value: Any) -> Any:
    """Lists of names come as lists, or as JSON in a text."""
    if isinstance(value, str):
        try:
            return json.loads(value) if value.strip() else []
        except json.JSONDecodeError as error:
            raise ValueError(f"it is neither a list nor JSON: {error}") from None
    return [] if value is None else value


def _commands(value: Any) -> Any:
    return (value,) if isinstance(value, str) else () if value is None else value


def from_json(value: Any) -> Any:
    """What a text holds as JSON; other values are left."""
    return json.loads(value) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Commands = Annotated[tuple[str, ...], BeforeValidator(_commands)]


class Row(BaseModel):
    """The columns that all of them have. Others are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    instance_id: str
    repo: str = ""
    patch: str = Field(repr=False)
    problem_statement: str = ""
    fail_to_pass: Names = Field(alias="FAIL_TO_PASS")
    pass_to_pass: Names = Field(default=(), alias="PASS_TO_PASS")

    @classmethod
    def parse(cls: type[R], row: dict[str, Any], where: str) -> R:
        """Read a row of a data set.

        Raises:
            TaskError: it lacks a column, or one has another form; the message names it.
        """
        known = {key: value for key, value in row.items() if value is not None}
        try:
            return cls.model_validate(known)
        except ValidationError as error:
            raise TaskError(f"{where} is no row of {cls.__doc__} {first_problem(error)}") from None


class TestedRow(Row):
    """A row whose hidden tests are a patch."""

    test_patch: str = Field(repr=False)
    base_commit: str = ""
    version: str = ""

    @property
    def directives(self) -> tuple[str, ...]:
        """The files of the test patch that swebench hands to the test command, in its order."""
        return tuple(path for path in _DIFF.findall(self.test_patch) if not path.endswith(NO_TESTS))

    @property
    def visible(self) -> tuple[str, ...]:
        """The test files that the test patch changes, by the names that they have before it; where all are
        new, the others that hold pass-to-pass tests."""
        unseen = {*_DELETED.findall(self.test_patch), *_NEW.findall(self.test_patch)}
        before = {new: old for old, new in _RENAMED.findall(self.test_patch)}
        changed = [before.get(path, path) for path in self.directives if path not in unseen]
        unseen |= before.keys()
        others = (test.partition("::")[0] for test in self.pass_to_pass if "::" in test)
        return tuple(path for path in changed if path.endswith(".py")) or tuple(
            dict.fromkeys(path for path in others if path.endswith(".py") and path not in unseen)
        )


def image_id(instance_id: str, separator: str = "_1776_") -> str:
    """An instance's id in the name of its image, where no ``__`` may stand."""
    return instance_id.lower().replace("__", separator)


def patched_files(patch: str) -> tuple[str, ...]:
    """Paths that a git diff touches."""
    return tuple(dict.fromkeys(_DIFF.findall(patch)))
