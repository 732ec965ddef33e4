"""Code that runs inside the sandbox: standard library only, Python 3.6 or newer."""

import sys

if sys.version_info < (3, 7):
    from . import python36  # noqa: F401
