"""The interface of a sandbox, on each backend, and on one over pipes that others could have written."""

import re

import pytest

from debug_gym.errors import SandboxDiedError, TaskError
from debug_gym.sandbox import FileEntry
from debug_gym.sandbox.namespace import NamespaceBackend
from debug_gym.sandbox.process import ProcessBackend
from debug_gym.task import Environment, Limits, Tests

FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "run.sh": "#!/bin/sh\necho hi\n",
    "tests/test_calc.py": "from calc import add\ndef test_add(): assert add(1, 2) == 3\ndef test_zero(): assert add(1, 0) == 1\n",
    "pkg/__init__.py": "",
    "pkg/deep/data.txt": "data\n",
}


@pytest.fixture(scope="module", params=["namespace", "process", "pipes"])
def backend(request, over_pipes):
    made = {"namespace": NamespaceBackend, "process": ProcessBackend, "pipes": lambda: over_pipes}
    running = made[request.param]()
    yield running
    running.close()


@pytest.fixture
def sandbox(backend, make_task):
    with backend.start(make_task(FILES, limits=Limits(output=2000))) as sandbox:
        yield sandbox


def test_exec(sandbox):
    assert sandbox.exec("echo out; echo err >&2; exit 3") == sandbox.exec(
        ["sh", "-c", "echo out; echo err >&2; exit 3"]
    )
    result = sandbox.exec("cat; pwd; echo $MARK", stdin=b"in\n", cwd="tests", env={"MARK": "m"})
    assert result.output == f"in\n{sandbox.workspace}/tests\nm\n"
    assert sandbox.exec("kill -9 $$").exit_code == -9
    with pytest.raises(FileNotFoundError):
        sandbox.exec(["no-such-program"])
    with pytest.raises(FileNotFoundError):
        sandbox.exec("true", cwd="no/such/folder")


def test_exec_in_time_and_bounds(sandbox):
    slow = sandbox.exec("echo begun; sleep 10", timeout=0.3)
    assert (slow.timed_out, slow.output) == (True, "begun\n")
    loud = sandbox.exec("seq 1 100000")
    assert loud.dropped > 500_000
    assert loud.output.startswith("1\n2\n")
    assert loud.output.endswith("99999\n100000\n")
    assert "bytes cut" in loud.output
    assert sandbox.exec(r"printf 'ok \xff\xfe é'").output == "ok �� é"


def test_the_shell_keeps_its_state(sandbox):
    sandbox.shell("cd pkg; export A=1; b='x y'; greet() { echo hello $1; }; alias ll='ls -1'")
    assert sandbox.shell("pwd; echo $A $b; greet you").output.split("\n")[1:3] == ["1 x y", "hello you"]
    assert sandbox.shell("ll").output == "__init__.py\n__pycache__\ndeep\n"
    assert sandbox.shell("cat <<'END' | tr a-z A-Z\nhere é\nEND").output == "HERE é\n"
    assert sandbox.shell("false").exit_code == 1
    assert sandbox.shell("if then").exit_code != 0
    assert sandbox.shell("echo still here").output == "still here\n"


def test_a_shell_that_waits_is_like_one_that_is_started_when_asked(sandbox, backend, make_task):
    """And in a fork it keeps what it was restored with until it is used."""
    names = 'compgen -v | sort; basename "$PWD"; echo $0; ls /proc/self/fd | wc -l'
    asked = sandbox.shell(names).output
    with backend.start(make_task(FILES)) as waiting:
        waiting.prepare_shell()
        assert waiting.shell(names).output == asked
    sandbox.shell("declare -r fixed=1; export A=$'one\\ndeclare two'; cd tests")
    with sandbox.fork() as forked:
        forked.prepare_shell()
        with forked.fork() as again:
            told = again.shell('echo "$A"; echo "[$fixed]"; basename "$PWD"').output
    assert told == "one\ndeclare two\n[]\ntests\n"


