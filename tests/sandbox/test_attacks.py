"""What code in a sandbox may try against its walls, its runtime, and whoever reads its files afterwards."""

import os
import textwrap
import time

import pytest

from debug_gym.errors import SandboxError
from debug_gym.sandbox.launcher import template
from debug_gym.sandbox.process import ProcessBackend
from debug_gym.task import Limits

FILES = {"a.py": "x = 1\n", "test_a.py": "def test_a(): pass\n", "pytest.ini": "[pytest]\n"}
LIMITS = Limits(memory=400 << 20, disk=64 << 20, files=5000, processes=32)
SYSTEM_CALLS = {  # name: its number on x86-64
    "syslog": 103,
    "fanotify_init": 300,
    "io_setup": 206,
    "semget": 64,
    "msgget": 68,
    "quotactl_fd": 443,
}
TREE = r"find . -path ./.git -prune -o \( -type d -printf '%p/\n' -o -type l -printf '%p -> %l\n' -o -printf '%p %m %s\n' \) | sort"


@pytest.fixture
def sandbox(backend, make_task):
    with backend.start(make_task(FILES, limits=LIMITS)) as sandbox:
        yield sandbox


def _python(sandbox, code, **options):
    return sandbox.exec(["python", "-c", textwrap.dedent(code)], **options)


# -- the kernel ---------------------------------------------------------------------------------


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are x86-64's")
def test_system_calls_that_reach_past_the_walls_fail(sandbox):
    code = f"""
        import ctypes, errno
        libc = ctypes.CDLL(None, use_errno=True)
        for name, number in {SYSTEM_CALLS!r}.items():
            result = libc.syscall(number, 0, 8, 0o1600)
            print(name, result, errno.errorcode.get(ctypes.get_errno()))
    """
    assert _python(sandbox, code).output.splitlines() == [f"{name} -1 EPERM" for name in SYSTEM_CALLS]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="machine code of x86-64")
def test_calls_of_other_architectures_are_the_end(sandbox):
    code = """
        import ctypes, mmap
        memory = mmap.mmap(-1, 4096, prot=7)
        memory.write(bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]))  # int 0x80: getpid of 32-bit programs
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))()
    """
    assert _python(sandbox, code).exit_code == -31
    x32 = "import ctypes; print(ctypes.CDLL(None).syscall(0x40000000 | 39))"
    assert _python(sandbox, x32).output == "-1\n"


def test_the_limits_of_the_runtime_cannot_be_changed_from_inside(sandbox):
    code = """
        import os, resource
        for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_CPU, resource.RLIMIT_DATA):
            try: resource.prlimit(1, kind, (0, 0)); print("CHANGED", kind)
            except PermissionError: pass
        try: os.sched_setaffinity(1, {0}); print("CHANGED")
        except PermissionError: pass
    """
    assert _python(sandbox, code).output == ""
    assert sandbox.run_tests().success


def test_a_core_dump_never_reaches_a_program_of_the_host(sandbox):
    """With a limit of 0 it would, where core_pattern is a pipe; with a limit of 1 it does not."""
    code = """
        import resource
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        print(resource.getrlimit(resource.RLIMIT_CORE))
    """
    assert _python(sandbox, code).output == "(1, 1)\n"


def test_drivers_of_terminals_cannot_be_loaded(sandbox):
    code = """
        import fcntl, os, pty
        _, terminal = pty.openpty()
        try: fcntl.ioctl(terminal, 0x5423, bytes(4)); print("SET")
        except PermissionError: pass
    """
    assert _python(sandbox, code).output == ""


def test_what_the_user_has_for_all_processes_is_not_used_up(backend, make_task, sandbox):
    code = """
        import array, ctypes, socket, time
        while ctypes.CDLL(None).inotify_init() >= 0: pass
        null, pairs = open("/dev/null"), []
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null.fileno()] * 250))]
        try:
            while True:
                pairs.append(socket.socketpair())
                for _ in range(100): pairs[-1][0].sendmsg([b"x"], rights)
        except OSError: pass
        print("full", flush=True)
        time.sleep(60)
    """
    sandbox.write("hog.py", textwrap.dedent(code).encode())
    sandbox.shell("python hog.py > log & until grep -q full log; do sleep 0.02; done", timeout=20)
    with backend.start(make_task(FILES)) as other:
        assert (
            _python(other, "import ctypes; print(ctypes.CDLL(None).inotify_init() >= 0)").output == "True\n"
        )


