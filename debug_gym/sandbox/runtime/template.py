"""The template: one warm process per Python environment, of which every sandbox is a fork.

It runs on the host, as the host's user, and only ever imports what is installed in its environment; the code
under test runs in its forks, behind the walls of ``enclosure``.

Requests come as JSON datagrams on a socket, with the sandbox's end of its channel attached; the answer to
each is a datagram with a pidfd of the new sandbox's first process, or an error.
"""

from __future__ import annotations

import array
import json
import os
import select
import signal
import socket
import sys
from typing import Any, NoReturn

from . import enclosure, linux, warm
from .server import Runtime, set_limits
from .wire import Channel


def main(control_fd: int) -> None:
    """Warm up, then fork sandboxes until the host hangs up."""
    control = socket.socket(fileno=control_fd)
    config = json.loads(control.recv(1 << 20))
    linux.set_subreaper()
    unfit = warm.preload(config["preload"])
    facts = {"python": sys.version.split()[0], "unfit": unfit, "installed": installed_modules()}
    control.send(json.dumps(facts).encode())
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    visible = [path for path in interpreter_folders() if os.path.exists(path)]
    masked = [path for path in config["masked"] if os.path.isdir(path) and _within(path, ["/usr", *visible])]
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    while True:
        ready = [fd for fd, _ in poll.poll()]
        if wake_read in ready:
            os.read(wake_read, 4096)
            _reap()
        if control.fileno() not in ready:
            continue
        data, fds, _flags, _address = _receive(control)
        if not data:
            return
        request = json.loads(data)
        _start(control, fds, {**request, "visible": visible, "masked": masked}, (wake_read, wake_write))


def interpreter_folders() -> list[str]:
    """The folders outside ``/usr`` that this interpreter and its packages live in."""
    folders = {
        os.path.realpath(sys.base_prefix),
        os.path.abspath(sys.prefix),
        os.path.abspath(sys.base_prefix),
    }
    folders.add(os.path.dirname(os.path.dirname(os.path.realpath(sys.executable))))
    chosen: list[str] = []
    for folder in sorted(folders):
        if folder != "/" and not _within(folder, ["/usr", *chosen]):
            chosen.append(folder)
    return chosen


def installed_modules() -> list[str]:
    """Names of the top-level modules and packages in this interpreter's site-packages."""
    names: set[str] = set()
    for folder in sys.path:
        if os.path.basename(folder) in {"site-packages", "dist-packages"} and os.path.isdir(folder):
            names.update(name.split(".")[0] for name in os.listdir(folder) if not name.endswith("-info"))
    return sorted(name for name in names if name.isidentifier())


def _within(path: str, folders: list[str]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _start(control: socket.socket, fds: list[int], request: dict[str, Any], wake: tuple[int, int]) -> None:
    """Fork pid 1 of a new sandbox right into its namespaces, give it its user ids, and tell the host."""
    mapped_read, mapped_write = os.pipe()
    answer: dict[str, Any] = {}
    rights: list[tuple[int, int, array.array[int]]] = []
    try:
        pid, pidfd = linux.fork_into(enclosure.NAMESPACES)
        if pid == 0:
            _become(control, fds[0], request, (*wake, mapped_write), mapped_read)
        try:
            enclosure.write_id_maps(pid)
            os.write(mapped_write, b"!")
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [pidfd]))]
        except OSError as error:
            os.kill(pid, signal.SIGKILL)
            answer = {"error": str(error)}
    except OSError as error:
        answer, pidfd = {"error": str(error)}, -1
    control.sendmsg([json.dumps(answer).encode()], rights)
    for fd in (mapped_read, mapped_write, fds[0], pidfd):
        if fd >= 0:
            os.close(fd)


def _become(
    control: socket.socket, fd: int, request: dict[str, Any], others: tuple[int, ...], mapped: int
) -> NoReturn:
    """In the new process: wait for the user ids, then serve. Never returns."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other in others:
            os.close(other)
        control.close()
        if os.read(mapped, 1):
            os.close(mapped)
            _serve(fd, request)
    finally:
        os._exit(1)


def _serve(fd: int, request: dict[str, Any]) -> None:
    """In pid 1: build the walls, send the descriptors of its folders to the host, serve."""
    with socket.socket(fileno=fd) as sock:
        try:
            limits = request["limits"]
            folders = enclosure.build(request["base"], request["visible"], request["masked"], limits)
            enclosure.lock()
            set_limits(limits)
            os.umask(0o022)
        except Exception as error:
            sock.send(b"!" + str(error).encode())
            raise
        sock.sendmsg([b"+"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", folders))])
        for folder in folders[1:]:
            os.close(folder)
        runtime = Runtime(Channel(fd, fd), enclosure.WORKSPACE, limits, request["names"])
        runtime.upper = folders[0]
        runtime.serve()


def _receive(control: socket.socket) -> tuple[bytes, list[int], int, Any]:
    """recvmsg with one descriptor attached (socket.recv_fds is newer than Python 3.8)."""
    data, ancillary, flags, address = control.recvmsg(1 << 20, socket.CMSG_SPACE(4))
    fds = array.array("i")
    for level, kind, payload in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    for fd in fds:
        os.set_inheritable(fd, False)
    return data, list(fds), flags, address


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