def test_a_timeout_in_the_shell_spares_its_state_and_jobs(sandbox):
    sandbox.shell("cd pkg; export A=1; sleep 100 & true")
    slow = sandbox.shell("sleep 10", timeout=0.3)
    assert (slow.timed_out, slow.exit_code) == (True, None)
    assert sandbox.shell("basename $PWD; echo $A; jobs | wc -l").output.split() == ["pkg", "1", "1"]


JOBS = [
    "(while :; do sleep 0.05; echo . >> /tmp/$$.beat; done) &",
    'python -c \'import subprocess\nwhile 1: subprocess.run(["sleep", "0.05"], check=True); print(1, flush=True)\' &',
]


@pytest.mark.parametrize("job", JOBS)
def test_jobs_of_earlier_commands_outlive_one_that_ends_badly(sandbox, job):
    """Also those that start and lose children all the time, and those that write to the shell's output."""
    number = re.search(r"^number (\d+)$", sandbox.shell(f"{job} echo number $!").output, re.MULTILINE)[1]
    for command in ("sleep 10", "wait", "while :; do :; done", "exit"):
        sandbox.shell(f"sleep 20 & {command}", timeout=0.5)
        alive = sandbox.shell(f"kill -0 {number} && sleep 0.3 && kill -0 {number} && echo alive", timeout=10)
        assert "alive" in alive.output.split("\n"), "before or after what the job writes"
        left = sandbox.exec("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").output
        assert "sleep 20" not in left, "what the command itself started ends with it"
    sandbox.shell(f"kill {number}; rm -f /tmp/*.beat")


@pytest.mark.parametrize("command", ["exit 3", "exec true", "kill -9 $$", "while :; do :; done"])
def test_a_lost_shell_is_said_and_replaced(sandbox, command):
    lost = sandbox.shell(command, timeout=0.5)
    assert lost.exit_code is None
    assert "new one" in lost.note
    assert sandbox.shell("echo back").output == "back\n"


def test_read_and_write(sandbox):
    assert sandbox.read("pkg/deep/data.txt") == b"data\n"
    sandbox.write("new/folder/file.bin", bytes(range(256)))
    assert sandbox.read("new/folder/file.bin") == bytes(range(256))
    sandbox.exec("chmod 751 run.sh")
    sandbox.write("run.sh", b"#!/bin/sh\necho ho\n")
    assert sandbox.exec("stat -c %a run.sh; ./run.sh").output == "751\nho\n"
    for path, error in (
        ("nope", FileNotFoundError),
        ("pkg", IsADirectoryError),
        ("calc.py/x", NotADirectoryError),
    ):
        with pytest.raises(error):
            sandbox.read(path)
    with pytest.raises(IsADirectoryError):
        sandbox.write("pkg", b"")
    with pytest.raises(ValueError, match="more than the limit"):
        sandbox.read("calc.py", limit=5)
    sandbox.exec("mkfifo pipe")
    with pytest.raises(OSError, match="regular"):
        sandbox.read("pipe")


def test_listdir(sandbox):
    assert sandbox.listdir("pkg", depth=2) == [
        ("__init__.py", "file", 0),
        ("deep", "dir", 0),
        ("deep/data.txt", "file", 5),
    ]
    assert len(sandbox.listdir(depth=9, limit=2)) == 2
    with pytest.raises(NotADirectoryError):
        sandbox.listdir("calc.py")


def test_run_tests(sandbox):
    run = sandbox.run_tests()
    assert run.warm
    assert run.exit_code == 1
    assert run.complete
    assert run.outcomes == {
        "tests/test_calc.py::test_add": "failed",
        "tests/test_calc.py::test_zero": "passed",
    }
    assert run.messages["tests/test_calc.py::test_add"] == "assert -1 == 3"
    sandbox.write("calc.py", b"def add(a, b):\n    return a + b\n")
    assert sandbox.run_tests().success
    chosen = sandbox.run_tests(["tests/test_calc.py::test_zero"])
    assert chosen.collected == ("tests/test_calc.py::test_zero",)
    sandbox.write("calc.py", b"import os\nos._exit(0)\n")
    cheat = sandbox.run_tests()
    assert cheat.exit_code == 0
    assert not cheat.success


