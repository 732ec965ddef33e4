"""Downloading from the Hub: huggingface_hub's own client against a Hub that runs here."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from debug_gym.errors import LibraryError
from debug_gym.lora import ExpertLibrary
from debug_gym.lora.hub import fetch

COMMIT = "c0ffee" + "0" * 34


@pytest.fixture
def hub(library):
    """Its address; one repository, owner/six, with the library and a file that nobody asked for."""
    files = {
        str(path.relative_to(library.folder)): path.read_bytes()
        for path in library.folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    files["e0/adapter_model.bin"] = b"a pickle"
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.answer(body=False)

        def do_GET(self):
            self.answer(body=True)

        def answer(self, body):
            asked.append(self.path)
            path = self.path.split("?")[0]
            if path.startswith("/api/models/owner/six"):
                siblings = [{"rfilename": name} for name in files]
                about = {"id": "owner/six", "sha": COMMIT, "siblings": siblings, "private": False, "tags": []}
                about |= {"downloads": 0, "likes": 0}
                tree = [
                    {"type": "file", "path": n, "size": len(c), "oid": hashlib.sha1(c).hexdigest()}
                    for n, c in files.items()
                ]
                content, headers = json.dumps(tree if "/tree/" in path else about).encode(), {}
            else:
                content = files.get(path.removeprefix(f"/owner/six/resolve/{COMMIT}/"))
                if content is None:
                    self.send_response(404)
                    self.send_header("X-Error-Code", "RepoNotFound")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha1(content).hexdigest()}"'}
            self.send_response(200)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def run(script, endpoint, home):
    variables = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0"}
    variables |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    command = [sys.executable, "-W", "ignore", "-c", script]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=100)


def test_a_library_and_one_of_its_adapters_from_the_hub(hub, tmp_path):
    address, asked = hub
    mine = tmp_path / "mine"
    done = run(
        f"""
from debug_gym.lora import ExpertLibrary
library = ExpertLibrary.open("hf://owner/six@main")
print(library.base, *library.names, all(problems == [] for problems in library.verify().values()))
print(ExpertLibrary.create({str(mine)!r}).add("hf://owner/six/e3").name)
from debug_gym.errors import LibraryError
try:
    ExpertLibrary.open("hf://owner/nothing")
except LibraryError as error:
    print("refused:", error)
""",
        address,
        tmp_path / "home",
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == ["tiny/base e0 e1 e2 e3 e4 e5 True", "e3"]
    assert lines[2].startswith("refused: hf://owner/nothing cannot be downloaded")
    assert ExpertLibrary.open(mine).base == "tiny/base"
    assert not any(path.endswith(".bin") for path in asked)


@pytest.mark.parametrize(
    "address", ["hf:owner/name", "hf://owner", "hf://owner/name/../up", "hf://owner/name@"]
)
def test_malformed_addresses(address):
    with pytest.raises(LibraryError, match="no address"):
        fetch(address)
