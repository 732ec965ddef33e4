"""Requests that are computed in one batch: their rows of a cache, and a step of all of them."""

from collections.abc import Sequence

from torch import Tensor

from debug_gym.errors import DebugGymError
from debug_gym.lora.serve.cache import RowCache
from debug_gym.lora.serve.forward import Forward
from debug_gym.lora.serve.request import Request
from debug_gym.lora.serve.served import ServedModels

CHUNK = 256
"""Tokens of a prompt that are computed between two steps of the others."""


class Lane:
    """A batch. Row ``i`` belongs to ``running[i]``, the row behind them to the one that is ``filling``."""

    def __init__(self, forward: Forward, served: ServedModels, ends: Sequence[int], rows: int) -> None:
        self.cache = RowCache(rows)
        self.running: list[Request] = []
        self.filling: Request | None = None
        """Its prompt is being computed."""
        self._forward, self._served, self._ends, self._rows = forward, served, ends, rows

    @property
    def requests(self) -> list[Request]:
        """All in the batch."""
        return [*self.running, *([self.filling] if self.filling else [])]

    @property
    def free(self) -> bool:
        """Whether another request may begin."""
        return self.filling is None and len(self.running) < self._rows

    def bytes_with(self, request: Request) -> int:
        """Memory of the cache once it also holds a request."""
        return self.cache.size_after(request.columns) * self._forward.bytes_per_token

    @property
    def bytes(self) -> int:
        """Memory of the cache."""
        return self.cache.size_after(0) * self._forward.bytes_per_token

    def begin(self, request: Request) -> None:
        """Let a request in."""
        request.cached = request.done = self.cache.begin(request.choice.key, request.prompt)
        self.filling = request

    def step(self) -> None:
        """Compute a chunk of the prompt that is filling, and a token of each reply."""
        if self.filling:
            self._fill(self.filling)
        if self.running:
            self._decode()

    def drop(self, request: Request) -> None:
        """Take a request out; its row stays behind, with its tokens."""
        if request is self.filling:
            self.filling = None
            self.cache.end(len(self.running))
            return
        at, last = self.running.index(request), len(self.running) - 1
        self.running[at] = self.running[last]
        self.running.pop()
        self.cache.swap(at, last)
        self.cache.end(last)  # what is filling moves down by one

    def fail(self, error: Exception) -> None:
        """A step failed: so do all in the batch, and the cache cannot be trusted."""
        for request in self.requests:
            request.fail(error)
        self.running, self.filling = [], None
        self.cache.clear()

    def _fill(self, request: Request) -> None:
        row = len(self.running)
        chunk = list(request.prompt[request.done : request.done + CHUNK])
        self._served.assign([request.choice])
        logits = self._forward(self.cache, row, [chunk], [request.done])
        self.cache.rows[row].tokens += chunk
        request.done += len(chunk)
        if request.done == len(request.prompt):
            self.running.append(request)
            self.filling = None
            self._take([(request, logits[0])])

    def _decode(self) -> None:
        batch = list(self.running)
        self._served.assign([request.choice for request in batch])
        last = [[request.tokens[-1].id] for request in batch]
        self.cache.reserve(0, max(request.done for request in batch) + 1)
        logits = self._forward(self.cache, 0, last, [request.done for request in batch])
        for row, request in enumerate(batch):
            self.cache.rows[row].tokens += last[row]
            request.done += 1
        self._take(list(zip(batch, logits, strict=True)))

    def _take(self, rows: Sequence[tuple[Request, Tensor]]) -> None:
        """Choose a token for each row; a request that fails here fails alone."""
        for request, logits in rows:
            try:
                mask = request.constraint.mask().to(logits.device) if request.constraint else None
                reason = request.take(request.sampler.choose(logits, mask), self._ends)
            except DebugGymError as error:
                self.drop(request)
                request.fail(error)
                continue
            if reason:
                self.drop(request)
                request.finish(reason)
