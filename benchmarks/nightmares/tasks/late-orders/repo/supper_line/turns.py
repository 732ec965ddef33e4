"""Who does something when."""

from heapq import heappop, heappush


class Turns:
    """Lets jobs do their steps, in order of time; those of the same minute in the order in which they were set.

    A job is a generator. It yields requests (see ``supper_line.requests``) and goes on when they are met.
    """

    def __init__(self):
        self.now = 0
        self._coming = []
        self._set = 0

    def set(self, job, minute, request=None):
        """Let a job go on at a minute; with a request, it asks for that first."""
        heappush(self._coming, (minute, self._set, job, request))
        self._set += 1

    def play(self):
        """Until nobody has anything left to do."""
        while self._coming:
            self.now, _, job, request = heappop(self._coming)
            if request is None:
                request = next(job, None)
            if request is not None:
                request.ask(self, job)
