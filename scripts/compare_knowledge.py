"""Does a knowledge module know its repository? Distillation beside its rivals, on held-out questions.

    python scripts/compare_knowledge.py REPO --base MODEL --other REPO2 --work DIR

Rivals: next-token training on the text, training on the same answers (SFT), and reading in context the chunk
that BM25 finds, or the right one. Most columns are about REPO: known facts in other words, and facts that no
training asked about. The last two are what a module costs: questions about OTHER, whose right chunk is in
context. Killed and started again, it goes on with what is missing.
"""

import argparse
import json
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from debug_gym.knowledge.asked import Reading, Retriever, is_right, overlap, replies, surprise
from debug_gym.knowledge.learn import LearningSettings, Lesson, Objective, chance, learn, lesson
from debug_gym.knowledge.templates import Question
from debug_gym.lora import ExpertLibrary, attach
from debug_gym.lora.base import DTYPES, load_base
from debug_gym.runs.config import parse_options

UNSEEN = 0.25
"""Share of the facts that no training question is about."""
OBJECTIVES: tuple[Objective, ...] = ("text", "answers", "distill")
NAMES = {"text": "next token", "answers": "SFT on the answers", "distill": "distillation"}


@dataclass(frozen=True)
class Score:
    """How some questions were answered."""

    nats: float
    """For a token of the right answer."""
    f1: float
    right: float
    read: float
    """Tokens that were read for a question."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is missing, measure, print the table, and write it as JSON beside the modules."""
    options = _options().parse_args(arguments)
    settings = LearningSettings(**parse_options(options.set or (), "--set"))
    model, tokenizer = load_base(options.base, device=options.device, dtype=options.dtype)
    work = options.work
    taught = lesson(options.repository, tokenizer, settings, work, unseen=UNSEEN)
    print(f"{len(taught.chunks)} chunks, {len(taught.train)} questions to learn from", flush=True)
    library = ExpertLibrary.create(work / "library", options.base)
    if settings.max_steps < 1:  # as many updates for all
        updates = math.ceil(len(taught.train) / settings.batch / settings.accumulate * settings.epochs)
        settings = settings.model_copy(update={"max_steps": updates})
    for objective in OBJECTIVES:
        if objective not in library:
            own = settings.model_copy(update={"objective": objective})
            learn(library, objective, model, tokenizer, taught, own, work / objective)
            print(f"learned by {NAMES[objective]}", flush=True)
    other = lesson(options.other, tokenizer, settings, work)
    known = Held(taught, other, options.questions)
    table: dict[str, dict[str, Any]] = {}
    cost: dict[str | None, Any] = {}
    routed = attach(model, library)
    for who, expert, reading in _contenders(taught):
        routed.use(expert)
        if expert not in cost:
            cost[expert] = asdict(score(model, tokenizer, known.other, right_chunk))
        table[who] = {
            "reworded": asdict(score(model, tokenizer, known.reworded, reading)),
            "unseen": asdict(score(model, tokenizer, known.unseen, reading)),
            "other": cost[expert],
        }
        print(line(who, table[who]), flush=True)
    (work / "table.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    print(f"\n{HEAD}")
    for who, scores in table.items():
        print(line(who, scores))


class Held:
    """The questions that are asked: in other words, about unseen facts, and about another repository."""

    def __init__(self, taught: Lesson, other: Lesson, most: int) -> None:
        unseen = [one for one in taught.held_out if chance(one) < UNSEEN]
        self.reworded = _spread([one for one in taught.held_out if chance(one) >= UNSEEN], most)
        self.unseen = _spread(unseen, most)
        self.other = _spread(other.held_out, most)


def right_chunk(question: Question) -> Any:
    """What a perfect search would find."""
    return question.chunk


def score(model: Any, tokenizer: Any, questions: list[Question], reading: Reading | None) -> Score:
    """Ask some questions."""
    said, read = replies(model, tokenizer, questions, reading, max_tokens=24)
    pairs = list(zip(said, (one.answer for one in questions), strict=True))
    return Score(
        nats=surprise(model, tokenizer, questions, reading),
        f1=statistics.fmean(overlap(*pair) for pair in pairs),
        right=statistics.fmean(is_right(*pair) for pair in pairs),
        read=read,
    )


def _contenders(taught: Lesson) -> Iterator[tuple[str, str | None, Reading | None]]:
    """Name, module, and what is read first."""
    found = Retriever(taught.chunks)
    yield "base", None, None
    for objective in OBJECTIVES:
        yield NAMES[objective], objective, None
    yield "base, reads what BM25 finds", None, found
    yield "base, reads the right chunk", None, right_chunk
    yield "distillation, reads what BM25 finds", "distill", found


HEAD = (
    "| | reworded: nats | F1 | right | unseen: nats | F1 | right | tokens read | other, reading: nats "
    "| F1 |\n|---|---|---|---|---|---|---|---|---|---|"
)


def line(who: str, scores: dict[str, dict[str, float]]) -> str:
    """A line of the table."""
    cells = []
    for part in ("reworded", "unseen"):
        one = scores[part]
        cells += [f"{one['nats']:.2f}", f"{one['f1']:.2f}", f"{one['right']:.2f}"]
    cells += [f"{scores['reworded']['read']:.0f}"]
    cells += [f"{scores['other']['nats']:.2f}", f"{scores['other']['f1']:.2f}"]
    return f"| {who} | {' | '.join(cells)} |"


def _spread(questions: Sequence[Question], most: int) -> list[Question]:
    """At most so many, evenly from the first to the last."""
    step = max(1, len(questions) / most)
    return [questions[int(at * step)] for at in range(min(most, len(questions)))]


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("repository", type=Path, help="what is learned")
    parser.add_argument(
        "--base", required=True, help="a model for conversations: a folder, or a name on the Hub"
    )
    parser.add_argument("--other", type=Path, required=True, help="another repository, to read in context")
    parser.add_argument("--work", type=Path, required=True, help="for modules, checkpoints and table.json")
    parser.add_argument("--questions", type=int, default=64, help="of each kind [default: 64]")
    parser.add_argument("--device", help="as torch calls it [default: a GPU if there is one]")
    parser.add_argument("--dtype", default="auto", choices=DTYPES, help="of the base [default: auto]")
    parser.add_argument("--set", action="append", metavar="KEY=VALUE", help="as LearningSettings has them")
    return parser


if __name__ == "__main__":
    main()
