"""Episodes an hour: workers as threads and as processes, on one CPU and on several, and workers that wait.

Each row plays the same attempts at tasks of a benchmark, in a process of its own that may use so many CPUs.
Counted is what happens between the moment when each worker has played two episodes and the one when each has
its last before it: start and end of a run are not in it. Rounds take turns, and medians are shown.

The model is a local server that thinks for ``--delay`` seconds before each reply, so that what is measured is
the waiting, not a model.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import Event, Finished, execute

CALL = {"id": "c1", "type": "function", "function": {"name": "eval", "arguments": "{}"}}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
MESSAGE = {"role": "assistant", "content": "Let me run the tests.", "tool_calls": [CALL]}
CHOICES = [{"index": 0, "message": MESSAGE, "finish_reason": "tool_calls"}]
REPLY = json.dumps(
    {"id": "r", "object": "chat.completion", "created": 0, "model": "m", "choices": CHOICES, "usage": USAGE}
).encode()


class Slow(BaseHTTPRequestHandler):
    """Always runs the tests, after thinking about it."""

    delay = 1.0
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.delay)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(REPLY)))
        self.end_headers()
        self.wfile.write(REPLY)

    def log_message(self, *arguments: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 1024


def serve(delay: float, pipe: Any) -> None:
    """The process of the model."""
    Slow.delay = delay
    server = Server(("127.0.0.1", 0), Slow)
    pipe.send(server.server_port)
    server.serve_forever()


@dataclass(frozen=True)
class Cpu:
    """CPU seconds used so far by the gym's own processes, by warm interpreters, and by sandboxes."""

    gym: float
    templates: float
    sandboxes: float

    @classmethod
    def now(cls) -> Self:
        """Of this process and all below it."""
        gym = templates = sandboxes = 0.0
        for pid in _below(os.getpid()):
            try:
                inside, is_template, own, waited = _look(pid)
            except (OSError, IndexError):
                continue  # it has ended; whoever waited for it has its time
            if inside == 1:
                sandboxes += own + waited
            elif inside == 0 and is_template:
                templates += own
                sandboxes += waited
            elif inside == 0:
                gym += own
        return cls(gym, templates, sandboxes)

    def each(self, before: "Cpu", episodes: int) -> tuple[float, float, float]:
        """Milliseconds an episode, since ``before``."""
        spent = self.gym - before.gym, self.templates - before.templates, self.sandboxes - before.sandboxes
        first, second, third = (1000 * seconds / episodes for seconds in spent)
        return first, second, third


def _below(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = task.read_text().split()
        except OSError:
            continue
        for child in found:
            yield from _below(int(child))


def _look(pid: int) -> tuple[int, bool, float, float]:
    """A process's number in its sandbox (0: it is in none), whether it is a warm interpreter, its CPU
    seconds, and those of the children that it has waited for."""
    folder = Path("/proc", str(pid))
    spaces = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("NSpid:"))
    numbers = spaces.split()[1:]
    fields = (folder / "stat").read_text().rpartition(") ")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    own, waited = (sum(map(int, fields[start : start + 2])) / ticks for start in (11, 13))
    is_template = b"launcher.template" in (folder / "cmdline").read_bytes()
    return (int(numbers[-1]) if len(numbers) > 1 else 0), is_template, own, waited


@dataclass(frozen=True)
class Rate:
    """What a row gave once."""

    hourly: float
    cpu: tuple[float, float, float]
    """Milliseconds an episode: see ``Cpu``."""
    busy: float
    """Share of the CPUs' time that was used."""


