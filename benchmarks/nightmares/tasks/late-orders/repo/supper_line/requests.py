"""What a job may ask for."""


class Pause:
    """Some minutes."""

    def __init__(self, minutes):
        self.minutes = minutes

    def ask(self, turns, job):
        """The job goes on when they have passed."""
        turns.set(job, turns.now + self.minutes)


class Take:
    """Room at a place."""

    def __init__(self, place):
        self.place = place

    def ask(self, turns, job):
        """The job goes on as soon as there is room for it."""
        if self.place.enter():
            turns.set(job, turns.now)
        else:
            self.place.line.append((job, self))


class Leave:
    """To go from a place."""

    def __init__(self, place):
        self.place = place

    def ask(self, turns, job):
        """The job goes on at once, and so does the one that has waited longest."""
        self.place.leave()
        turns.set(job, turns.now)
        if self.place.line:
            other, wanted = self.place.line.popleft()
            turns.set(other, turns.now, wanted)
