"""Ways out that others have found elsewhere: kernel interfaces, shared counts, races with whoever reads files."""

import os
import textwrap
import time

import pytest

from debug_gym.errors import SandboxError
from debug_gym.sandbox import checkout_cache
from debug_gym.sandbox.namespace import CgroupBackend
from debug_gym.task import Limits

FILES = {"a.py": "x = 1\n", "folder/b.py": "y = 1\n", "test_a.py": "def test_a(): pass\n"}
LIMITS = Limits(memory=128 << 20, disk=32 << 20, files=5000, processes=64)
X86 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are x86-64's")
CALLS = {  # name: (its number on x86-64, arguments, error)
    "fsopen": (430, 'b"tmpfs", 0', "EPERM"),
    "fsmount": (432, "0, 0, 0", "EPERM"),
    "fspick": (433, '-100, b"/", 0', "EPERM"),
    "open_tree": (428, '-100, b"/usr", 1', "EPERM"),
    "move_mount": (429, '-100, b"/usr", -100, b"/tmp", 0', "EPERM"),
    "mount_setattr": (442, '-100, b"/usr", 0, 0, 0', "EPERM"),
    "open_by_handle_at": (304, "-100, 0, 0", "EPERM"),
    "name_to_handle_at": (303, '-100, b"/usr", 0, 0, 0', "EPERM"),
    "setns": (308, "0, 0", "EPERM"),
    "unshare": (272, "0x10000000", "EPERM"),
    "clone": (56, "0x10000011, 0, 0, 0, 0", "EPERM"),
    "clone3": (435, "0, 0", "ENOSYS"),
    "io_uring_setup": (425, "8, 0", "EPERM"),
    "io_uring_enter": (426, "0, 0, 0, 0, 0", "EPERM"),
    "userfaultfd": (323, "1", "EPERM"),
    "perf_event_open": (298, "0, 0, -1, -1, 0", "EPERM"),
    "keyctl": (250, "0, -3, 1", "EPERM"),
    "add_key": (248, 'b"user", b"x", b"x", 1, -2', "EPERM"),
    "fanotify_init": (300, "0, 0", "EPERM"),
    "memfd_create": (319, 'b"x", 0', "ENOSYS"),
    "memfd_secret": (447, "0", "ENOSYS"),
    "shmget": (29, "0, 8192, 0o1600", "ENOSYS"),
    "mq_open": (240, 'b"x", 0o102, 0o600, 0', "EPERM"),
    "process_vm_readv of pid 1": (310, "1, one, 1, one, 1, 0", "EPERM"),
    "process_vm_writev of pid 1": (311, "1, 0, 0, 0, 0, 0", "EPERM"),
    "kcmp with pid 1": (312, "1, os.getpid(), 0, 0, 0", "EPERM"),
    "migrate_pages of pid 1": (256, "1, 1, byref(c_ulong(1)), byref(c_ulong(1))", "EPERM"),
    "setpriority of pid 1": (141, "0, 1, 19", "EPERM"),
    "setpriority of the user": (141, "2, 0, 19", "EPERM"),
    "ioprio_set of pid 1": (251, "1, 1, 3 << 13", "EPERM"),
    "ioprio_set of the user": (251, "3, 1000, 3 << 13", "EPERM"),
    "pidfd_getfd of pid 1": (438, "os.pidfd_open(1), 3, 0", "EPERM"),
}


@pytest.fixture
def sandbox(backend, make_task):
    with backend.start(make_task(FILES, limits=LIMITS)) as sandbox:
        yield sandbox


def _python(sandbox, code, **options):
    return sandbox.exec(["python", "-c", textwrap.dedent(code)], **options)


# -- the kernel ---------------------------------------------------------------------------------


