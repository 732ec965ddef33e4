"""``debug-gym serve`` as a process: an agent plays on it, and it is killed in the middle."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from debug_gym.agents.models.openai import OpenAIModel
from debug_gym.cli import main
from debug_gym.store.records import Run

from .conftest import ENDLESS_FORMAT, make_model, make_tokenizer
from .test_constraints import TOOLS

ASK = [{"role": "user", "content": "hello"}]
PROGRAM = "import sys; from debug_gym.cli import main; sys.exit(main())"


@pytest.fixture(scope="module")
def base(tmp_path_factory, talkers_library):
    folder = tmp_path_factory.mktemp("base") / "talker"
    tokenizer = make_tokenizer()
    make_model(vocab=len(tokenizer), max_position_embeddings=16384).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def command(base, talkers_library, tmp_path, monkeypatch):
    """``command("--port", ...)``: a running process, and its address."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    running = []

    def start(*options, port=0):
        log = tmp_path / f"{len(running)}.log"
        arguments = ["serve", str(talkers_library.folder), "--base", str(base), "--port", str(port), *options]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        with log.open("w") as writing:
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *arguments], stdout=writing, stderr=writing, env=environment
            )
        running.append(process)
        deadline = time.monotonic() + 90
        while not (found := re.search(r"running on (http://\S+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        return process, f"{found[1]}/v1"

    yield start
    for process in running:
        process.kill()
        process.wait()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_an_episode_of_our_agent_on_a_router(command, calc, tmp_path, monkeypatch):
    process, url = command()
    options = ["--max-steps", "2", "-w", "2", "-k", "2", "--tools", "listdir,view", "-o", "max_malformed=1"]
    forced = ["-o", 'extra={"tool_choice": "required"}', "-o", "max_tokens=200", "-o", "logprobs=completion"]
    asked = ["debug-gym", "run", "repo", "--path", str(calc), "-a", "llm", "-m", "arrow", "--base-url", url]
    monkeypatch.setattr(
        sys,
        "argv",
        [*asked, *options, *forced, "--output", str(tmp_path / "run")],
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    results = Run.open(tmp_path / "run").results()
    assert [result.status for result in results] == ["unresolved"] * 2
    assert all(result.usage["output_tokens"] > 0 for result in results)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) in (0, -signal.SIGTERM)


def test_killed_in_the_middle_and_started_again(command):
    port = free_port()
    process, url = command(port=port)
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0, timeout=60) as client:
        asked = {"messages": ASK, "max_tokens": 8000, "response_format": ENDLESS_FORMAT}
        events = iter(client.chat.completions.create(model="ants", stream=True, **asked))
        assert next(events).choices
        killer = threading.Timer(0.2, process.kill)
        killer.start()
        with pytest.raises((openai.APIConnectionError, openai.APIError, Exception)) as broken:
            for _ in range(100_000):
                next(events)
        assert not isinstance(broken.value, AssertionError)
    process.wait()
    model = OpenAIModel("ants", base_url=url, max_tokens=5, retries=20, max_wait=2)
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(model.reply, ASK, TOOLS, episode=str(n)) for n in range(4)]
        time.sleep(0.5)
        assert not any(one.done() for one in waiting)  # nobody answers, and they try again
        command(port=port)
        assert all(0 < one.result(90).usage.output_tokens <= 5 for one in waiting)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere", "--base", "x"], "nowhere"),
        (["--base", "no/such/model"], "the model no/such/model cannot be loaded"),
        ([], "which model? give --base"),
        (["--base", "x", "--host", "0.0.0.0"], "set DEBUG_GYM_SERVE_KEY"),
    ],
)
def test_what_is_wrong_is_one_sentence(arguments, complaint, monkeypatch, capsys):
    monkeypatch.delenv("DEBUG_GYM_SERVE_KEY", raising=False)
    monkeypatch.setattr(sys, "argv", ["debug-gym", "serve", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert complaint in " ".join(capsys.readouterr().err.split())
