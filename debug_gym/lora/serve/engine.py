"""Generation for many requests at a time: what arrives joins the batch, what is done leaves it.

One thread owns the model. Between two steps it admits requests: each gets a row of the cache, with what that
row or another knows of its prompt, and the rest of the prompt is computed in chunks between the steps of the
others. A step computes one token of every row (continuous batching: Yu et al. 2022, "Orca").
"""

import threading
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from debug_gym.lora.serve.constraints import Grammars
from debug_gym.lora.serve.forward import Forward
from debug_gym.lora.serve.lane import Lane
from debug_gym.lora.serve.request import (
    EngineBusyError,
    EngineError,
    Listener,
    PromptTooLongError,
    Request,
)
from debug_gym.lora.serve.sampling import Sampling
from debug_gym.lora.serve.served import BASE, ServedModels
from debug_gym.lora.serve.text import TextStream


@dataclass(frozen=True)
class EngineSettings:
    """How much an engine does at a time."""

    max_batch: int = 16
    """Requests that are computed together; also the conversations whose keys and values are kept."""
    max_waiting: int = 256
    """Requests that may wait for a place."""
    max_length: int | None = None
    """Tokens of a prompt and its reply together; None: what the model was made for."""
    cache_bytes: int | None = None
    """Memory for keys and values; None: half of what is free when the engine starts."""


class Engine:
    """Generates replies. Any number of threads may call it; one thread of its own runs the model."""

    def __init__(self, served: ServedModels, tokenizer: Any, settings: EngineSettings | None = None) -> None:
        """Start the thread.

        Raises:
            ConfigError: the model keeps another state than keys and values.
        """
        self.served, self.tokenizer, self.settings = served, tokenizer, settings or EngineSettings()
        self._forward = Forward(served.model)
        self.max_length = self.settings.max_length or self._forward.max_length
        self._ends = _ends(served.model, tokenizer)
        self._budget = self.settings.cache_bytes or self._forward.free_bytes() // 2
        self._grammars: Grammars | None = None
        self._waiting: deque[Request] = deque()
        self._lanes: dict[str, Lane] = {}
        self._changed = threading.Condition()
        self._closed = False
        self.totals: Counter[str] = Counter()
        """Since the start: ``requests``, ``refused``, ``prompt_tokens``, ``cached_tokens``, ``tokens``,
        ``steps``."""
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @property
    def grammars(self) -> Grammars:
        """The grammars of the model's tokenizer, made when they are first asked for.

        Raises:
            ConfigError: the tokenizer does not allow for any.
        """
        with self._changed:
            if self._grammars is None:
                self._grammars = Grammars(self.tokenizer, self._forward.vocabulary, self._ends)
            return self._grammars

    @property
    def load(self) -> dict[str, int]:
        """How many requests are ``running`` and ``waiting``."""
        running = sum(len(lane.requests) for lane in list(self._lanes.values()))
        return {"running": running, "waiting": len(self._waiting)}

    def submit(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        *,
        model: str = BASE,
        grammar: str | None = None,
        listener: Listener | None = None,
    ) -> Request:
        """Queue a request; ``.result`` is the future of its reply, ``.cancel()`` gives it up.

        Args:
            prompt: token ids.
            sampling: how to choose tokens, and when to stop.
            model: an expert, a router, or the base.
            grammar: what the reply must follow (see ``grammars``).
            listener: hears of each token.

        Raises:
            PromptTooLongError: the prompt is empty or leaves no room.
            EngineBusyError: too many are waiting.
            UnknownNameError: no such expert or router.
            ConfigError: the grammar is wrong.
            EngineError: the engine is closed.
        """
        self.served.check(model)
        room = self.max_length - len(prompt)
        if not prompt:
            raise PromptTooLongError("the prompt is empty")
        if room < 1:
            raise PromptTooLongError(
                f"the prompt has {len(prompt)} tokens, but prompt and reply together may have "
                f"{self.max_length}: the context length is exceeded"
            )
        request = Request(
            prompt=tuple(prompt),
            sampling=sampling,
            stream=TextStream(self.tokenizer, sampling.stop),
            limit=min(sampling.max_tokens or room, room),
            model=model,
            constraint=None if grammar is None else self.grammars.start(grammar),
            listener=listener,
        )
        with self._changed:
            if self._closed:
                raise EngineError("the engine is closed")
            if len(self._waiting) >= self.settings.max_waiting:
                self.totals["refused"] += 1
                raise EngineBusyError(f"{len(self._waiting)} requests are waiting already: try again later")
            self.totals["requests"] += 1
            self._waiting.append(request)
            self._changed.notify_all()
        return request

    def close(self) -> None:
        """End the thread. Requests under way fail with an ``EngineError``."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._closed or self._waiting or self._busy()):
                    self._changed.wait()
                if self._closed:
                    break
            with torch.inference_mode():
                self._admit()
                for lane in self._busy():
                    self._step(lane)
        for request in [*self._waiting, *(request for lane in self._busy() for request in lane.requests)]:
            request.fail(EngineError("the engine was closed"))

    def _busy(self) -> list[Lane]:
        return [lane for lane in self._lanes.values() if lane.requests]

    def _step(self, lane: Lane) -> None:
        for request in lane.requests:
            if request.cancelled:
                lane.drop(request)
                request.finish("cancelled")
        before = sum(len(request.tokens) for request in lane.requests)
        requests = lane.requests
        try:
            lane.step()
        except Exception as error:  # whoever waits must get an answer, and others go on
            lane.fail(error)
        self.totals["steps"] += 1
        self.totals["tokens"] += sum(len(request.tokens) for request in requests) - before

    def _admit(self) -> None:
        """Let requests in, in their order, for which there is a row and memory."""
        while self._waiting:
            request = self._waiting[0]
            if request.cancelled:
                request.finish("cancelled")
            else:
                try:
                    if not self._begin(request):
                        return
                except Exception as error:  # as in ``_step``
                    request.fail(error)
            with self._changed:
                self._waiting.popleft()

    def _begin(self, request: Request) -> bool:
        """Begin a request, if there is a row and memory for it."""
        if not request.choice.key:
            request.choice = self.served.choose(request.model, request.prompt)
        router = request.choice.router
        name = router.name if router else next(iter(self._lanes), "")
        lane = self._lanes.get(name)
        if lane is None:
            lane = Lane(self._forward, self.served, self._ends, self.settings.max_batch)
            self._lanes[name] = lane
        if not lane.free or not self._has_memory(lane, request):
            return False
        lane.begin(request)
        self.totals["prompt_tokens"] += len(request.prompt)
        self.totals["cached_tokens"] += request.cached
        return True

    def _has_memory(self, lane: Lane, request: Request) -> bool:
        """Whether there is memory for a request; what idle lanes keep is given up for it.

        Raises:
            PromptTooLongError: there is not enough even for it alone.
        """
        others = [other for other in self._lanes.values() if other is not lane]
        if lane.bytes_with(request) + sum(other.bytes for other in others) <= self._budget:
            return True
        for idle in (*others, lane):
            if not idle.requests:
                idle.cache.clear()
        if self._busy():
            return lane.bytes_with(request) + sum(other.bytes for other in others) <= self._budget
        if lane.bytes_with(request) > self._budget:
            raise PromptTooLongError("there is no memory for so long a prompt and reply: give max_tokens")
        return True


def _ends(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """The tokens that end a reply."""
    given = getattr(model.generation_config, "eos_token_id", None)
    several = given if isinstance(given, list) else [given]
    return tuple(dict.fromkeys(end for end in (*several, tokenizer.eos_token_id) if end is not None))
