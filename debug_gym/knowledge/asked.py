"""What a model knows of a repository: how surprising the right answers are to it, and what it answers."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch

from debug_gym.knowledge.chunks import Chunk
from debug_gym.knowledge.templates import Question
from debug_gym.lora.train.data import IGNORED, encode
from debug_gym.lora.train.distill import Exercise, pad_left, predictions, reading_prompt

Reading = Callable[[Question], Chunk]
"""Which chunk a model reads before it answers."""
BATCH = 8


@torch.no_grad()
def surprise(
    model: Any, tokenizer: Any, questions: Sequence[Question], reading: Reading | None = None
) -> float:
    """Negative log-likelihood of the right answers, in nats for a token, the mean over questions.

    Args:
        model: in evaluation mode; usually one to which an adapter is attached.
        tokenizer: with its chat template.
        questions: not empty.
        reading: what it reads first; None: nothing, it has to know.
    """
    costs = []
    for some in _batches(questions):
        rows = []
        for one in some:
            context = reading(one).shown if reading else ""
            told = Exercise(context=context, question=one.question, answer=one.answer)
            encoded = encode(told.example(reading=bool(reading)), tokenizer, 10**9)[0]
            ids, labels = torch.tensor(encoded.ids), torch.tensor(encoded.labels)
            rows.append({"input_ids": ids, "labels": labels})
        side = {key: value.to(model.device) for key, value in pad_left(rows).items()}
        wanted = side["labels"][side["labels"] != IGNORED]
        lengths = (side["labels"] != IGNORED).sum(1).tolist()
        logits, _ = predictions(model, side)
        each = torch.nn.functional.cross_entropy(logits.float(), wanted, reduction="none")
        costs += [part.mean().item() for part in torch.split(each, lengths)]
    return math.fsum(costs) / len(costs)


@torch.no_grad()
def replies(
    model: Any,
    tokenizer: Any,
    questions: Sequence[Question],
    reading: Reading | None = None,
    *,
    max_tokens: int = 48,
) -> tuple[list[str], float]:
    """What it answers, greedily, and how many tokens it read for a question on average."""
    found, read = [], 0
    for some in _batches(questions):
        prompts = []
        for one in some:
            asked = reading_prompt(reading(one).shown, one.question) if reading else one.question
            text = tokenizer.apply_chat_template(
                [{"role": "user", "content": asked}], tokenize=False, add_generation_prompt=True
            )
            ids = torch.tensor(tokenizer(text, add_special_tokens=False)["input_ids"])
            prompts.append({"input_ids": ids, "labels": ids})
            read += len(ids)
        side = pad_left(prompts)
        start = side["input_ids"].shape[1]
        end = tokenizer.eos_token_id
        made = model.generate(
            input_ids=side["input_ids"].to(model.device),
            attention_mask=side["attention_mask"].to(model.device),
            max_new_tokens=max_tokens,
            do_sample=False,
            eos_token_id=end,
            pad_token_id=end,
        )
        found += tokenizer.batch_decode(made[:, start:], skip_special_tokens=True)
    return found, read / len(questions)


def overlap(reply: str, answer: str) -> float:
    """F1 of the words of a reply and of the right answer (Rajpurkar et al. 2016), from 0 to 1."""
    said, wanted = Counter(_words(reply)), Counter(_words(answer))
    common = (said & wanted).total()
    return 2 * common / (said.total() + wanted.total()) if common else 0.0


def is_right(reply: str, answer: str) -> bool:
    """Whether a reply begins with the right answer, but for punctuation and case."""
    wanted = _words(answer)
    return _words(reply)[: len(wanted)] == wanted


class Retriever:
    """The chunk that fits a question best, by BM25 (Robertson and Zaragoza 2009; k1 = 1.5, b = 0.75)."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self.chunks = chunks
        self._counts = [Counter(_words(chunk.shown)) for chunk in chunks]
        self._documents = Counter(word for counts in self._counts for word in counts)
        self._mean = sum(counts.total() for counts in self._counts) / max(1, len(chunks))

    def __call__(self, question: Question) -> Chunk:
        """The best one; of equals the first."""
        wanted = _words(question.question)
        scores = [self._score(counts, wanted) for counts in self._counts]
        return self.chunks[max(range(len(scores)), key=scores.__getitem__)]

    def _score(self, counts: Counter[str], wanted: Iterable[str]) -> float:
        total, length = 0.0, 0.25 + 0.75 * counts.total() / self._mean
        for word in wanted:
            seen = self._documents[word]
            rare = math.log(1 + (len(self._counts) - seen + 0.5) / (seen + 0.5))
            total += rare * counts[word] * 2.5 / (counts[word] + 1.5 * length)
        return total


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _batches(questions: Sequence[Question]) -> Iterator[Sequence[Question]]:
    for start in range(0, len(questions), BATCH):
        yield questions[start : start + BATCH]
