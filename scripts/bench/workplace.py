"""Where it is measured: small repositories in a temporary folder, backends and episodes around them."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.measure import Figure, Sample, Unmeasurable, clock, demand

from debug_gym.env import DebugGymEnv
from debug_gym.sandbox import Backend, Sandbox
from debug_gym.sandbox.namespace import NamespaceBackend
from debug_gym.task import DirectorySource, Task, Tests

PRICES = '''"""Prices in cents."""


def discounted(price: int, percent: int) -> int:
    kept = 100 + percent
    return price * kept // 100


def total(prices: list[int]) -> int:
    return sum(prices)
'''
FIXED = PRICES.replace("100 + percent", "100 - percent")
TESTS = """from shop.prices import discounted, total


def test_discount():
    assert discounted(1000, 20) == 800


def test_no_discount():
    assert discounted(1000, 0) == 1000


def test_total():
    assert total([1, 2, 3]) == 6


def test_total_of_nothing():
    assert total([]) == 0


def test_types():
    assert isinstance(total([1]), int)
"""
BROKEN_TEST = "tests/test_prices.py::test_discount"
SOUND_TESTS = tuple(
    f"tests/test_prices.py::test_{name}" for name in ("no_discount", "total", "total_of_nothing", "types")
)
SCIENCE = """import numpy
import pandas


def test_mean():
    assert numpy.arange(5).mean() == 2


def test_frame():
    assert pandas.DataFrame({"a": [1, 2]})["a"].sum() == 3
"""
LOOP = """import time


def unused(value):
    return value + 1


def loop(rounds):
    total = 0
    for number in range(rounds):
        total += number % 7
        if total > 1000:
            total -= 1000
    return total


def seconds(rounds):
    begin = time.perf_counter()
    loop(rounds)
    return time.perf_counter() - begin
"""
LOOP_TEST = """from pathlib import Path

from looping import seconds


def test_loop():
    Path("seconds.txt").write_text(repr(seconds({rounds})))
    assert True
