"""pytest put into an interpreter, whichever Python it is."""

import subprocess
import sys

import pytest

OLD_PYTEST = """attrs==22.2.0 iniconfig==1.1.1 packaging==21.3 pluggy==1.0.0 py==1.11.0 pyparsing==3.0.7 pytest==7.0.1
tomli==1.2.3 importlib-metadata==4.8.3 zipp==3.6.0 typing-extensions==4.1.1""".split()
"""For Pythons for which nothing finds out any more what suits them."""


def install_pytest(site, version):
    """Put pytest into a folder of packages, for a Python of this major and minor version."""
    uv = pytest.importorskip("uv").find_uv_bin()
    wanted = ["--no-deps", *OLD_PYTEST]
    if version >= (3, 8):
        wanted = ["--python-version", "{}.{}".format(*version), "pytest"]
    command = [uv, "--quiet", "--native-tls", "pip", "install", "--python", sys.executable, "--target", site]
    done = subprocess.run([*command, *wanted], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"pytest cannot be had: {done.stderr.strip()[-200:]}")
