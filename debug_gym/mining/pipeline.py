"""The stages that every candidate passes, from a draft to a task that is proven."""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from debug_gym.agents.models import Model
from debug_gym.benchmarks.folder import DESCRIPTION, FolderBenchmark
from debug_gym.checks.validate import apply_gold, validate_all
from debug_gym.judge.controls.make import make_controls
from debug_gym.mining.base import Candidate, Draft, FallenError, Miner
from debug_gym.mining.changelog import story
from debug_gym.mining.compose import SOURCES, Composed, compose, parts, write
from debug_gym.mining.decide import REPEATS, Decided, decide, steady
from debug_gym.mining.duplicates import Known
from debug_gym.mining.hunks import patch
from debug_gym.mining.ledger import FOLDER
from debug_gym.mining.minimise import minimise
from debug_gym.mining.reach import Distance, changed_functions, nearest, reach
from debug_gym.mining.statement import purged, statement
from debug_gym.mining.telling import Known as Facts
from debug_gym.mining.telling import tell, written_by
from debug_gym.mining.visible import code_of
from debug_gym.sandbox import Backend
from debug_gym.task import Task, Tests, file_name

CONTROLS_SECONDS = 45.0
"""Time for the negative controls of one task."""
MEASURED = 5
"""Failing tests whose distance from the cause is measured."""


@dataclass(frozen=True)
class Pipeline:
    """What all candidates of a session share.

    Args:
        miner: where they come from.
        folder: of the benchmark.
        known: the fixes that were met.
        backend: where tests run.
        repeats: runs before and after the fix, and judgements of it.
        distance: the least distance between the cause and the symptom, in calls of functions.
        search: look for the answer in all that an agent can read, and not only in what is its own.
        model: writes the statements; None: a template does.
    """

    miner: Miner
    folder: Path
    known: Known
    backend: Backend
    repeats: int = REPEATS
    distance: int = 0
    search: bool = False
    model: Model | None = None

    def run(self, candidate: Candidate) -> Composed:
        """Take a candidate through all stages, and store its task.

        Raises:
            FallenError: it is none; it says at which stage, and why.
            DebugGymError: something went wrong that is not the candidate's doing.
        """
        draft = self.miner.draft(candidate)
        try:
            return self._run(candidate, draft)
        finally:
            if draft.ground.temporary:
                shutil.rmtree(draft.ground.folder, ignore_errors=True)

    def _run(self, candidate: Candidate, draft: Draft) -> Composed:
        if not patch(draft.broken, draft.fixed):
            raise FallenError("validate", "the fix changes no code")
        decided = decide(draft)
        if not draft.minimal:
            draft = minimise(draft, decided.failing, decided.passing)
        gold = patch(draft.broken, draft.fixed)
        self.known.add(candidate.id, gold)
        measured = self._measure(draft, decided)
        decided = steady(draft, decided, self.repeats)
        problem, by = self._statement(draft, decided, gold)
        draft = replace(draft, metadata={**draft.metadata, "kind": self.miner.kind, **measured, **by})
        composed = compose(candidate.id, draft, decided, problem, self.folder)
        return self._stored(self._with_controls(composed))

    def _stored(self, composed: Composed) -> Composed:
        """Write the task, read it, prove what was read, and only then put it into the benchmark's folder."""
        name = file_name(composed.task.id)
        stage = self.folder / FOLDER / "staging" / name
        shutil.rmtree(stage, ignore_errors=True)
        (stage / SOURCES).mkdir(parents=True)
        os.link(composed.archive, stage / SOURCES / composed.archive.name)
        (stage / DESCRIPTION).write_text("name: staging\nversion: '0'\n")
        write(composed, stage)
        try:
            self._prove(FolderBenchmark(stage).load(composed.task.id))
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (stage / name).rename(self.folder / name)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        return composed

    def _measure(self, draft: Draft, decided: Decided) -> dict[str, object]:
        distance = self._distance(draft, decided)
        if self.distance and (distance is None or distance.calls < self.distance):
            raise FallenError("validate", "the symptom is too near to the cause")
        return {} if distance is None else {"distance": {**vars(distance), "score": round(distance.score, 1)}}

    def _distance(self, draft: Draft, decided: Decided) -> Distance | None:
        """None: the bug lies in no function, or the tests do not run under the recorder."""
        targets = changed_functions(draft.broken, draft.fixed)
        try:
            found = (
                reach(draft.ground, draft.before, decided.failing[:MEASURED], targets) if targets else None
            )
        except FallenError:
            return None
        return nearest(found.distances) if found else None

    def _statement(self, draft: Draft, decided: Decided, gold: str) -> tuple[str, dict[str, object]]:
        """What the agent is told, and where a model was asked, who wrote it."""
        divided = parts(draft, decided)
        hidden = [test for test in decided.failing if test not in divided.shown_failing]
        first = next(iter([*divided.shown_failing, *hidden]))
        names = [test.partition("::")[2] for test in decided.failing]
        names += [
            line[1:] for line in gold.splitlines() if line[:1] in {"+", "-"} and line[1:2] not in {"+", "-"}
        ]
        known = draft.story if draft.story.title else story(draft.entries, " ".join(names))
        shown, message = divided.shown_failing, decided.messages.get(first, "")
        by_template = statement(known, shown, hidden, message, gold)
        if self.model is None:
            return by_template, {}
        code = code_of(draft.test_text(first), first)
        told = tell(self.model, Facts(purged(known, gold), code, message, gold, draft.broken))
        by: dict[str, object] = {"statement": written_by(self.model, told)}
        if not told.text:
            return by_template, by
        return statement(known, shown, hidden, message, gold, told=told.text), by

    def _with_controls(self, composed: Composed) -> Composed:
        """The task with its negative controls; those whose original the statement tells are left out."""
        task = composed.task
        changes, visible = apply_gold(task, self.backend)
        if visible.failed or not (visible.complete or visible.success):
            why = visible.failed[0] if visible.failed else visible.note
            raise FallenError("proof", "the tests that the agent sees do not pass with the fix", why)
        made = make_controls(task, changes, self.backend, seconds=CONTROLS_SECONDS)
        kept = tuple(control for control in made if control.old not in task.problem)
        tests = Tests.model_validate({**dict(task.tests), "controls": kept})
        return replace(composed, task=task.model_copy(update={"tests": tests}))

    def _prove(self, task: Task) -> None:
        """The judge resolves the fix and nothing else, again and again, and nothing tells it to the agent."""
        [found] = validate_all([task], self.backend, repeats=self.repeats, search=self.search)
        if not found.sound:
            leaks = [problem for problem in found.problems if "can read" in problem]
            why = "the agent can read the answer" if leaks else "the judge does not find it sound"
            raise FallenError("proof", why, (leaks or list(found.problems))[0])