"""

TESTS_A_FILE = 10


def _module(number: int, per_test: int = 2) -> str:
    """A function for each test of a file. Right if it multiplies by two."""
    function = "def part_{0}(value):\n    return {2} * value * {0} + {1}\n"
    return "\n\n".join(function.format(index, number, per_test) for index in range(TESTS_A_FILE))


def _tests_of(number: int) -> str:
    test = "def test_{0}():\n    assert part{1}.part_{0}(10) == {2}\n"
    tests = [test.format(index, number, 20 * index + number) for index in range(TESTS_A_FILE)]
    return "\n\n".join([f"from stock import part{number}\n", *tests])


HUGE_FIX = _module(0)


class Workplace:
    """What the rows share. A context: everything that it made is gone afterwards."""

    def __init__(
        self, *, runs: int, quick: bool, rivals: str | None, image: str, reference: str | None = None
    ) -> None:
        self.runs, self.quick, self.image = runs, quick, image
        self.rivals, self.reference = rivals, reference
        self.rounds = 50_000 if quick else 500_000
        """Of the loop that is debugged."""
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        self.folder = Path(self._exit.enter_context(tempfile.TemporaryDirectory(prefix="bench-gym-")))
        before = os.environ.get("DEBUG_GYM_CACHE")
        os.environ["DEBUG_GYM_CACHE"] = str(self.folder / "cache")
        self._exit.callback(_restore_cache, before)
        self.backend = NamespaceBackend()
        self._exit.callback(self.backend.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    # -- tasks ---------------------------------------------------------------------------

    def task(self, name: str, files: Mapping[str, str], **fields: Any) -> Task:
        """A task around a new folder with these files."""
        folder = self.folder / name
        for path, text in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return Task(id=name, problem="Something is wrong.", source=DirectorySource(path=folder), **fields)

    @cached_property
    def small(self) -> Task:
        """Ten files, five tests of which one fails."""
        files = {f"shop/part{number}.py": f"def part():\n    return {number}\n" for number in range(6)}
        files |= {"shop/__init__.py": "", "shop/prices.py": PRICES, "README.md": "A shop.\n"}
        tests = Tests(fail_to_pass=(BROKEN_TEST,), pass_to_pass=SOUND_TESTS)
        return self.task("small", {**files, "tests/test_prices.py": TESTS}, tests=tests)

    @cached_property
    def large(self) -> Task:
        """2000 files in 40 folders."""
        files = {
            f"stock/shelf{shelf}/item{item}.py": f"def item():\n    return {item}\n"
            for shelf in range(40)
            for item in range(50)
        }
        return self.task("large", files)

    @cached_property
    def huge(self) -> Task:
        """20,000 files and 500 MB, 3000 required tests of which one fails (``--quick``: a tenth)."""
        modules, parts, papers, paragraphs = (30, 370, 1570, 35) if self.quick else (300, 3700, 15700, 700)
        files = {"stock/__init__.py": "", "stock/part0.py": _module(0, per_test=3)}
        files |= {f"stock/part{number}.py": _module(number) for number in range(1, modules)}
        files |= {f"tests/test_part{number}.py": _tests_of(number) for number in range(modules)}
        files |= {f"stock/shelf{n // 50}/item{n}.py": f"def item():\n    return {n}\n" for n in range(parts)}
        for number in range(papers):
            text = f"{number}: the shop sells what it has on its shelves\n" * paragraphs
            files[f"papers/year{number // 100}/paper{number}.txt"] = text
        ids = [f"tests/test_part{n}.py::test_{i}" for n in range(modules) for i in range(TESTS_A_FILE)]
        broken = tuple(test for test in ids[:TESTS_A_FILE] if not test.endswith("_0"))
        kept = tuple(test for test in ids if test not in broken)
        tests = Tests(fail_to_pass=broken, pass_to_pass=kept, timeout=600)
        return self.task("huge", files, tests=tests)

    @cached_property
    def science(self) -> Task:
        """Two tests whose file imports numpy and pandas."""
        absent = [name for name in ("numpy", "pandas") if importlib.util.find_spec(name) is None]
        if absent:
            raise Unmeasurable(f"{' and '.join(absent)} not installed for this Python")
        return self.task("science", {"tests/test_science.py": SCIENCE})

    @cached_property
    def looping(self) -> Task:
        """A test that times a loop of plain Python and writes its seconds to ``seconds.txt``."""
        return self.task(
            "looping", {"looping.py": LOOP, "test_loop.py": LOOP_TEST.format(rounds=self.rounds)}
        )

    # -- episodes ------------------------------------------------------------------------

    def env(self, task: Task, *, tools: tuple[str, ...] = (), backend: Backend | None = None) -> DebugGymEnv:
        """A live episode that only ends by being closed, with only these tools; closed at the end."""
        env = DebugGymEnv(
            task=task,
            tools=tools,
            sandbox=backend or self.backend,
            max_steps=None,
            stop_when_passing=False,
        )
        self._exit.callback(env.close)
        env.reset()
        return env

    def copy(self, task: Task) -> Path:
        """A copy of the task's folder on the host, in memory as the sandbox's is, where there is a place."""
        assert isinstance(task.source, DirectorySource)
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else self.folder
        folder = self._exit.enter_context(tempfile.TemporaryDirectory(prefix="bench-gym-", dir=memory))
        return Path(shutil.copytree(task.source.path, folder, dirs_exist_ok=True))

    def sandbox(self, task: Task) -> Sandbox:
        """A live sandbox; closed at the end."""
        return self._exit.enter_context(self.backend.start(task))

    def ready_backend(self) -> NamespaceBackend:
        """A backend that keeps one sandbox ready."""
        backend = NamespaceBackend(ready=1)
        self._exit.callback(backend.close)
        return backend

    def keep(self, close: Callable[[], object]) -> None:
        """Call this at the end."""
        self._exit.callback(close)

    def spawn(self, command: list[str], **options: Any) -> "subprocess.Popen[str]":
        """A helper program that is ended with the workplace."""
        process = subprocess.Popen(
            command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options
        )
        self._exit.callback(_end, process)
        return process

    # -- what may be missing here ------------------------------------------------------------

    @cached_property
    def without_sandboxes(self) -> str:
        """Why no sandbox can be started on this machine; empty: they can."""
        probe = self.backend.probe()
        return "" if probe.works else probe.detail

    @cached_property
    def without_docker(self) -> str:
        """Why Docker cannot be measured; empty: it can."""
        if shutil.which("docker") is None:
            return "docker is not installed"
        if _quiet(["docker", "info"]):
            return "no docker daemon runs"
        if _quiet(["docker", "image", "inspect", self.image]):
            return f"the image {self.image} is not here: docker pull {self.image}"
        return ""

    @cached_property
    def container(self) -> str:
        """The id of a running container; removed at the end."""
        command = ["docker", "run", "-d", "--rm", self.image, "sleep", "3600"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        demand(done.returncode == 0, done.stderr)
        identity = done.stdout.strip()
        self._exit.callback(_quiet, ["docker", "rm", "-f", identity])
        return identity


@dataclass(frozen=True)
class Row:
    """One figure to measure."""

    name: str
    title: str
    measure: Callable[[Workplace], Figure]


def run(
    command: list[str], *, cwd: Path | None = None, stdin: str = "", codes: tuple[int, ...] = (0,)
) -> Sample:
    """A sample that runs a program on the host, which must exit with one of ``codes``."""

    def work() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, check=False)

    return clock(work, lambda done: done.returncode in codes)


def _quiet(command: list[str]) -> int:
    return subprocess.run(command, capture_output=True, check=False).returncode


def _end(process: "subprocess.Popen[str]") -> None:
    with process:
        process.kill()


def _restore_cache(before: str | None) -> None:
    if before is None:
        del os.environ["DEBUG_GYM_CACHE"]
    else:
        os.environ["DEBUG_GYM_CACHE"] = before
