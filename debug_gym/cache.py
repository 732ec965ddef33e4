"""Where what can be made again is kept between runs."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$DEBUG_GYM_CACHE``, or ``debug-gym`` in the user's cache folder."""
    chosen = os.environ.get("DEBUG_GYM_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "debug-gym"
