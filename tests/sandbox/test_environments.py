"""Environments that are made for a task's requirements."""

import subprocess
import sys
import zipfile

import pytest

from debug_gym.errors import HostError
from debug_gym.sandbox.environments import with_packages
from debug_gym.sandbox.interpreters import interpreter
from debug_gym.task import Environment


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", "value = 42\n")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr(
            "tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    return path


def test_an_environment_holds_what_is_required_and_is_made_once(wheel):
    asked = Environment(requirements=(f"tiny @ file://{wheel}",))
    python = interpreter(asked)
    done = subprocess.run(
        [python, "-c", "import tiny; print(tiny.value)"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "42\n" and python != sys.executable
    wheel.unlink()
    assert interpreter(asked) == python


def test_what_cannot_be_installed_is_said_and_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setenv("DEBUG_GYM_CACHE", str(tmp_path))
    with pytest.raises(HostError, match=r"pip install failed: .*missing\.whl"):
        with_packages(sys.executable, (f"{tmp_path}/missing.whl",))
    assert [path.suffix for path in (tmp_path / "environments").iterdir()] == [".lock"]
