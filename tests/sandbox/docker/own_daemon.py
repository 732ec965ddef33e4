"""A Docker daemon of the tests' own, which they may kill and whose disk they may fill, and a registry to pull from."""

import fcntl
import hashlib
import json
import os
import shutil
import socket
import struct
import subprocess
import tarfile
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
ROOM = 450 << 20
"""Bytes of the daemon's disk, which is in memory."""


BRIDGE = "debug-gym-test"
_ADD_BRIDGE, _REMOVE_BRIDGE, _SET_FLAGS, _SET_ADDRESS, _UP = 0x89A0, 0x89A1, 0x8914, 0x8916, 1
"""Of ``linux/sockios.h`` and ``linux/if.h``."""


class OwnDaemon:
    """``dockerd`` beside the machine's, and a ``containerd`` that outlives it, with their own folders below
    ``folder``. Only root can start them."""

    def __init__(self, folder):
        self.folder, self.url = folder, f"unix://{folder}/docker.sock"
        (folder / "data").mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder / "data")]
        subprocess.run(mount, check=True)
        below = {"root": "data/containerd", "state": "state", "address": "containerd.sock"}
        self._containers = self._run("containerd", *(f"--{name}={folder / at}" for name, at in below.items()))
        self._process = None
        _make_bridge()

    def _run(self, *command):
        with open(self.folder / "log", "ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def start(self):
        """Start it, also again after ``kill``; it answers when this returns."""
        (self.folder / "pid").unlink(missing_ok=True)
        own = {
            "data-root": "data/docker",
            "exec-root": "exec",
            "pidfile": "pid",
            "containerd": "containerd.sock",
        }
        places = (f"--{name}={self.folder / at}" for name, at in own.items())
        self._process = self._run(
            "dockerd", "-H", self.url, *places, f"--bridge={BRIDGE}", "--iptables=false"
        )
        end = time.monotonic() + 60
        while subprocess.run(
            ["docker", "-H", self.url, "version"], capture_output=True, check=False
        ).returncode:
            if self._process.poll() is not None or time.monotonic() > end:
                said = (self.folder / "log").read_text().splitlines()[-1:]
                self.close()
                raise RuntimeError(f"a second daemon does not start here: {said}")
            time.sleep(0.1)

    def kill(self):
        """End it as a crash would."""
        self._process.kill()
        self._process.wait()

    def close(self):
        """End it and what it left."""
        for process in (self._process, self._containers):
            process.terminate()
            process.wait()
        _remove_bridge()
        mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for place in reversed([place for place in mounted if place.startswith(f"{self.folder}/")]):
            subprocess.run(["umount", "-l", place], check=False)


def _make_bridge():
    """A network of its own: a daemon that is told to have none removes that of the machine's."""
    _remove_bridge()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _ADD_BRIDGE, BRIDGE.encode() + b"\0")
        address = struct.pack(
            "16sHH4s8x", BRIDGE.encode(), socket.AF_INET, 0, socket.inet_aton("10.213.54.1")
        )
        fcntl.ioctl(control, _SET_ADDRESS, address)
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh22x", BRIDGE.encode(), _UP))


def _remove_bridge():
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:  # there is none
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh22x", BRIDGE.encode(), 0))
        fcntl.ioctl(control, _REMOVE_BRIDGE, BRIDGE.encode() + b"\0")


def may_start():
    """Why no second daemon can be started here; empty: it can be tried."""
    if os.getuid() != 0:
        return "only root may start a daemon"
    missing = [name for name in ("dockerd", "containerd") if shutil.which(name) is None]
    return f"there is no {missing[0]} here" if missing else ""


class Registry:
    """Serves one image, as ``docker save`` wrote it, under any name."""

    def __init__(self, saved, folder):
        with tarfile.open(saved) as archive:
            archive.extractall(folder, filter="data")
        (image,) = json.loads((folder / "manifest.json").read_text())
        config, *layers = [self._blob(folder / path) for path in (image["Config"], *image["Layers"])]
        self.blobs = {blob["digest"]: blob.pop("path") for blob in (config, *layers)}
        kinds = {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip"}
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {**config, "mediaType": "application/vnd.docker.container.image.v1+json"},
                "layers": [{**layer, **kinds} for layer in layers],
            }
        ).encode()
        handler = type("Handler", (_Handler,), {"registry": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{self.server.server_port}"

    @staticmethod
    def _blob(path):
        data = path.read_bytes()
        return {"digest": "sha256:" + hashlib.sha256(data).hexdigest(), "size": len(data), "path": path}

    def close(self):
        """Serve no more."""
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        """https://distribution.github.io/distribution/spec/api/: what a pull needs of it."""
        *_, kind, name = self.path.split("/")
        if kind == "manifests":
            self._send(self.registry.manifest, MANIFEST)
        elif kind == "blobs" and name in self.registry.blobs:
            self._send(self.registry.blobs[name].read_bytes(), "application/octet-stream")
        else:
            self._send(b"{}", "application/json", 200 if self.path == "/v2/" else 404)

    def do_HEAD(self):
        """The same, but for the content."""
        self.do_GET()

    def _send(self, data, kind, status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Docker-Content-Digest", "sha256:" + hashlib.sha256(data).hexdigest())
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)
