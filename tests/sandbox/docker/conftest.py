"""What tests of containers share: the daemon, an image of the SWE-bench kind, and a task in it."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from debug_gym.errors import SandboxUnavailableError
from debug_gym.sandbox.docker import DockerBackend
from debug_gym.sandbox.docker.daemon import connect
from debug_gym.task import ImageSource, Task, Tests
from tests.install_pytest import install_pytest

FILES = {
    "/testbed/calc.py": "def add(a, b):\n    return a - b\n",
    "/testbed/test_calc.py": "from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n",
    "/testbed/.git/secret": "the fix is in here\n",
}
PYTHON = "/opt/miniconda3/envs/testbed/bin/python3"


def _module(name, path):
    """A file of the tests, as a module that they can import."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_module("own_daemon", Path(__file__).with_name("own_daemon.py"))


@pytest.fixture(scope="session")
def daemon():
    """A client of the daemon."""
    try:
        client = connect()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    yield client
    client.close()


@pytest.fixture(scope="session")
def testbed(daemon, tmp_path_factory):
    """Name of an image whose ``/testbed`` has a bug and a test that fails."""
    if shutil.which("dpkg-query") is None:
        pytest.skip("the image is made of Debian packages")
    return _testbed(daemon, _installed(), tmp_path_factory)


@pytest.fixture(scope="module", params=["3.6", "3.7", "3.8"])
def old_testbed(request, daemon, tmp_path_factory):
    """The same, with older interpreters: version, and name of the image."""
    found = sorted(Path.home().glob(f".pyenv/versions/{request.param}.*"))
    if not found or shutil.which("dpkg-query") is None:
        pytest.skip(f"no Python {request.param} or no Debian packages are installed here")
    return request.param, _testbed(daemon, found[0], tmp_path_factory)


def _testbed(daemon, installed, tmp_path_factory):
    name = f"debug-gym-test/testbed:{installed.name}-3"
    with FileLock(Path(tmp_path_factory.getbasetemp().parent, f"testbed-{installed.name}.lock")):
        if not daemon.images.list(name):
            _module("docker_image", Path(__file__).parents[2] / "docker_image.py").make_image(
                daemon, name, _with_pytest(installed, tmp_path_factory), installed, FILES
            )
    return name


def _installed():
    """Prefix of an old interpreter, or of this one where there is none."""
    old = sorted(Path.home().glob(".pyenv/versions/3.9.*"))
    return old[0] if old else Path(sys.base_prefix)


def _with_pytest(installed, tmp_path_factory):
    """A copy of an interpreter that has pytest."""
    copy = tmp_path_factory.mktemp("prefix") / "python"
    unused = shutil.ignore_patterns("test", "*.a", "site-packages")
    shutil.copytree(installed, copy, symlinks=True, ignore=unused)
    (library,) = copy.glob("lib/python3.*")
    version = tuple(map(int, library.name.removeprefix("python").split(".")))
    install_pytest(library / "site-packages", version)
    return copy


@pytest.fixture(scope="module")
def docker_backend(daemon):
    """A backend that keeps nothing ready."""
    backend = DockerBackend(ready=0)
    yield backend
    backend.close()


@pytest.fixture(scope="module")
def in_image(testbed):
    """``in_image(**fields)``: a task around the image."""

    def make(*, setup=(), python=PYTHON, **fields):
        tests = fields.pop("tests", Tests(fail_to_pass=("test_calc.py::test_add",)))
        source = ImageSource(image=testbed, python=python, setup=setup)
        return Task(id="calc", problem="Sums are wrong.", source=source, tests=tests, **fields)

    return make
