"""Places to work at."""

from collections import deque


class Place:
    """Room for some dishes at a time.

    Args:
        name: of the place.
        room: for how many.
    """

    def __init__(self, name, room):
        if room < 1:
            raise ValueError("%s has no room" % name)
        self.name = name
        self.line = deque()
        self._room = room

    def enter(self):
        """Whether there was room; then there is less of it."""
        if not self._room:
            return False
        self._room -= 1
        return True

    def leave(self):
        """There is room for one more."""
        self._room += 1
