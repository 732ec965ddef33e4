"""What tests of sandboxes share: the same test run made cold and warm, and interpreters of their own."""

import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from debug_gym.cache import cache_folder
from debug_gym.sandbox import Guarantees, Probe, Sandbox
from debug_gym.sandbox.channel import PipeChannel
from debug_gym.sandbox.checkout_cache import prepare
from debug_gym.sandbox.interpreters import interpreter, runtime_command, sandbox_environment


@pytest.fixture
def run_both():
    """``run_both(sandbox)``: what can be seen of a cold run and of a warm one: exit code, outcomes, ids, what
    the tests left in ``/tmp/left``, and the output without times and addresses."""
    return _run_both


def _run_both(sandbox):
    seen = []
    for cold in (True, False):
        sandbox.exec("rm -rf /tmp/left")
        run = sandbox.run_tests(timeout=30, cold=cold)
        assert run.warm is not cold, run.note
        left = sandbox.exec("cat /tmp/left 2>/dev/null").output
        seen.append(
            (run.exit_code, dict(run.outcomes), run.complete, run.collected, left, _without_times(run.output))
        )
    return seen


def _without_times(text):
    text = re.sub(r"\bin \d+\.\d+s\b", "in Xs", text)
    text = re.sub(r"=+ (.*?) =+\n", r"= \1 =\n", text)
    return re.sub(r"0x[0-9a-f]+", "0xX", text)


@pytest.fixture(scope="session")
def make_interpreter(tmp_path_factory):
    """``make_interpreter({"module.py": "x = 1\\n"})``: a virtual environment that has pytest, and these files
    in its site-packages. Needs no network."""

    def make(files=()):
        folder = tmp_path_factory.mktemp("interpreter") / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        (site,) = folder.glob("lib/python3*/site-packages")
        for name in ("pytest", "pluggy", "iniconfig", "packaging", "pygments"):
            _copy_distribution(name, site)
        for path, content in dict(files).items():
            target = site / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        return str(folder)

    return make


def _copy_distribution(name, site):
    for file in distribution(name).files:
        if file.parts[0] not in {"..", "__pycache__"} and "__pycache__" not in file.parts:
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(file.locate()), site / file)


def _interpreters():
    """The Python that runs this, and the others that are installed here."""
    found = {}
    for minor in range(6, 16):
        candidates = [
            *Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"),
            shutil.which(f"python3.{minor}"),
        ]
        for path in filter(None, candidates):
            if subprocess.run([path, "-c", ""], check=False, capture_output=True).returncode == 0:
                found[f"3.{minor}"] = str(path)
                break
    others = [pytest.param(path, id=name) for name, path in found.items()]
    missing = pytest.param("", id="another", marks=pytest.mark.skip("no other Python is installed here"))
    return [pytest.param(None, id="this"), *(others or [missing])]


_PYTHONS = _interpreters()
_WHOLE = [entry for entry in _PYTHONS[1:] if entry.id != "3.6"]  # whose own pdb does less
_SOME = [_WHOLE[n] for n in sorted({0, len(_WHOLE) - 1})] if _WHOLE else []


@pytest.fixture(scope="module", params=_PYTHONS)
def python(request):
    """For ``Environment(python=...)``: the Python that runs this, and each other one that is installed here."""
    return request.param


@pytest.fixture(scope="module", params=[_PYTHONS[0], *_SOME])
def some_python(request):
    """The same, of the others only the oldest and the newest."""
    return request.param


class PipeBackend:
    """As somebody else would write one: programs in temporary folders, that are asked for everything over
    their stdin and stdout."""

    name = "pipes"
    guarantees = Guarantees()

    def probe(self):
        return Probe(True, self.guarantees, "unsafe: for tests only")

    def start(self, task):
        python = interpreter(task.environment)
        base = prepare(task.source, python)
        home = tempfile.mkdtemp(prefix="debug-gym-pipes-")
        workspace = Path(home).resolve() / "workspace"
        shutil.copytree(base.path, workspace, symlinks=True)
        program = subprocess.Popen(
            runtime_command(python),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=sandbox_environment(python, home, task.environment.variables),
        )

        def end():
            try:
                program.wait(2)  # it ends by itself, and its children with it
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()

        channel = PipeChannel(program.stdout, program.stdin)
        sandbox = Sandbox(task, str(workspace), channel, kill=end, start_another=lambda: self.start(task))
        sandbox.boot(names=base.names, home=home, notes=cache_folder() / "interpreters/pipes")
        return sandbox

    def close(self):
        pass


@pytest.fixture(scope="module")
def over_pipes():
    """A backend that gives a channel of two pipes, and a way to end a sandbox; nothing else."""
    return PipeBackend()
