"""What a time code means."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Clock:
    """Counts frames.

    Args:
        kind: how a second is divided: ``frames``, or ``drop`` where two numbers are left out each minute, but for
            every tenth.
        rate: frames in a second.
        origin: the time code at which it began to run.
    """

    kind: str
    rate: int = field(compare=False)
    origin: str = field(default="00:00:00:00", compare=False)

    def __post_init__(self):
        if self.kind not in ("frames", "drop"):
            raise ValueError("there is no clock %r" % self.kind)
        if self.rate < 1:
            raise ValueError("a clock has at least a frame a second, not %d" % self.rate)

    def frames(self, hours, minutes, seconds, frames):
        """The number of a frame, from midnight on."""
        if frames >= self.rate:
            raise ValueError("frame %d of a second that has %d" % (frames, self.rate))
        whole = (hours * 60 + minutes) * 60 + seconds
        number = whole * self.rate + frames
        if self.kind == "drop":
            passed = hours * 60 + minutes
            number -= 2 * (passed - passed // 10)
        return number
