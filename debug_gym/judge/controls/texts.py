"""The text of a file with the edits of negative controls in it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby

from debug_gym.errors import TaskError
from debug_gym.task import NegativeControl


def apply(control: NegativeControl, texts: Mapping[str, str]) -> str:
    """The text of a control's file.

    Raises:
        TaskError: the file is not the one that the control was made from.
    """
    return apply_all([control], texts)[control.path]


def apply_all(controls: Iterable[NegativeControl], texts: Mapping[str, str]) -> dict[str, str]:
    """Path to text of all files, each with the edits of the controls that change it.

    Raises:
        TaskError: a file is not the one that a control was made from, or two controls change one place.
    """
    changed = dict(texts)
    for path, edits in groupby(sorted(controls, key=_place), key=lambda item: item.path):
        changed[path] = _edited(texts.get(path, ""), list(edits))
    return changed


def _place(control: NegativeControl) -> tuple[str, int, int]:
    return control.path, control.line, control.column


def _edited(text: str, controls: Sequence[NegativeControl]) -> str:
    """A text with the edits of controls, which are in the order of their places."""
    starts = _starts(text)
    parts, end = [], 0
    for control in controls:
        start = starts[min(control.line, len(starts)) - 1] + control.column
        if control.line > len(starts) or not control.old or not text.startswith(control.old, start):
            raise TaskError(
                f"a control of {control.test} does not fit {control.path} (line {control.line}): "
                "make the controls anew with  debug-gym validate --write-controls"
            )
        if start < end:
            raise TaskError(
                f"two controls change line {control.line} of {control.path} at the same place, one is of "
                f"{control.test}: make the controls anew with  debug-gym validate --write-controls"
            )
        parts += [text[end:start], control.new]
        end = start + len(control.old)
    return "".join([*parts, text[end:]])


@lru_cache(maxsize=256)  # a verdict edits the same files again and again
def _starts(text: str) -> list[int]:
    """Where each line begins."""
    return [0, *(found.end() for found in re.finditer("\n", text))]