# -- the runtime --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "echo 0 >&11",
        "printf '7 0\\n1 0\\n2 0\\n' >&11",
        "head -c 30000000 /dev/zero >&11",
        "echo() { :; }; printf() { :; }; read() { return 1; }; eval() { :; }",
        "for p in /proc/[0-9]*; do echo abc > $p/fd/61; done 2>/dev/null",
    ],
)
def test_a_command_cannot_bring_the_shell_out_of_step(sandbox, command):
    sandbox.shell(command, timeout=10)
    assert sandbox.shell("command echo one; false", timeout=5).exit_code == 1
    assert sandbox.shell("command echo two", timeout=5).output == "two\n"


def test_a_tracer_cannot_hold_up_the_runtime(sandbox):
    tracer = """
        import ctypes, os, time
        while not os.path.exists("/tmp/pid"): time.sleep(0.01)
        time.sleep(0.05)
        libc = ctypes.CDLL(None)
        libc.ptrace(0x4206, int(open("/tmp/pid").read()), None, ctypes.c_void_p(0x40))  # SEIZE, stop at exit
        open("/tmp/seized", "w").close()
        time.sleep(60)
    """
    sandbox.write("tracer.py", textwrap.dedent(tracer).encode())
    sandbox.shell("python tracer.py & true")
    began = time.monotonic()
    sandbox.exec(
        "(setsid sleep 60 & echo $! > /tmp/pid); until [ -e /tmp/seized ]; do sleep 0.02; done", timeout=5
    )
    assert time.monotonic() - began < 8
    assert sandbox.exec("echo alive").output == "alive\n"


def test_when_background_jobs_fill_the_sandbox_the_next_command_runs(sandbox):
    hog = "import os, time\ntry:\n    while True:\n        if not os.fork(): time.sleep(60); os._exit(0)\nexcept OSError: open('full', 'w').close(); time.sleep(60)"
    sandbox.write("hog.py", hog.encode())
    sandbox.shell("(python hog.py &); until [ -e full ]; do :; done", timeout=20)
    result = sandbox.exec("echo hi")
    assert result.output == "hi\n"
    assert "too many processes" in result.note
    assert sandbox.run_tests().success


def test_limits_that_are_small_are_limits_of_the_code_and_not_of_the_runtime(backend, make_task):
    small = Limits(memory=50 << 20, processes=1, disk=4096, files=20)
    with backend.start(make_task(FILES, limits=small)) as sandbox:
        assert sandbox.exec("echo hi").output == "hi\n"
        assert sandbox.run_tests().success
        assert sandbox.shell("echo hi").output == "hi\n"
        with pytest.raises(OSError, match="space"):
            sandbox.write("big", bytes(5000))


@pytest.mark.parametrize(
    "record",
    [
        "5",
        "[]",
        '{"outcome": "passed"}',
        '{"collected": 5}',
        '{"collected": [1, {}]}',
        '{"id": [], "outcome": "passed", "message": ""}',
        '{"id": "x", "outcome": "won", "message": ""}',
        '{"id": "x", "outcome": "failed", "message": [1]}',
        "[" * 100_000,
    ],
)
def test_what_a_test_writes_among_the_results_is_left_out(sandbox, record):
    code = f"""
        import os, stat
        def test_a():
            for fd in range(3, 64):
                try:
                    if stat.S_ISFIFO(os.fstat(fd).st_mode): os.write(fd, {record.encode()!r} + b"\\n")
                except OSError: pass
    """
    sandbox.write("test_a.py", textwrap.dedent(code).encode())
    run = sandbox.run_tests()
    assert run.success
    assert run.outcomes == {"test_a.py::test_a": "passed"}


@pytest.mark.parametrize("name", ["pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml"])
def test_a_pipe_in_place_of_the_settings_holds_nothing_up(sandbox, name):
    sandbox.exec(f"rm -f {name}; mkfifo {name}")
    began = time.monotonic()
    sandbox.run_tests(timeout=3)
    assert time.monotonic() - began < 6


