"""Cue sheets."""

from caption_reel.clocks import Clock
from caption_reel.cues import Cue
from caption_reel.timecodes import since


class Sheet:
    """The cues of a reel, as they were written down.

    Args:
        name: of the reel.
        lines: begin, end and text of each cue; empty ones are skipped.
        rate: frames in a second.
        kind: see ``Clock``.
        origin: the time code of the reel's first frame.
    """

    def __init__(self, name, lines, rate=25, kind="frames", origin="00:00:00:00"):
        self.name = name
        self.clock = Clock(kind, rate, origin)
        self._lines = [line for line in lines if line.strip()]

    def cues(self):
        """The cues, in order of time. Raises ``ValueError``, with the reel's name."""
        try:
            found = [self._cue(line) for line in self._lines]
        except ValueError as error:
            raise ValueError("%s: %s" % (self.name, error)) from None
        return sorted(found, key=lambda cue: (cue.begin, cue.end))

    def _cue(self, line):
        parts = line.split(None, 2)
        if len(parts) != 3:
            raise ValueError("not a cue: %r" % line)
        begin, end, text = parts
        return Cue(since(self.clock, begin), since(self.clock, end), text)
