"""A quay on which grain is moved, in turns."""

from .foreman import Foreman
from .gate import Gate
from .kernel import Kernel, Pause
from .moves import deliver, load, move
from .report import manifest
from .shed import Shed, Short

__all__ = ["Foreman", "Gate", "Kernel", "Pause", "Shed", "Short", "deliver", "load", "manifest", "move"]
