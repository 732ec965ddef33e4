"""Where the debugged program stands, in files that may be edited while it stands there."""

import re
from dataclasses import dataclass

from debug_gym.episode import Step
from debug_gym.sandbox.server.debug.commands import RESUMING, STARTING, TRAVELLING
from debug_gym.terminal.grammar import DEBUGGER
from debug_gym.tools.breakpoints import moved_lines
from debug_gym.tools.text import split_lines

PROGRAM = "\n--- the program wrote ---\n"
"""What separates the debugger's words from the program's output in an observation."""
_FRAME = re.compile(r"^frame at (.+):(\d+) in (.+)$", re.MULTILINE)
_MOVING = RESUMING | TRAVELLING | STARTING
"""Commands after which the program may stand elsewhere."""


@dataclass(frozen=True)
class Place:
    """A line of the program."""

    file: str
    line: int
    function: str
    reason: str


class Whereabouts:
    """Follows the program from call to call."""

    def __init__(self) -> None:
        self.place: Place | None = None
        """Where it stands; None: there is no program, or it has ended."""
        self._texts: dict[str, str] = {}
        """Files as the program runs them, where they may have changed since it was started."""

    def remember(self, path: str, text: str) -> None:
        """The text of a file before it may be changed."""
        self._texts.setdefault(path, text)

    def follow(self, step: Step) -> bool:
        """Take in a call of the debugger; say whether the program, or the frame in view, may be another."""
        arguments, stop = step.call.arguments, step.observation.data.get("stop")
        lines = str(arguments.get("command")).split("\n")
        words = {line.split()[0] for line in lines if line.strip()}
        frames = _FRAME.findall(split_output(step.observation.text)[0])
        named = arguments.keys() - {"command", "timeout"}
        started = self.place is None or bool(named or words & STARTING)
        if started:
            self._texts.clear()
        if stop is None:
            self.place = None
        elif frames:
            file, line, function = frames[-1]
            self.place = Place(file, int(line), function, "frame")
        elif started or words & _MOVING:
            self.place = Place(**stop)
        else:
            return False
        return True

    def line(self, path: str, text: str) -> int:
        """The line of a file at which the program stands; 0: in another file, or the line is gone."""
        if self.place is None or self.place.file != path:
            return 0
        old = self._texts.get(path, text)
        return moved_lines(split_lines(old), split_lines(text)).get(self.place.line, 0)


def split_output(text: str) -> tuple[str, str]:
    """An observation of the debugger as its own words and what the program wrote."""
    said, _, written = text.partition(PROGRAM)
    return said, written


def written(step: Step) -> str:
    """What the program wrote during a step of the debugger."""
    return split_output(step.observation.text)[1] if step.call.name == DEBUGGER else ""
