"""Tasks that are open-ended: what was handed in is kept, and a model or a person grades it later."""

from debug_gym.episode import Verdict
from debug_gym.sandbox import Changes
from debug_gym.task import ANSWER

LONGEST = 100_000
"""Characters of an answer that are kept."""


def handed_in(changes: Changes) -> Verdict:
    """The answer that the changes hold, as a verdict that decides nothing."""
    entry = changes.files.get(ANSWER)
    answer = (entry.data or b"").decode(errors="replace").strip() if entry is not None else ""
    others = sorted(path for path in changes.paths if path != ANSWER)
    return Verdict(
        resolved=False,
        open_ended=True,
        answer=answer[:LONGEST],
        changed=(ANSWER,) if answer else (),
        rejected=tuple(f"{path}: only {ANSWER} counts" for path in others),
        reason="open-ended: a model or a person grades the answer ( debug-gym grade )"
        if answer
        else f"there is no answer in {ANSWER}",
    )
