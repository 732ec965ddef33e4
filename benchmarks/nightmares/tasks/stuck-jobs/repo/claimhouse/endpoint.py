"""The broker's side of the wire."""

from __future__ import annotations

import json
from typing import Any

from . import messages
from .broker import Broker, Refused


class Endpoint:
    """Answers requests in text with replies in text."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._handlers = {
            messages.Put: self._put,
            messages.Claim: self._claim,
            messages.Renew: self._renew,
            messages.Release: self._release,
            messages.Finish: self._finish,
            messages.Status: self._status,
        }

    def handle(self, text: str) -> str:
        """Answer one request. Never raises: whatever is wrong with it is in the reply."""
        try:
            request = messages.decode(text)
            return messages.encode(self._handlers[type(request)](request))
        except (messages.BadMessage, Refused) as error:
            return json.dumps({"ok": False, "error": str(error)})

    def _put(self, request: messages.Put) -> Any:
        return messages.PutReply(self._broker.put(request.queue, request.body, request.delay))

    def _claim(self, request: messages.Claim) -> Any:
        claimed = self._broker.claim(request.queue, request.lease)
        if claimed is None:
            return messages.NothingReply(self._broker.next_ready(request.queue))
        job, lease = claimed
        return messages.ClaimReply(job.id, job.body, lease.token, job.attempts)

    def _renew(self, request: messages.Renew) -> Any:
        return messages.RenewReply(self._broker.renew(request.job, request.token, request.extend))

    def _release(self, request: messages.Release) -> None:
        self._broker.release(request.job, request.token, request.delay)

    def _finish(self, request: messages.Finish) -> None:
        self._broker.finish(request.job, request.token)

    def _status(self, request: messages.Status) -> Any:
        return messages.StatusReply(*self._broker.status(request.job))
