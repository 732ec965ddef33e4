"""The template: one warm process per Python environment, of which every sandbox is a fork.

It runs on the host, as the host's user, and only ever imports what is installed in its environment; the code
under test runs in its forks, behind the walls of ``enclosure``.

Requests come as JSON datagrams on a socket; the answer to each is a datagram with two descriptors, a pidfd of
the new sandbox's first process and the host's end of its channel, or with an error. A request for a copy of
this process comes with the socket on which the copy is to take requests; it is warm at once, and shares its
memory.
"""

from __future__ import annotations

import array
import functools
import importlib.util
import json
import os
import pwd
import resource
import select
import signal
import socket
import sys
import sysconfig
from typing import Any, Dict, List, NoReturn, Optional, Tuple

from ..server import linux
from ..server.notes import Notes
from ..server.preload import preload, restart, restarted
from ..server.runtime import Runtime, set_limits
from ..server.wire import Channel
from . import enclosure, seccomp
from .cgroup import MemoryGroups


def main(control_fd: int) -> None:
    """Warm up, then fork sandboxes until the host hangs up."""
    control = socket.socket(fileno=control_fd)
    config = restarted() or json.loads(control.recv(1 << 20))
    linux.set_subreaper()
    _raise_descriptor_limit()
    seccomp.program()  # built once, here
    visible = interpreter_folders()
    notes = Notes(config.get("notes"))
    unfit = config.setdefault("unfit", ["debug_gym", *(notes.get("unfit") or ())])
    more = preload(config["preload"], ["/usr", *visible], unfit, notes)
    if more:
        notes.keep("unfit", sorted({*unfit, *more}))
        restart({**config, "unfit": unfit + more})
    masked = [path for path in (*config["masked"], *_gyms()) if os.path.isdir(path)]
    masked = [path for path in masked if _within(path, ["/usr", *visible])]
    shown = {"visible": visible, "masked": masked}
    copy: Optional[socket.socket] = control
    while copy is not None:  # in each copy of this process anew
        copy = _take_requests(copy, shown, config["memory_groups"])


def _take_requests(
    control: socket.socket, shown: Dict[str, Any], memory_groups: bool
) -> Optional[socket.socket]:
    """Say that it is warm, and do what is asked for until the host hangs up. Gives, in a copy of this process
    that was asked for, the socket on which the copy is to take requests."""
    linux.set_subreaper()
    groups = MemoryGroups(wanted=memory_groups)
    control.send(b"{}")
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    linux.wake_by_signals(wake_write)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    while True:
        ready = [fd for fd, _ in poll.poll()]
        if wake_read in ready:
            os.read(wake_read, 4096)
            groups.reap()
        if control.fileno() not in ready:
            continue
        data, fds = _receive(control)
        if not data:
            groups.wait()
            return None
        request = json.loads(data)
        if request.get("op") == "copy":
            if _copy(control):
                for fd in (control.detach(), wake_read, wake_write):
                    os.close(fd)
                return socket.socket(fileno=fds[0])
            for fd in fds:
                os.close(fd)
            continue
        request.update(shown, names=_names(request["base"]))
        _start(control, request, (wake_read, wake_write), groups)


def _receive(control: socket.socket) -> Tuple[bytes, List[int]]:
    """A request, and the descriptor that came with it, if one did."""
    data, sent, _, _ = control.recvmsg(1 << 20, socket.CMSG_SPACE(4))
    fds = array.array("i")
    for level, kind, content in sent:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
    return data, list(fds)


def _copy(control: socket.socket) -> bool:
    """Fork this process, and answer with a pidfd of the copy; whether this is the copy."""
    try:
        pid, pidfd = linux.fork_into(0)
    except OSError as error:
        control.send(json.dumps({"error": str(error)}).encode())
        return False
    if pid == 0:
        signal.set_wakeup_fd(-1)
        return True
    control.sendmsg([b"{}"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [pidfd]))])
    os.close(pidfd)
    return False


