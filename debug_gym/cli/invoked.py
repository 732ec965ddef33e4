"""How this program was called, so that what it tells people to type can be typed."""

import os
import shutil
import sys
from pathlib import Path

NAME = "debug-gym"


def command() -> str:
    """``debug-gym`` if a shell here would find this one, else the way to it."""
    called = Path(sys.argv[0])
    found = shutil.which(NAME)
    if called.name != NAME:
        python = f"{os.path.relpath(sys.executable)} -m debug_gym"
        return NAME if found and Path(found).parent == Path(sys.executable).parent else python
    if found and Path(found).resolve() == called.resolve():
        return NAME
    return os.path.relpath(called)
