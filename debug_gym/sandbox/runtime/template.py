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
from typing import Any

from . import enclosure, linux, warm
from .server import Runtime, set_limits
from .wire import Channel


def main(control_fd: int) -> None:
    """Warm up, then fork sandboxes until the host hangs up."""
    control = socket.socket(fileno=control_fd)
    config = json.loads(control.recv(1 << 20))
    linux.set_subreaper()
    unfit = warm.preload(config["preload"])
    installed = {"python": sys.version.split()[0], "executable": sys.executable, "unfit": unfit}
    control.send(json.dumps({**installed, "pytest": "pytest" in sys.modules}).encode())
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
    folders = {os.path.realpath(sys.base_prefix), os.path.abspath(sys.prefix), os.path.abspath(sys.base_prefix)}
    folders.add(os.path.dirname(os.path.dirname(os.path.realpath(sys.executable))))
    chosen: list[str] = []
    for folder in sorted(folders):
        if folder != "/" and not _within(folder, ["/usr", *chosen]):
            chosen.append(folder)
    return chosen


def _within(path: str, folders: list[str]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _start(control: socket.socket, fds: list[int], request: dict[str, Any], wake: tuple[int, int]) -> None:
    """Fork twice: the first child leaves the namespaces, the second is pid 1 of the new ones."""
    ready_read, ready_write = os.pipe()
    mapped_read, mapped_write = os.pipe()
    pid_read, pid_write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for fd in (*wake, ready_read, mapped_write, pid_read):
                os.close(fd)
            control.close()
            linux.set_dumpable(True)
            enclosure.unshare()
            os.write(ready_write, b"!")
            os.read(mapped_read, 1)
            first = os.fork()
            if first:
                os.write(pid_write, b"%d" % first)
                os._exit(0)
            for fd in (ready_write, mapped_read, pid_write):
                os.close(fd)
            _serve(fds[0], request)
        except BaseException as error:
            os.write(pid_write, ("! %s: %s" % (type(error).__name__, error)).encode())
        finally:
            os._exit(1)
    for fd in (ready_write, mapped_read, pid_write, fds[0]):
        os.close(fd)
    answer: dict[str, Any] = {}
    pidfd = None
    try:
        if os.read(ready_read, 1):
            enclosure.write_id_maps(child)
        os.write(mapped_write, b"!")
        text = os.read(pid_read, 4096).decode()
        if text.isdigit():
            pidfd = linux.pidfd_open(int(text))
        else:
            answer = {"error": text.lstrip("! ") or "the new process died"}
    except OSError as error:
        answer = {"error": str(error)}
    for fd in (ready_read, mapped_write, pid_read):
        os.close(fd)
    rights = [] if pidfd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [pidfd]))]
    control.sendmsg([json.dumps(answer).encode()], rights)
    if pidfd is not None:
        os.close(pidfd)


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
