"""An evening in a kitchen."""

from supper_line.evening import Evening
from supper_line.kitchen import Kitchen

__all__ = ["Evening", "Kitchen"]
