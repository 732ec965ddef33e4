"""Environments of other frameworks, each as its users have it: ours installed beside it, nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def framework(tmp_path_factory):
    """``framework("name")``: the folder of programs of an environment that has this package, beside ours unless
    that is not wanted, whose dependencies fit together."""
    uv = pytest.importorskip("uv").find_uv_bin()

    def make(*packages, ours=True):
        folder = tmp_path_factory.mktemp("framework") / "venv"
        python = folder / "bin/python"
        for command in (
            ["venv", "--python", sys.executable, folder],
            ["pip", "install", "--python", python, *(["--editable", ROOT] if ours else []), *packages],
            ["pip", "check", "--python", python],
        ):
            with FileLock(
                tmp_path_factory.getbasetemp().parent / "frameworks.lock"
            ):  # ours is built in its own folder
                done = subprocess.run(
                    [uv, "--quiet", "--native-tls", *command], capture_output=True, text=True, check=False
                )
            if "Failed to fetch" in done.stderr or "error sending request" in done.stderr:
                pytest.skip("the package index cannot be reached")
            assert done.returncode == 0, done.stderr
        return folder / "bin"

    return make
