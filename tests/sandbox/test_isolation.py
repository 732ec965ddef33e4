"""What code in a sandbox can see and reach: nothing of the host."""

import fcntl
import os
import subprocess
import sys
import textwrap
from contextlib import ExitStack

import pytest

SECRET = "correct horse battery staple"


@pytest.fixture(scope="module")
def sandbox(backend, make_task):
    with backend.start(make_task({"a.py": "x = 1\n", "b.py": ""})) as sandbox:
        yield sandbox


def _python(sandbox, code, **options):
    return sandbox.exec(["python", "-c", textwrap.dedent(code)], **options)


def test_files_of_the_host_are_not_there(sandbox, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    for path in (secret, tmp_path, "/etc/shadow", "/etc/hostname", "/home", "/var", "/opt", "/sys", "/boot"):
        seen = sandbox.exec(["ls", "-A", str(path)])
        assert seen.exit_code != 0 or seen.output in {"", "agent\n"}, (path, seen.output)
    assert SECRET not in sandbox.exec("cat /proc/1/root" + str(secret)).output


def test_our_own_package_is_not_there(sandbox):
    """It may hold the solutions of tasks."""
    assert "No module named" in _python(sandbox, "import debug_gym.benchmarks.nightmares").output
    assert sandbox.exec("find / -name gold.patch 2>/dev/null").output == ""


def test_environment_variables_of_the_host_are_not_there(backend, make_task, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with backend.start(make_task({"a.py": ""})) as sandbox:
        assert SECRET not in sandbox.exec("env; cat /proc/*/environ 2>/dev/null").output
        assert SECRET not in sandbox.shell("env").output


def test_processes_of_the_host_are_not_there(sandbox):
    assert str(os.getpid()) not in sandbox.exec("ls /proc").output.split()
    assert len([name for name in sandbox.exec("ls /proc").output.split() if name.isdigit()]) < 8


def test_there_is_no_network_but_its_own(sandbox):
    code = """
        import socket
        for family, address in ((socket.AF_INET, ("1.1.1.1", 53)), (socket.AF_INET6, ("2606:4700:4700::1111", 53))):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                try:
                    s = socket.socket(family, kind); s.settimeout(1); s.connect(address); print("REACHED", family, kind)
                except OSError as e: pass
        try: print("REACHED", socket.getaddrinfo("example.com", 80))
        except OSError: pass
        server = socket.create_server(("127.0.0.1", 0))
        socket.create_connection(server.getsockname()); print("own loopback works")
    """
    assert _python(sandbox, code).output == "own loopback works\n"


def test_a_server_of_the_host_cannot_be_reached(sandbox):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)"
        assert "ConnectionRefusedError" in _python(sandbox, code).output
    with socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind("\0debug-gym-test")
        abstract.listen()
        code = "import socket; socket.socket(socket.AF_UNIX).connect('\\0debug-gym-test')"
        assert "ConnectionRefusedError" in _python(sandbox, code).output


def test_sandboxes_do_not_see_each_other(backend, make_task):
    task = make_task({"a.py": "x = 1\n"})
    with backend.start(task) as one, backend.start(task) as other:
        one.write("a.py", b"x = 2\n")
        one.exec(f"echo {SECRET} > /tmp/s; echo {SECRET} > ~/s; echo {SECRET} > /dev/shm/s")
        assert other.read("a.py") == b"x = 1\n"
        assert SECRET not in other.exec("cat /tmp/s ~/s /dev/shm/s").output
    with backend.start(task) as third:
        assert third.read("a.py") == b"x = 1\n"


@pytest.mark.parametrize(
    "command",
    [
        "mount -t tmpfs none /mnt",
        "unshare -r true",
        "unshare -Ur true",
        "chroot / true",
        "mknod /tmp/d b 8 0",
        "hostname other",
        "date -s 2000-01-01",
        "umount /workspace",
        "mount -o remount,rw /usr",
        "su -c true",
        "nsenter -t 1 -m true",
        "touch /usr/x",
        "touch /etc/x",
        "touch /x",
        "echo 1 > /proc/sys/kernel/panic",
        "echo x > /proc/sysrq-trigger",
        "cat /dev/kmsg /dev/mem",
        "cat /proc/1/environ",
        "ls /proc/1/fd/",
        "head -c 1 /proc/kcore",
    ],
)
def test_privileged_commands_fail(sandbox, command):
    assert sandbox.exec(command, timeout=5).exit_code != 0


@pytest.mark.parametrize(
    ("call", "number"),
    [
        ("ptrace", "EPERM"),
        ("bpf", "EPERM"),
        ("keyctl", "EPERM"),
        ("perf_event_open", "EPERM"),
        ("io_uring_setup", "EPERM"),
    ],
)
def test_dangerous_system_calls_fail(sandbox, call, number):
    numbers = {"ptrace": 101, "bpf": 321, "keyctl": 250, "perf_event_open": 298, "io_uring_setup": 425}
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers are x86-64's")
    arguments = "16, 1, 0, 0" if call == "ptrace" else "0, 0, 0, 0"  # PTRACE_ATTACH to pid 1
    code = f"""
        import ctypes, errno
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.syscall({numbers[call]}, {arguments}), errno.errorcode[ctypes.get_errno()])
    """
    assert _python(sandbox, code).output == f"-1 {number}\n"


def test_vsock_and_packet_sockets_cannot_be_made(sandbox):
    code = """
        import socket
        for family in (40, 17, 38):  # vsock, packet, alg
            try: socket.socket(family, socket.SOCK_STREAM); print("made", family)
            except OSError: pass
    """
    assert _python(sandbox, code).output == ""


def test_no_capability_and_no_new_privileges(sandbox):
    status = dict(
        line.split(":\t")
        for line in sandbox.exec("cat /proc/self/status").output.splitlines()
        if ":\t" in line
    )
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_the_interpreter_cannot_be_changed(sandbox):
    code = """
        import os, sys, pytest
        for change in (lambda: open(pytest.__file__, 'a'), lambda: os.unlink(sys.executable), lambda: os.mkdir('/usr/x')):
            try: change(); print("CHANGED")
            except OSError: pass
    """
    assert _python(sandbox, code).output == ""
    assert (
        " ro," in sandbox.exec(f"grep -F ' {sys.prefix} ' /proc/mounts || grep ' /usr ' /proc/mounts").output
    )


@pytest.mark.parametrize(
    "path", ["../secret", "/etc/passwd", "out", "out/x", "deep/up", "/proc/self/environ", "a.py\0"]
)
def test_paths_do_not_leave_the_workspace(sandbox, path):
    sandbox.exec("ln -sfn /etc/passwd out; mkdir -p deep; ln -sfn ../../etc deep/up")
    with pytest.raises((PermissionError, ValueError)):
        sandbox.read(path)
    with pytest.raises((PermissionError, ValueError)):
        sandbox.write(path, b"x")


def test_links_inside_the_workspace_are_followed(sandbox):
    sandbox.exec("ln -sfn a.py inner")
    assert sandbox.read("inner") == b"x = 1\n"


def test_the_host_sees_nobody_with_roots_rights(sandbox):
    """Whoever starts the gym: the code under test runs as an unprivileged user of the host."""
    sandbox.shell("sleep 300 &")
    pids = subprocess.run(
        ["pgrep", "-f", "^sleep 300$"], capture_output=True, text=True, check=False
    ).stdout.split()
    assert pids
    for pid in pids:
        assert os.stat(f"/proc/{pid}").st_uid != 0


# -- what is shared with others although it cannot be changed ------------------------------------------------

LOCK = """
import fcntl, os, sys
for path in sys.argv[1:]:
    file = os.open(path, os.O_RDONLY)
    for lock in (fcntl.flock, fcntl.lockf):
        try:
            lock(file, (fcntl.LOCK_EX if lock is fcntl.flock else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError:
            print("somebody has locked", path)
print("held", flush=True)
"""
VISIBLE = ["/usr/bin/git", "/etc/ld.so.cache", "/usr/bin", os.__file__, os.path.realpath(sys.executable)]


def test_locks_on_files_of_the_host_are_private(backend, make_task):
    """Else they would be seen by the host, which would wait for them, and by other sandboxes, which could be
    told something by them."""
    task = make_task({"lock.py": LOCK + "import time; time.sleep(60)\n", "see.py": LOCK})
    with ExitStack() as held, backend.start(task) as one, backend.start(task) as other:
        paths = [path for path in VISIBLE if one.exec(["test", "-e", path]).exit_code == 0]
        assert "/usr/bin/git" in paths
        assert one.shell(f"python lock.py {' '.join(paths)} > said & sleep 1; cat said").output.endswith(
            "held\n"
        )
        assert other.exec(["python", "see.py", *paths]).output == "held\n"
        for path in paths:
            file = os.open(path, os.O_RDONLY)
            held.callback(os.close, file)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert other.exec(["python", "see.py", *paths]).output == "held\n"


def test_nothing_tells_what_is_in_the_page_cache(sandbox):
    code = f"""
import ctypes, mmap, os
file = os.open({os.__file__!r}, os.O_RDONLY)
try:
    print(os.preadv(file, [bytearray(1)], 0, os.RWF_NOWAIT))
except OSError as error:
    print(error.strerror)
libc = ctypes.CDLL(None, use_errno=True)
memory = mmap.mmap(file, 4096, prot=mmap.PROT_READ)
seen = ctypes.create_string_buffer(1)
libc.mmap.restype = ctypes.c_void_p
address = libc.mmap(None, ctypes.c_size_t(4096), 1, 2, file, ctypes.c_long(0))
print(libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(4096), seen), os.strerror(ctypes.get_errno()))
print(libc.syscall(451, file, 0, 0, 0), os.strerror(ctypes.get_errno()))
os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
print(os.preadv(file, [bytearray(1)], 0))
"""
    told = sandbox.exec(["python", "-c", code]).output.splitlines()
    missing = "-1 Function not implemented"
    assert told == ["Operation not supported", missing, missing, "1"]


WATCH = """
import ctypes, select
libc = ctypes.CDLL(None)
queue = libc.inotify_init()
assert libc.inotify_add_watch(queue, b"/usr/bin/git", 0x20) > 0  # IN_OPEN
print("told" if select.select([queue], [], [], 2)[0] else "silent")
"""


def test_nobody_is_told_when_others_open_a_file_of_the_host(backend, make_task):
    task = make_task({"watch.py": WATCH})
    with backend.start(task) as one, backend.start(task) as other:
        one.shell("python watch.py > said & sleep 0.5")
        other.exec("head -c 1 /usr/bin/git")
        with open("/usr/bin/git", "rb") as file:
            file.read(1)
        assert one.shell("wait; cat said").output == "silent\n"
        assert (
            one.shell("python watch.py & sleep 0.5; head -c 1 /usr/bin/git >/dev/null; wait").output
            == "told\n"
        )