def test_any_test_command(backend, make_task):
    task = make_task(FILES, tests=Tests(command=("sh", "-c", "grep -q + calc.py")))
    with backend.start(task) as sandbox:
        assert sandbox.run_tests().outcomes == {"command": "failed"}
        sandbox.write("calc.py", b"+\n")
        assert sandbox.run_tests().success


def test_a_test_command_that_is_no_program(backend, make_task):
    task = make_task(FILES, tests=Tests(command=("no-such-program", "-q")))
    with backend.start(task) as sandbox:
        run = sandbox.run_tests()
    assert (run.exit_code, run.outcomes) == (127, {"command": "failed"})
    assert run.output == "the test command cannot be run: no-such-program: No such file or directory\n"


def test_changes(sandbox):
    assert sandbox.changes().paths == ()
    sandbox.exec(
        "echo x > new.py; chmod 755 new.py; ln -s new.py link; rm calc.py; rm -r pkg; mkdir pkg; echo y > pkg/own.py; "
        "mkfifo pipe; git add -A; git commit -qm x; touch run.sh; cp tests/test_calc.py t && mv t tests/test_calc.py"
    )
    changes = sandbox.changes()
    assert changes.files == {
        "new.py": FileEntry(data=b"x\n", mode=0o755),
        "link": FileEntry(link="new.py", mode=changes.files["link"].mode),
        "pkg/own.py": FileEntry(data=b"y\n"),
    }
    assert set(changes.deleted) == {"calc.py", "pkg/__init__.py", "pkg/deep/data.txt"}
    assert changes.skipped == ("pipe: not a regular file",)


def test_a_fork_has_the_empty_folders_too(sandbox):
    sandbox.exec("mkdir -p new/empty; rm pkg/deep/*; chmod 700 tests")
    assert set(sandbox.changes().empty) == {"new/empty", "pkg/deep"}
    sandbox.exec("mkdir -p /tmp/scratch/empty")
    with sandbox.fork() as forked:
        assert forked.exec("ls -d new/empty pkg/deep").exit_code == 0
        assert forked.changes() == sandbox.changes()
        if forked.workspace == "/workspace":
            assert forked.exec("ls -d /tmp/scratch/empty").exit_code == 0
    sandbox.exec("rm -r pkg/deep /tmp/scratch")
    with sandbox.fork() as forked:
        assert forked.exec("ls -d pkg/deep").exit_code != 0


def test_fork_has_the_same_files_and_a_life_of_its_own(sandbox):
    sandbox.exec(
        "rm -r pkg; echo x > new.py; chmod 700 new.py; ln -s new.py link; git add -A; git commit -qm second"
    )
    sandbox.shell("cd tests; export A=1")
    with sandbox.fork() as forked:
        assert forked.changes() == sandbox.changes()
        assert forked.shell("basename $PWD; echo $A; git log --oneline | wc -l").output.split() == [
            "tests",
            "1",
            "2",
        ]
        forked.write("new.py", b"z\n")
        assert sandbox.read("new.py") == b"x\n"
        with forked.fork() as third:
            assert third.read("new.py") == b"z\n"


def test_closing_twice_is_fine_and_use_after_it_is_an_error(backend, make_task):
    sandbox = backend.start(make_task(FILES))
    sandbox.close()
    sandbox.close()
    with pytest.raises(SandboxDiedError, match="closed"):
        sandbox.exec("true")


@pytest.mark.parametrize("python", ["/no/such/python", "/etc/passwd", "no-such-python"])
def test_a_missing_interpreter_is_a_task_error(backend, make_task, python):
    with pytest.raises(TaskError, match="Python"):
        backend.start(make_task(FILES, environment=Environment(python=python)))


def test_variables_of_the_task(backend, make_task):
    with backend.start(make_task(FILES, environment=Environment(variables={"COLOUR": "red"}))) as sandbox:
        assert sandbox.exec("echo $COLOUR").output == sandbox.shell("echo $COLOUR").output == "red\n"


def test_the_probe_says_what_works(backend):
    probe = backend.probe()
    assert probe.works
    assert probe.guarantees == backend.guarantees
    assert probe.detail