def _raise_descriptor_limit() -> None:
    """Code in a sandbox can keep as many descriptors in flight between sockets as it may open; a process of
    the same user that may open no more than that can then send none, and we have to."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@functools.lru_cache(maxsize=64)
def _names(base: str) -> List[str]:
    """The module names of a base, which lie in a file beside it: there may be too many for a datagram."""
    with open(os.path.join(os.path.dirname(base), "base.json")) as file:
        names: List[str] = json.load(file)["names"]
    return names


def _gyms() -> List[str]:
    """Where this interpreter has a debug-gym of its own: it holds the solutions of tasks."""
    spec = importlib.util.find_spec("debug_gym")
    return list(spec.submodule_search_locations or ()) if spec is not None else []


def interpreter_folders() -> List[str]:
    """The folders and files outside ``/usr`` that this interpreter and its packages live in."""
    prefixes = {
        os.path.realpath(sys.base_prefix),
        os.path.abspath(sys.prefix),
        os.path.abspath(sys.base_prefix),
    }
    found = {path for path in prefixes if not _is_wide(path)}
    if found != prefixes:  # show what belongs to Python, but not what else lies there
        kinds = ("stdlib", "platstdlib", "purelib", "platlib", "scripts")
        found.update(sysconfig.get_paths()[kind] for kind in kinds)
        found.update([os.path.join(sys.prefix, "pyvenv.cfg"), os.path.abspath(sys.executable)])
        library = sysconfig.get_config_var("INSTSONAME") or "."
        found.add(os.path.join(sysconfig.get_config_var("LIBDIR") or "/", library))
    found.add(os.path.realpath(sys.executable))
    chosen: List[str] = []
    for path in sorted(found):
        if os.path.exists(path) and not _is_wide(path) and not _within(path, ["/usr", *chosen]):
            chosen.append(path)
    return chosen


def _is_wide(path: str) -> bool:
    """It is a folder that holds more than an interpreter, e.g. somebody's home."""
    home = _home()
    wide = {
        "/",
        "/home",
        "/mnt",
        "/opt",
        "/root",
        "/srv",
        "/tmp",
        "/var",
        home + "/.local",
        home + "/.local/lib",
    }
    return path in wide or path.endswith("/.") or _within(home, [path])


def _home() -> str:
    """The home folder of the gym's user, who need not be known to the system (in a container, say)."""
    try:
        return os.path.realpath(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return "/"


def _within(path: str, folders: list[str]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _start(
    control: socket.socket, request: dict[str, Any], wake: tuple[int, int], groups: MemoryGroups
) -> None:
    """Fork pid 1 of a new sandbox right into its namespaces, give it its user ids, and tell the host.

    It gets a word when it has its user ids, and another when it is in its memory group: that takes long, and
    it has its walls to build meanwhile.
    """
    word_read, word_write = os.pipe()
    ours, theirs = socket.socketpair()
    answer: dict[str, Any] = {}
    rights: list[tuple[int, int, array.array[int]]] = []
    group, pid, pidfd = None, -1, -1
    try:
        group = groups.make(request["limits"])
        pid, pidfd = linux.fork_into(enclosure.NAMESPACES)
        if pid == 0:
            ours.close()
            _become(control, theirs, request, (*wake, word_write), word_read)
        enclosure.write_id_maps(pid)
        os.write(word_write, b"!")
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [pidfd, ours.fileno()]))]
    except OSError as error:
        answer = {"error": str(error)}
    control.sendmsg([json.dumps(answer).encode()], rights)
    if groups.enclose(group, pid if rights else -1):
        os.write(word_write, b"!")
    ours.close()
    theirs.close()
    for fd in (word_read, word_write, pidfd):
        if fd >= 0:
            os.close(fd)


def _become(
    control: socket.socket, sock: socket.socket, request: dict[str, Any], others: tuple[int, ...], word: int
) -> NoReturn:
    """In the new process: wait for the user ids, then serve. Never returns."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other in others:
            os.close(other)
        control.close()
        if os.read(word, 1):
            _serve(sock, request, word)
    finally:
        os._exit(1)


def _serve(sock: socket.socket, request: dict[str, Any], word: int) -> None:
    """In pid 1: build the walls, send the descriptors of its folders to the host, serve.

    They are sent while this process is still the gym's user: what other sandboxes keep in flight between
    sockets counts against theirs, and at the limit nobody can send any.
    """
    limits = request["limits"]
    try:
        folders = enclosure.build(request["base"], request["visible"], request["masked"], limits)
        sock.sendmsg([b"+"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", folders))])
        enclosure.lock()
        if not (os.access(sys.executable, os.X_OK) and os.access(os.__file__, os.R_OK)):
            raise PermissionError("ordinary users may not run %s: its folder is private" % sys.executable)
    except Exception as error:
        sock.send(b"!" + str(error).encode())
        raise
    sock.send(b"+")
    for folder in folders[1:]:
        os.close(folder)
    os.umask(0o022)
    set_limits(limits)
    fd = sock.fileno()
    runtime = Runtime(Channel(fd, fd), enclosure.WORKSPACE, limits, request["names"])
    runtime.upper = folders[0]
    if os.read(word, 1):  # else the memory group is not to be had
        os.close(word)
        runtime.serve()
