"""The text of a file with the edits of negative controls in it."""

from collections.abc import Iterable, Mapping

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
    ends: dict[str, int] = {}
    for control in sorted(controls, key=lambda item: (item.path, -item.line, -item.column)):
        text = texts.get(control.path, "")
        start = sum(len(line) + 1 for line in text.split("\n")[: control.line - 1]) + control.column
        end = start + len(control.old)
        if not control.old or not text.startswith(control.old, start):
            raise TaskError(
                f"a control of {control.test} does not fit {control.path} (line {control.line}): "
                "make the controls anew with  debug-gym validate --write-controls"
            )
        if end > ends.get(control.path, end):
            raise TaskError(
                f"two controls change line {control.line} of {control.path} at the same place, one is of "
                f"{control.test}: make the controls anew with  debug-gym validate --write-controls"
            )
        whole = changed[control.path]
        changed[control.path] = whole[:start] + control.new + whole[end:]
        ends[control.path] = start
    return changed
