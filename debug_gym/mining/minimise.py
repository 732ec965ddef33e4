"""The smallest part of a fix that the tests demand: what else came with it stays out of the task."""

import warnings
from collections.abc import Sequence
from dataclasses import replace

from debug_gym.mining.base import Draft, FallenError, Texts
from debug_gym.mining.hunks import Hunk, apply_hunks, hunks

MOST = 60
"""Parts of a fix beyond which it is no bug fix but a new version."""


def minimise(draft: Draft, failing: Sequence[str], passing: Sequence[str]) -> Draft:
    """Leave out of the fix every file, then every hunk, without which the tests pass all the same.

    Args:
        draft: with its whole fix.
        failing: ids of the tests that fail before the fix and pass after it.
        passing: ids of the tests that pass before and after it.

    Raises:
        FallenError: the fix has too many parts, or with the smallest one another test fails.
    """
    kept = list(hunks(draft.broken, draft.fixed))
    if len(kept) == 1:
        return draft
    if len(kept) > MOST:
        raise FallenError("minimise", f"the change has more than {MOST} parts")
    for group in _groups(kept):
        without = [hunk for hunk in kept if hunk not in group]
        if 0 < len(without) < len(kept) and _repairs(draft, without, failing):
            kept = without
    fixed = _only_changed(draft.broken, apply_hunks(draft.broken, draft.fixed, kept))
    smaller = replace(draft, broken={path: draft.broken.get(path) for path in fixed}, fixed=fixed)
    run = draft.ground.run({**draft.broken, **smaller.after}, [*failing, *passing])
    if lost := [test for test in (*failing, *passing) if run.outcomes.get(test) != "passed"]:
        raise FallenError("minimise", "the smallest fix breaks another test", lost[0])
    # What is left out stays as it was before the fix, on disk or in the draft.
    untouched = {path: text for path, text in draft.broken.items() if path not in fixed}
    return replace(smaller, broken={**untouched, **smaller.broken}, fixed={**untouched, **smaller.fixed})


def _groups(kept: Sequence[Hunk]) -> list[list[Hunk]]:
    """All hunks of a file together, then each by itself."""
    files = [
        [hunk for hunk in kept if hunk.path == path] for path in dict.fromkeys(hunk.path for hunk in kept)
    ]
    several = [group for group in files if len(group) > 1] if len(files) > 1 else []
    return [*several, *([hunk] for hunk in kept)]


def _repairs(draft: Draft, chosen: Sequence[Hunk], failing: Sequence[str]) -> bool:
    texts = apply_hunks(draft.broken, draft.fixed, chosen)
    if not all(map(compiles, texts.values())):
        return False
    run = draft.ground.run({**texts, **draft.tests}, failing)
    return all(run.outcomes.get(test) == "passed" for test in failing)


def compiles(text: str | None) -> bool:
    """Whether a text is Python; no text is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            compile(text or "", "<part>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _only_changed(old: Texts, new: Texts) -> dict[str, str | None]:
    return {path: text for path, text in new.items() if old.get(path) != text}
