"""The package ``swebench`` itself, without what it installs beside it: what this gym says is compared with it."""

import importlib
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest
from filelock import FileLock

PACKAGES = {"5.0.2": ("swebench==5.0.2", "unidiff"), "4.1.0": ("swebench==4.1.0",)}
HOLLOW = {
    "5.0.2": ("swebench", "swebench.harness", "swebench.image_builder"),
    "4.1.0": ("swebench", "swebench.harness", "swebench.harness.log_parsers", "swebench.harness.test_spec"),
}
"""Packages whose own ``__init__`` is passed over: it imports everything, and half of that is not installed."""


@pytest.fixture(scope="session")
def swebench(tmp_path_factory):
    """``swebench(version, name)``: a module of it."""
    known = {}

    def load(version, name):
        if (version, name) not in known:
            with pytest.MonkeyPatch.context() as patch:
                known[version, name] = _load(_installed(version, tmp_path_factory), version, name, patch)
        return known[version, name]

    return load


def _installed(version, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp().parent / f"swebench-{version}"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            words = "-m pip install --quiet --disable-pip-version-check --no-deps --target".split()
            command = [sys.executable, *words, f"{folder}.new", *PACKAGES[version]]
            subprocess.run(command, check=True, env={**os.environ, "PIP_CONSTRAINT": ""})
            Path(f"{folder}.new").rename(folder)
    return folder


def _load(folder, version, name, patch):
    others = [module for module in sys.modules if module.partition(".")[0] in {"swebench", "unidiff"}]
    for module in others:
        patch.delitem(sys.modules, module)
    for package in HOLLOW[version]:
        hollow = types.ModuleType(package)
        hollow.__path__ = [str(folder / package.replace(".", "/"))]
        patch.setitem(sys.modules, package, hollow)
    patch.syspath_prepend(folder)
    if version == "4.1.0":
        specs = types.ModuleType("swebench.harness.test_spec.test_spec")
        specs.TestSpec = types.SimpleNamespace  # the name stands in annotations alone
        patch.setitem(sys.modules, specs.__name__, specs)
        parsers = importlib.import_module("swebench.harness.log_parsers.python")
        sys.modules["swebench.harness.log_parsers"].MAP_REPO_TO_PARSER = parsers.MAP_REPO_TO_PARSER_PY
    module = importlib.import_module(name)
    for loaded in [m for m in sys.modules if m.partition(".")[0] in {"swebench", "unidiff"}]:
        patch.delitem(sys.modules, loaded)
    return module
