"""A hub of data sets: the addresses of Hugging Face's that a download asks for, over HTTP."""

import hashlib
import http.server
import io
import json
import threading
from contextlib import ExitStack

import pytest

COMMIT = "c0ffee" * 6 + "abcd"


class FakeHub(http.server.ThreadingHTTPServer):
    """Serves one data set.

    Args:
        name: ``owner/name``.
        files: path to content. Those that end in ``.parquet`` are told with a SHA-256, as large ones are.
    """

    daemon_threads = True

    def __init__(self, name, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.name, self.files, self.lies, self.asked, self.breaks = name, files, set(), [], 0

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def entry(self, path):
        data = self.files[path] + (b"?" if path in self.lies else b"")
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        entry = {"rfilename": path, "size": len(data), "blobId": blob}
        if path.endswith(".parquet"):
            digest = hashlib.sha256(data).hexdigest()
            entry["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 130}
        return entry


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.do_GET(body=False)

    def do_GET(self, body=True):
        hub, path = self.server, self.path.partition("?")[0]
        hub.asked.append((self.command, path, self.headers.get("Range")))
        if path.startswith(f"/api/datasets/{hub.name}/revision/"):
            known = {"id": hub.name, "sha": COMMIT, "siblings": list(map(hub.entry, hub.files))}
            return self._answer(200, json.dumps(known).encode(), {"Content-Type": "application/json"}, body)
        name = path.removeprefix(f"/datasets/{hub.name}/resolve/{COMMIT}/")
        if name not in hub.files:
            return self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body)
        entry, data = hub.entry(name), hub.files[name]
        tag = entry["lfs"]["sha256"] if "lfs" in entry else entry["blobId"]
        headers = {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        start = int((self.headers.get("Range") or "bytes=0-").split("=")[1].split("-")[0])
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        return self._answer(206 if start else 200, data[start:], headers, body)

    def _answer(self, status, data, headers, body):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body and self.server.breaks and "resolve" in self.path:
            self.server.breaks -= 1
            self.wfile.write(data[: len(data) * 2 // 3])
            self.close_connection = True
        elif body:
            self.wfile.write(data)


@pytest.fixture
def parquet():
    """``parquet(rows)``: the bytes of such a file."""
    pyarrow, parquet = map(pytest.importorskip, ("pyarrow", "pyarrow.parquet"))

    def write(rows, group=2):
        buffer = io.BytesIO()
        parquet.write_table(pyarrow.Table.from_pylist(rows), buffer, row_group_size=group)
        return buffer.getvalue()

    return write


@pytest.fixture
def make_hub(tmp_path, monkeypatch):
    """``make_hub(name, files)``: a hub that serves one data set, and an empty cache folder."""
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("DEBUG_GYM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with ExitStack() as stack:

        def make(name, files):
            hub = stack.enter_context(FakeHub(name, files))
            thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            stack.callback(thread.join)
            stack.callback(hub.shutdown)
            monkeypatch.setenv("HF_ENDPOINT", hub.address)
            return hub

        yield make
