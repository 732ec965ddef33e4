"""From logits to a token: temperature, top-k, top-p, penalties, and a seed that gives the same again."""

import math
import random
from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor

MAX_TOP = 20
"""Alternatives whose log-probabilities can be asked for at each token."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen, and when to stop."""

    max_tokens: int | None = None
    """None: as many as there is room for."""
    temperature: float = 1.0
    """0: always the most likely token."""
    top_p: float = 1.0
    """Only the most likely tokens that together have this probability (Holtzman et al. 2020)."""
    top_k: int = 0
    """Only so many of the most likely tokens; 0: all."""
    min_p: float = 0.0
    """Only tokens at least so likely as this share of the most likely one's probability."""
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    """Taken off the logits of tokens that were written before: once, and for each time."""
    seed: int | None = None
    """None: another each time."""
    stop: tuple[str, ...] = ()
    """Texts before which the reply ends."""
    stop_tokens: tuple[int, ...] = ()
    """Tokens that end the reply, beside the model's own."""
    top_logprobs: int = 0
    """Alternatives at each token, at most ``MAX_TOP``."""


@dataclass(frozen=True)
class Token:
    """One token that was written."""

    id: int
    logprob: float
    """Natural logarithm of its probability in the model, before temperature, penalties and grammar."""
    sampled: float
    """The same in the distribution that it was drawn from; of the most likely token, that is 0."""
    top: tuple[tuple[int, float], ...] = ()
    """The most likely tokens at its place, with theirs."""


class Sampler:
    """Chooses the tokens of one reply."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._random = random.Random(sampling.seed)
        self._counts: Counter[int] = Counter()

    def choose(self, logits: Tensor, mask: Tensor | None = None) -> Token:
        """A token by its logits (vocabulary); ``mask``: False for tokens that may not be chosen."""
        sampling = self._sampling
        raw = torch.log_softmax(logits.float(), -1)
        scores = self._penalised(logits.float())
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        token, sampled = (int(scores.argmax()), 0.0) if sampling.temperature == 0 else self._draw(scores)
        self._counts[token] += 1
        top = raw.topk(sampling.top_logprobs) if sampling.top_logprobs else None
        pairs = zip(top.indices.tolist(), top.values.tolist(), strict=True) if top else ()
        return Token(token, float(raw[token]), sampled, tuple(pairs))

    def _penalised(self, scores: Tensor) -> Tensor:
        sampling = self._sampling
        if not self._counts or not (sampling.presence_penalty or sampling.frequency_penalty):
            return scores
        scores = scores.clone()
        for token, count in self._counts.items():
            scores[token] -= sampling.presence_penalty + sampling.frequency_penalty * count
        return scores

    def _draw(self, scores: Tensor) -> tuple[int, float]:
        """A token and its log-probability.

        By inversion, one uniform number a token, so that a seed means the same on every device.
        """
        sampling = self._sampling
        scores = scores / sampling.temperature
        if sampling.top_k and sampling.top_k < len(scores):
            scores = scores.masked_fill(scores < scores.topk(sampling.top_k).values[-1], -math.inf)
        probabilities = scores.softmax(-1)
        if sampling.min_p:
            least = sampling.min_p * probabilities.max()
            probabilities = probabilities.masked_fill(probabilities < least, 0)
        if sampling.top_p < 1:
            ordered, order = probabilities.sort(descending=True)
            surplus = ordered.cumsum(-1) - ordered >= sampling.top_p * ordered.sum()
            probabilities = probabilities.index_fill(0, order[surplus], 0)
        sums = probabilities.double().cumsum(-1)
        place = torch.searchsorted(sums, self._random.random() * sums[-1], right=True)
        token = int(place.clamp(max=int(probabilities.nonzero()[-1])))
        return token, math.log(float(probabilities[token]) / float(sums[-1]))