def play(settings: dict[str, Any], cpus: int, each: int) -> Rate:
    """Play so many episodes a worker that count, on so many CPUs."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cpus])
    count = settings["workers"]
    marks: list[tuple[float, Cpu]] = []
    finished = 0

    def on_event(event: Event) -> None:
        nonlocal finished
        if isinstance(event, Finished):
            if event.result.status == "error":
                raise RuntimeError(event.result.reason)
            finished += 1
            if finished in (2 * count, (2 + each) * count):
                marks.append((time.monotonic(), Cpu.now()))

    with tempfile.TemporaryDirectory() as folder:
        attempts = -(-(3 + each) * count // len(settings["tasks"]))
        wanted = {**settings, "attempts": attempts, "output": Path(folder, "run")}
        with closing(prepare(RunConfig.model_validate(wanted))) as plan:
            execute(plan, on_event)
    (began, before), (ended, after) = marks
    episodes, seconds = each * count, ended - began
    cpu = after.each(before, episodes)
    return Rate(3600 * episodes / seconds, cpu, sum(cpu) / 1000 * episodes / seconds / cpus)


def measure(rows: list[tuple[dict[str, Any], int]], each: int, rounds: int) -> list[list[Rate]]:
    """All rows in turns, each time in a process of its own."""
    found: list[list[Rate]] = [[] for _ in rows]
    for _ in range(rounds):
        for rates, (settings, cpus) in zip(found, rows, strict=True):
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
                rates.append(pool.submit(play, settings, cpus, each).result())
    return found


def show(rows: list[tuple[dict[str, Any], int]], found: list[list[Rate]]) -> None:
    """A line for each row; how well several CPUs are used, beside the agent's first row."""
    first: dict[str, tuple[float, int]] = {}
    for (settings, cpus), rates in zip(rows, found, strict=True):
        hourly = statistics.median(rate.hourly for rate in rates)
        alone, of = first.setdefault(settings["agent"], (hourly, cpus))
        parts = [f"{statistics.median(rate.cpu[n] for rate in rates):.0f}" for n in range(3)]
        busy = statistics.median(rate.busy for rate in rates)
        cells = settings["agent"], str(cpus), str(settings["workers"]), str(settings["processes"])
        gain = f"{hourly / alone:.2f} x", f"{hourly / alone / (cpus / of):.0%}"
        print(
            f"| {' | '.join((*cells, f'{hourly:,.0f}', *gain, ' + '.join(parts), f'{busy:.0%}'))} |",
            flush=True,
        )


def main() -> None:
    available = len(os.sched_getaffinity(0))
    powers = [2**n for n in range(11) if 2**n < available]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cpus", type=int, nargs="+", default=[*powers, available])
    parser.add_argument("--agents", nargs="*", default=["random"])
    parser.add_argument("--tasks", type=int, default=16, help="how many tasks of nightmares")
    parser.add_argument("--episodes", type=int, default=10, help="that count, a worker")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model-workers", type=int, nargs="*", default=[2, 8, 32, 128])
    parser.add_argument("--model-episodes", type=int, default=2, help="that count, a worker with a model")
    parser.add_argument("--delay", type=float, default=1.0, help="seconds of the model for each reply")
    options = parser.parse_args()
    with closing(prepare(RunConfig(benchmark="nightmares", agent="random"))) as plan:
        tasks = list(plan.tasks)[: options.tasks]
    print(
        "| agent | CPUs | workers | processes | episodes an hour | of the first row | per CPU of it "
        "| CPU ms an episode: gym + templates + sandboxes | CPUs' time used |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for agent in options.agents:
        shared = {"benchmark": "nightmares", "tasks": tasks, "agent": agent, "max_steps": 20}
        rows = [
            ({**shared, "workers": cpus, "processes": processes}, cpus)
            for cpus in options.cpus
            for processes in sorted({1, cpus})
        ]
        show(rows, measure(rows, options.episodes, options.rounds))
    if options.model_workers:
        ours, theirs = multiprocessing.Pipe()
        model = multiprocessing.Process(target=serve, args=(options.delay, theirs), daemon=True)
        model.start()
        shared = {"benchmark": "nightmares", "tasks": tasks, "agent": "llm", "model": "m", "max_steps": 5}
        shared["base_url"] = f"http://127.0.0.1:{ours.recv()}/v1"
        rows = [
            ({**shared, "workers": count, "processes": processes}, available)
            for count in options.model_workers
            for processes in sorted({1, min(count, available)})
        ]
        show(rows, measure(rows, options.model_episodes, 1))
        model.kill()


if __name__ == "__main__":
    main()
