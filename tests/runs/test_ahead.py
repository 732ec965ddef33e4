"""What sandboxes start from is fetched before it is needed, once, and no more than soon is."""

from collections import deque

from debug_gym.errors import TaskError
from debug_gym.runs import ahead
from debug_gym.sandbox import FetchingBackend
from debug_gym.session import Attempt
from debug_gym.task import ImageSource, Task


class Shelf:
    """A backend that fetches names; what is played is taken from the queue meanwhile."""

    def __init__(self, waiting):
        self.waiting, self.fetched = waiting, []
        self.on_progress = print

    def fetch(self, task):
        name = task.source.image
        assert name in [attempt.task.source.image for attempt in list(self.waiting)[:2]]
        self.fetched.append(name)
        self.waiting.popleft()
        if name == "broken":
            raise TaskError("there is no such image")


def test_each_source_is_fetched_once_for_the_attempts_that_come_next(monkeypatch):
    monkeypatch.setattr(ahead, "PAUSE", 0)
    names = ["a", "b", "a", "broken", "c"]
    waiting = deque(
        Attempt(Task(id=f"{number}", problem="", source=ImageSource(image=name)), 0, 0)
        for number, name in enumerate(names)
    )
    shelf = Shelf(waiting)
    assert isinstance(shelf, FetchingBackend)

    def upcoming():
        """The next two; where both are fetched, a worker plays one."""
        next_two = [attempt.task.source.image for attempt in list(waiting)[:2]]
        if next_two and set(next_two) <= set(shelf.fetched):
            waiting.popleft()
        return list(waiting)[:2]

    ahead.fetch_ahead(shelf, upcoming, lambda: not waiting)
    assert shelf.fetched == ["a", "b", "broken", "c"]