@X86
def test_calls_by_which_others_have_got_out_fail(sandbox):
    code = f"""
        import errno, os
        from ctypes import CDLL, addressof, byref, c_ulong, get_errno
        libc, word = CDLL(None, use_errno=True), c_ulong()
        one = byref((c_ulong * 2)(addressof(word), 1))  # a vector of one byte
        for name, (number, arguments, wanted) in {CALLS!r}.items():
            result = libc.syscall(number, *eval("(" + arguments + ",)"))
            seen = errno.errorcode.get(get_errno()) if result == -1 else "a result of %d" % result
            if seen != wanted: print(name, seen)
    """
    assert _python(sandbox, code).output == ""


@pytest.mark.parametrize(
    "path", ["mem", "environ", "fd/0", "root/usr", "cwd", "exe", "maps", "stack", "ns/net", "map_files", "io"]
)
def test_the_runtime_cannot_be_looked_into(sandbox, path):
    result = _python(sandbox, f"open('/proc/1/{path}', 'rb').read()")
    assert "PermissionError" in result.output


def test_nothing_can_be_typed_into_a_terminal(sandbox):
    code = """
        import fcntl, pty
        _, terminal = pty.openpty()
        for trick in (0x5412, 0x541C):  # TIOCSTI, TIOCLINUX
            try: fcntl.ioctl(terminal, trick, b"\\x0a"); print("TYPED")
            except PermissionError: pass
        try: open("/dev/tty"); print("OPENED")
        except OSError: pass
    """
    assert _python(sandbox, code).output == ""


def test_no_cgroup_can_be_seen_or_changed(sandbox):
    paths = {line.split(":", 2)[2] for line in sandbox.exec("cat /proc/self/cgroup").output.splitlines()}
    assert paths <= {"/"}
    assert sandbox.exec("mount -t cgroup2 none /tmp").exit_code != 0
    assert sandbox.exec("ls /sys/fs/cgroup").exit_code != 0
    assert sandbox.exec("grep -c cgroup /proc/mounts").output == "0\n"


def test_a_setuid_program_gives_no_rights(sandbox):
    sandbox.exec("cp /usr/bin/id /tmp/id; chmod 6755 /tmp/id")
    assert sandbox.exec("/tmp/id -u; id -u").output == "1000\n1000\n"
    assert _python(sandbox, "import os; os.setuid(0)").exit_code == 1
    assert sandbox.exec("grep -v nosuid /proc/mounts | grep -v ' /dev/'").output == ""


def test_a_lease_cannot_hold_up_who_opens_the_file(sandbox):
    code = """
        import fcntl, os
        for path in ("a.py", os.__file__):
            try: fcntl.fcntl(os.open(path, os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK); print("LEASED")
            except PermissionError: pass
    """
    assert _python(sandbox, code).output == ""


def test_the_terminals_of_the_machine_are_not_used_up(backend, make_task, sandbox):
    code = """
        import os
        kept = []
        try:
            while len(kept) < 1000: kept.append(os.openpty())
        except OSError: print(len(kept))
    """
    assert int(_python(sandbox, code).output) <= 64


def test_the_watches_of_the_user_are_not_used_up(sandbox):
    assert int(sandbox.exec("cat /proc/sys/user/max_inotify_watches").output) <= 8192


# -- memory ---------------------------------------------------------------------------------------

HOARD = """
    import mmap
    kept = []
    for _ in range(32):  # pages of shared memory that nobody has mapped any more: they stay
        block = mmap.mmap(-1, 16 << 20)
        for start in range(0, 16 << 20, 1 << 20): block[start : start + (1 << 20)] = bytes(1 << 20)
        block.madvise(mmap.MADV_DONTNEED)
        kept.append(block)
    print("HOARDED")
"""


def test_a_cgroup_sees_memory_that_is_mapped_nowhere(make_task):
    backend = CgroupBackend()
    try:
        probe = backend.probe()
        if not probe.works:
            pytest.skip(probe.detail)
        with backend.start(make_task(FILES, limits=LIMITS)) as sandbox:
            try:
                said = _python(sandbox, HOARD, timeout=60).output
            except SandboxError:
                said = ""  # all of it was ended
            assert "HOARDED" not in said
        with backend.start(make_task(FILES)) as sandbox:
            assert _python(sandbox, HOARD, timeout=60).output == "HOARDED\n"
    finally:
        backend.close()


