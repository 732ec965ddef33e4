"""Quality control of a coffee roaster."""

from roast_control.moments import Moments
from roast_control.roaster import Roaster

__all__ = ["Moments", "Roaster"]
