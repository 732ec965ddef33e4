"""Episodes an hour: workers as threads of one process and as processes, and workers that wait for a model.

Each row plays the same attempts at tasks of a benchmark. The model is a local server that thinks for
``--delay`` seconds before each reply, so that what is measured is the waiting, not a model.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import execute

CALL = {"id": "c1", "type": "function", "function": {"name": "eval", "arguments": "{}"}}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
MESSAGE = {"role": "assistant", "content": "Let me run the tests.", "tool_calls": [CALL]}
CHOICES = [{"index": 0, "message": MESSAGE, "finish_reason": "tool_calls"}]
REPLY = json.dumps(
    {"id": "r", "object": "chat.completion", "created": 0, "model": "m", "choices": CHOICES, "usage": USAGE}
).encode()
_begin: list[Barrier] = []
"""In a process of several: what they wait for to begin together."""


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


def play(settings: dict[str, Any]) -> tuple[float, float, int]:
    """Seconds, CPU seconds of this process, and episodes of one run."""
    with tempfile.TemporaryDirectory() as folder:
        plan = prepare(RunConfig.model_validate({**settings, "output": Path(folder, "run")}))
        for barrier in _begin:
            barrier.wait()
        began, worked = time.monotonic(), time.process_time()
        results = execute(plan).results
        errors = [result.reason for result in results if result.status == "error"]
        if errors:
            raise SystemExit(errors[0])
        return time.monotonic() - began, time.process_time() - worked, len(results)


def play_in_processes(settings: dict[str, Any], tasks: Sequence[str], count: int) -> tuple[float, float, int]:
    """The same by processes with one worker and a share of the tasks each; their start is not counted."""
    shares = [tasks[number::count] for number in range(min(count, len(tasks)))]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(shares), spawn, _begin.append, (spawn.Barrier(len(shares)),)) as pool:
        done = list(pool.map(play, [{**settings, "tasks": share, "workers": 1} for share in shares]))
    return max(row[0] for row in done), sum(row[1] for row in done), sum(row[2] for row in done)


def show(agent: str, workers: str, seconds: float, worked: float, episodes: int) -> None:
    hourly, each = 3600 * episodes / seconds, 1000 * worked / episodes
    row = agent, workers, str(episodes), f"{seconds:.1f} s", f"{hourly:,.0f}", f"{each:.0f} ms"
    print(f"| {' | '.join(row)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--agents", nargs="*", default=["oracle", "random"])
    parser.add_argument("--tasks", type=int, default=16, help="how many tasks of nightmares")
    parser.add_argument("--model-workers", type=int, nargs="*", default=[2, 8, 16, 32])
    parser.add_argument("--delay", type=float, default=1.0, help="seconds of the model for each reply")
    options = parser.parse_args()
    plan = prepare(RunConfig(benchmark="nightmares", agent="random"))
    tasks = list(plan.tasks)[: options.tasks]
    print("| agent | workers | episodes | time | episodes an hour | CPU time of the gym, an episode |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for agent in options.agents:
        settings = {"benchmark": "nightmares", "tasks": tasks, "agent": agent, "max_steps": 20}
        for count in options.workers:
            show(agent, f"{count} threads", *play({**settings, "workers": count}))
            show(agent, f"{count} processes", *play_in_processes(settings, tasks, count))
    ours, theirs = multiprocessing.Pipe()
    model = multiprocessing.Process(target=serve, args=(options.delay, theirs), daemon=True)
    model.start()
    settings = {"benchmark": "nightmares", "agent": "llm", "model": "m", "max_steps": 5}
    settings["base_url"] = f"http://127.0.0.1:{ours.recv()}/v1"
    for count in options.model_workers:
        wanted = {**settings, "tasks": tasks, "workers": count, "attempts": -(-count // len(tasks))}
        show("llm", f"{count} threads", *play(wanted))
    model.kill()


if __name__ == "__main__":
    main()