def test_shared_memory_counts_as_disk(sandbox):
    result = sandbox.exec("head -c 40000000 /dev/zero > /dev/shm/big")
    assert "No space left" in result.output


# -- whoever reads its files -----------------------------------------------------------------------

EXCHANGE = """
    import ctypes, os
    libc = ctypes.CDLL(None)
    os.makedirs("real/sub", exist_ok=True)
    for name in ("real/environ", "real/sub/passwd"): open(name, "w").write("fine")
    os.symlink("{target}", "fake")
    open("/tmp/ready", "w")
    while True: libc.renameat2(-100, b"real", -100, b"fake", 2)
"""


def _exchanging(sandbox, target):
    """In the background, a folder and a link to elsewhere take each other's place again and again."""
    sandbox.write("exchange.py", textwrap.dedent(EXCHANGE.format(target=target)).encode())
    sandbox.shell("python exchange.py & until [ -e /tmp/ready ]; do sleep 0.01; done")


def test_a_folder_that_becomes_a_link_while_it_is_read_shows_nothing(sandbox):
    """The runtime could open more than the code: what is its own below /proc."""
    _exchanging(sandbox, "/proc/self")
    seen, deadline = set(), time.monotonic() + 2
    while time.monotonic() < deadline:
        try:
            seen.add(sandbox.read("real/environ"))
        except (OSError, ValueError):
            seen.add(None)
    assert seen == {b"fine", None}


def test_a_folder_that_becomes_a_link_while_it_is_harvested_shows_nothing(sandbox):
    _exchanging(sandbox, "/etc")
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        for path, entry in sandbox.changes().files.items():
            if path.endswith("passwd"):
                assert entry.data == b"fine"


@pytest.mark.parametrize(
    "path",
    [
        "\uff0e\uff0e/x",
        "..\u2215x",
        "%2e%2e/x",
        "a.py\u0000.txt",
        "\udcff/../../x",
        "folder/../../x",
        "//etc/x",
    ],
)
def test_strange_names_are_names_and_not_ways_out(sandbox, path):
    before = sandbox.exec("find / -xdev -newer /workspace/a.py -name 'x*' 2>/dev/null").output
    try:
        sandbox.write(path, b"here")
    except (OSError, ValueError):
        pass
    else:
        assert len(sandbox.changes().paths) == 1
    assert sandbox.exec("find / -xdev -newer /workspace/a.py -name 'x*' 2>/dev/null").output == before


def test_hard_links_reach_nothing_outside(sandbox):
    code = """
        import os, sys
        for path in ("/etc/passwd", sys.executable, os.__file__, "/usr/bin/env", "/proc/self/status"):
            try: os.link(path, "linked"); print("LINKED", path)
            except OSError: pass
    """
    assert _python(sandbox, code).output == ""


def test_the_repository_below_stays_as_it_was(backend, make_task):
    task = make_task(FILES)
    with backend.start(task) as sandbox:
        sandbox.exec("for f in a.py folder/b.py; do echo z >> $f; chmod 777 $f; touch -d 2001-01-01 $f; done")
        sandbox.exec(
            "ln a.py forked; echo more >> forked; mv folder moved; rm -rf .git test_a.py; : > folder"
        )
        _python(
            sandbox, "import mmap; f = open('forked', 'r+b'); m = mmap.mmap(f.fileno(), 0); m[0:1] = b'#'"
        )
        base, descriptor = checkout_cache.hold(task.source, None, _owner())
        os.close(descriptor)
        for path, content in FILES.items():
            assert (base.path / path).read_text() == content
        assert (base.path / ".git").is_dir()
    with backend.start(task) as other:
        assert other.changes().paths == ()


def _owner():
    return 64999 if os.getuid() == 0 else None