# -- whoever reads its files -----------------------------------------------------------------------


def test_a_deep_tree_breaks_nothing(sandbox):
    _python(sandbox, "import os\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')\nopen('f.py', 'w')")
    assert sandbox.run_tests(["test_a.py"]).success
    assert len(sandbox.listdir(depth=5000)) < 200
    assert sandbox.grep("nothing").matches == ()
    assert any("too deep" in reason for reason in sandbox.changes().skipped)
    with sandbox.fork() as forked:
        assert forked.read("a.py") == b"x = 1\n"


def test_a_deep_tree_is_removed_with_the_folder_of_a_process_sandbox(make_task, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with ProcessBackend().start(make_task(FILES)) as sandbox:
        _python(sandbox, "import os\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')\nos.chmod('.', 0)")
    assert list(tmp_path.iterdir()) == []


def test_a_path_longer_than_the_system_takes_is_left_out(sandbox):
    _python(
        sandbox, "import os\nfor _ in range(20): os.mkdir('d' * 255); os.chdir('d' * 255)\nopen('f', 'w')"
    )
    assert any("too deep" in reason for reason in sandbox.changes().skipped)
    with sandbox.fork() as forked:
        assert forked.exec("true").exit_code == 0


def test_names_of_any_bytes_survive_a_fork(sandbox):
    names = [b"new\nline", b"\xff\xfe", b"-rf", b"*", b"x" * 255, b"\x1b[31m"]
    _python(sandbox, f"for name in {names!r}: open(name, 'wb').write(name)")
    listing = "import os; print(sorted(os.listdir(b'.')))"
    with sandbox.fork() as forked:
        assert _python(forked, listing).output == _python(sandbox, listing).output
        assert forked.changes() == sandbox.changes()


def test_a_name_that_is_no_text_is_told_and_left_out(sandbox):
    """No JSON, patch or report could hold it."""
    _python(sandbox, r"for name in [b'new\nline', b'\xff\xfe']: open(name, 'wb').write(name)")
    changes = sandbox.changes()
    assert changes.paths == ("new\nline",)
    assert changes.skipped == (r"\xff\xfe: its name is not valid UTF-8",)


def test_files_that_come_and_go_meanwhile_do_not_stop_the_harvest(sandbox):
    churn = "for i in 1 2 3 4 5; do mkdir d$i; echo > d$i/f; ln -s x l$i; echo > f$i; done; rm -r d* l* f*; mkfifo f1; rm f1"
    sandbox.shell(f"(while :; do {churn}; done) >/dev/null 2>&1 &")
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        sandbox.changes()


def test_special_files_are_named_and_not_read(sandbox):
    sandbox.exec("mkfifo pipe; truncate -s 100G hole; ln -s /etc/passwd link; ln -s /dev/zero zero")
    changes = sandbox.changes()
    assert changes.files.keys() == {"link", "zero"}
    assert {text.split(":")[0] for text in changes.skipped} == {"pipe", "hole"}


def test_marks_of_the_overlay_cannot_be_forged(sandbox):
    code = """
        import os
        os.mkdir("new")
        for name in ("opaque", "whiteout", "redirect", "metacopy"):
            for path in ("new", "a.py"):
                try: os.setxattr(path, "user.overlay." + name, b"y")
                except OSError: pass
        try: os.mknod("w", 0o020644, 0); print("MADE")
        except OSError: pass
    """
    assert _python(sandbox, code).output == ""
    assert sandbox.changes().paths == ()


def test_a_reader_on_the_host_holds_only_so_much(sandbox):
    code = """
        import os
        name = "n" * 200
        for _ in range(15): os.mkdir(name); os.chdir(name)
        for number in range(4500): os.symlink("x" * 4000, "%d" % number)
    """
    assert _python(sandbox, code, timeout=30).exit_code == 0
    changes = sandbox.changes()
    assert sum(len(path) + len(entry.link) for path, entry in changes.files.items()) <= 65 << 20
    assert len(changes.skipped) <= 1001


KINDS = ("file", "folder", "link", "nothing")


@pytest.fixture(scope="module")
def kinds(backend, make_task):
    """A repository in which everything may become anything else: ``FROM-TO``, also below ``again``."""
    task = make_task({"target/t": "t\n"})
    for top in (task.source.path, task.source.path / "again"):
        top.mkdir(exist_ok=True)
        for kind in KINDS:
            for other in KINDS:
                path = top / f"{kind}-{other}"
                if kind == "file":
                    path.write_text("base\n")
                elif kind == "folder":
                    (path / "sub").mkdir(parents=True)
                    (path / "in").write_text("in\n")
                    (path / "sub/deep").write_text("deep\n")
                elif kind == "link":
                    path.symlink_to("../target" if top.name == "again" else "target")
    return task


def test_whatever_becomes_of_a_path_a_fork_has_it_too(backend, kinds):
    commands = ["rm -rf again; mkdir again"]
    for top in ("", "again/"):
        for kind in KINDS:
            for other in KINDS:
                path = f"{top}{kind}-{other}"
                commands.append(f"rm -rf {path}")
                if other == "file":
                    commands.append(f"echo new > {path}")
                elif other == "folder":
                    commands.append(f"mkdir -p {path}/in; echo x > {path}/in/below; echo y > {path}/new")
                elif other == "link":
                    commands.append(f"ln -s nowhere {path}")
    with backend.start(kinds) as sandbox:
        assert sandbox.exec("; ".join(commands)).output == ""
        with sandbox.fork() as forked:
            assert forked.exec(TREE).output == sandbox.exec(TREE).output
            assert forked.changes() == sandbox.changes()
            assert forked.read("target/t") == b"t\n"


def test_a_restore_does_not_follow_links(backend, kinds):
    """Else a change to ``link/x`` could overwrite what nobody may change."""
    with backend.start(kinds) as sandbox:
        sandbox.exec("rm link-folder; mkdir link-folder; echo agent > link-folder/t")
        changes = sandbox.snapshot()
    with backend.start(kinds) as other:
        other.restore(changes)
        assert other.read("target/t") == b"t\n"
        assert other.read("link-folder/t") == b"agent\n"


def test_read_only_files_and_folders_can_be_forked(backend, make_task):
    task = make_task({"fixed": "1\n", "closed/x": "x\n"})
    (task.source.path / "fixed").chmod(0o444)
    (task.source.path / "closed").chmod(0o555)
    with backend.start(task) as sandbox:
        sandbox.exec(
            "chmod u+w fixed closed; echo 2 > fixed; echo y > closed/y; rm closed/x; chmod a-w fixed closed"
        )
        with sandbox.fork() as forked:
            assert forked.exec("cat fixed closed/y; ls closed").output == "2\ny\ny\n"


def test_a_snapshot_that_does_not_fit_is_said(backend, make_task):
    with backend.start(make_task(FILES, limits=Limits(disk=8 << 20))) as sandbox:
        sandbox.exec("head -c 3000000 /dev/zero > one; for i in 1 2 3 4 5 6; do ln one $i; done")
        with pytest.raises(SandboxError, match="cannot be laid"):
            sandbox.fork()
        assert sandbox.exec("echo alive").output == "alive\n"


def test_a_long_shell_state_is_left_out_and_not_cut(sandbox):
    sandbox.shell("cd /tmp; big=$(head -c 2000000 /dev/zero | tr '\\0' ';')", timeout=10)
    with sandbox.fork() as forked:
        assert forked.shell("pwd").output == "/workspace\n"


# -- the view of the host's files ---------------------------------------------------------------


def test_a_python_in_a_home_folder_does_not_show_the_home_folder(monkeypatch, tmp_path):
    class User:
        pw_dir = str(tmp_path)

    monkeypatch.setattr("pwd.getpwuid", lambda _: User)
    for prefix in (tmp_path, tmp_path / ".local", tmp_path.parent):
        monkeypatch.setattr("sys.prefix", str(prefix))
        monkeypatch.setattr("sys.base_prefix", str(prefix))
        shown = template.interpreter_folders()
        assert not any((str(tmp_path) + "/").startswith(path.rstrip("/") + "/") for path in shown)
        assert str(tmp_path / ".local") not in shown
