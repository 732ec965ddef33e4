"""Imported before anything else of the runtime: pytest, as any test run would import it."""

import importlib
import os
import sys

# The folders of $PYTHONPATH may be the workspace's: a test run puts them back, as the sandbox shows them.
_value = os.environ.get("PYTHONPATH")
_folders = {os.path.abspath(part) for part in _value.split(os.pathsep)} if _value else set()
sys.path[:] = [path for path in sys.path if "/" + path.lstrip("/") not in _folders]
try:
    importlib.import_module("pytest")
except ImportError:
    pass

MODULES = frozenset(sys.modules)
"""What every test run has imported before it comes to the workspace's own files."""
