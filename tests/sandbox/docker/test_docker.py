"""Sandboxes in containers: the same tools, the real debugger, the judge, and walls around all of it."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest

from debug_gym.checks.leaks import answers_in_reach
from debug_gym.cli import main
from debug_gym.env import DebugGymEnv
from debug_gym.errors import SandboxDiedError, SandboxUnavailableError, TaskError
from debug_gym.judge import judge
from debug_gym.sandbox import Changes, FileEntry
from debug_gym.sandbox.docker import DockerBackend, backend, images, kept
from debug_gym.sandbox.docker.daemon import LABEL, OWNER
from debug_gym.sandbox.docker.orphans import remove_orphans
from debug_gym.sandbox.owners import owner
from debug_gym.task import Environment, ImageSource, Limits, Task

pytestmark = pytest.mark.docker

ADD = "test_calc.py::test_add"
GOLD = (
    "--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n"
)
OLD = "#!/bin/bash\n[ $1 = -V ] && echo Python 3.5.10\n"
"""Says of itself what an older Python would, and fails at what that would fail at."""
RUN_TESTS = """\
import os, sys, unittest
sys.path[:0] = [os.getcwd()]
arguments = [word for word in sys.argv[1:] if not word.startswith("--")]
unittest.main(module=None, argv=[sys.argv[0], "-v", *arguments])
"""
CASES = """\
import unittest
from calc import add

class Sums(unittest.TestCase):
    def test_add(self):
        total = add(1, 2)
        self.assertEqual(total, 3)

    def test_nothing(self):
        self.assertEqual(add(0, 0), 0)
"""
FIXED = Changes(files={"calc.py": FileEntry(data=b"def add(a, b):\n    return a + b\n")})


@pytest.fixture(scope="module")
def box(docker_backend, in_image):
    with docker_backend.start(in_image()) as sandbox:
        yield sandbox


def containers(daemon, process=None):
    """Those that this process, or another, has made for its sandboxes."""
    mine = f"{owner().partition(':')[0]}:{process or os.getpid()}:"
    found = daemon.containers.list(all=True, filters={"label": f"{LABEL}=sandbox"}, ignore_removed=True)
    return {item.id for item in found if item.labels[OWNER].startswith(mine)}


def soon(holds, seconds=15):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not (seen := holds()) and time.monotonic() < end:
        time.sleep(0.1)
    return seen


# -- the same sandbox as everywhere -------------------------------------------------------------


def test_commands_files_and_changes(docker_backend, in_image):
    with docker_backend.start(in_image()) as box:
        assert box.exec("cat calc.py").output == "def add(a, b):\n    return a - b\n"
        box.shell("cd /tmp; export RATE=3")
        assert box.shell("echo $RATE in $PWD").output == "3 in /tmp\n"
        box.write("notes.txt", b"only in here")
        box.exec("rm test_calc.py")
        changes = box.changes()
        assert changes.files["notes.txt"].data == b"only in here"
        assert changes.deleted == ("test_calc.py",)


def test_tests_run_warm_in_the_interpreter_of_the_image(box):
    assert box.exec("python -c 'import sys; print(sys.prefix)'").output == "/opt/miniconda3/envs/testbed\n"
    run = box.run_tests()
    assert run.failed == ("test_calc.py::test_add",)
    assert run.warm


def test_the_debugger_stands_where_it_failed(box):
    reply = box.debug_start(test="test_calc.py::test_add", at="failure")
    assert (reply.stop.file, reply.stop.line) == ("test_calc.py", 4)
    assert "-1" in box.debug("p add(1, 2)").output
    box.debug_stop()


def test_older_interpreters_do_it_all(docker_backend, old_testbed):
    version, image = old_testbed
    source = ImageSource(image=image, python="/opt/miniconda3/envs/testbed/bin/python3")
    task = Task(id="old", problem="", source=source, gold_patch=GOLD, tests={"fail_to_pass": [ADD]})
    with docker_backend.start(task) as box:
        assert box.exec("python -V").output.startswith(f"Python {version}.")
        assert [(run.warm, run.failed) for run in (box.run_tests(), box.run_tests(cold=True))] == [
            (True, (ADD,)),
            (False, (ADD,)),
        ]
        assert box.debug_start(test=ADD, at="failure").stop.line == 4
        box.debug("b calc.py:2")
        assert box.trace(points=["calc.py:2: a, b"], test=ADD).rows[0].values == (("a", "1"), ("b", "2"))
    assert judge(task, FIXED, docker_backend).resolved


def test_a_program_of_the_repository_tests_it_and_is_debugged(docker_backend, in_image):
    files = {"tests/runtests.py": RUN_TESTS, "tests/cases.py": CASES, "tests/__init__.py": ""}
    write = [f"mkdir -p tests; printf %s {shlex.quote(text)} > {path}" for path, text in files.items()]
    one, other = "tests.cases.Sums.test_add", "tests.cases.Sums.test_nothing"
    tests = {"visible": ["tests.cases"], "fail_to_pass": [one], "pass_to_pass": [other]}
    command = ("python", "./tests/runtests.py", "--verbosity=2", "--parallel=1")
    task = in_image(setup=tuple(write), tests={**tests, "command": command})
    with docker_backend.start(task) as box:
        assert box.run_tests().outcomes == {one: "failed", other: "passed", "command": "failed"}
        assert box.run_tests([other]).outcomes == {other: "passed", "command": "passed"}
        start = box.debug_start(test=one).stop
        failure = box.debug_start(test=one, at="failure").stop
        assert [(stop.file, stop.line) for stop in (start, failure)] == [
            ("tests/cases.py", 6),
            ("tests/cases.py", 7),
        ]
        assert box.debug("p total").output.strip() == "-1"
    assert judge(task, FIXED, docker_backend).resolved


def test_a_fork_is_independent(docker_backend, in_image):
    with docker_backend.start(in_image()) as first:
        first.write("new.txt", b"1")
        first.shell("cd /tmp; export RATE=3; echo kept > kept.txt")
        with first.fork() as second:
            assert second.shell("echo $RATE $PWD; cat kept.txt").output == "3 /tmp\nkept\n"
            second.write("new.txt", b"2")
            assert first.read("new.txt") == b"1"


def test_an_episode_is_played_and_judged(docker_backend, in_image):
    env = DebugGymEnv(task=in_image(), sandbox=docker_backend)
    env.reset()
    env.step({"name": "replace", "arguments": {"path": "calc.py", "old": "a - b", "new": "a + b"}})
    _, reward, terminated, _, info = env.step({"name": "eval", "arguments": {}})
    env.close()
    assert (reward, terminated, info["resolved"]) == (1.0, True, True)


def test_the_judge_rejects_what_is_no_fix(docker_backend, in_image):
    forged = FileEntry(data=b"import os\ndef add(a, b):\n    os._exit(0)\n")
    assert judge(in_image(), FIXED, docker_backend).resolved
    assert not judge(in_image(), Changes(files={"calc.py": forged}), docker_backend).resolved


def test_a_repository_of_the_host_is_put_into_an_image(docker_backend, testbed, make_task, monkeypatch):
    monkeypatch.setenv("DEBUG_GYM_DOCKER_IMAGE", testbed)
    python = Environment(python="/opt/miniconda3/envs/testbed/bin/python3")
    task = make_task(
        {"a.py": "x = 1\n", "test_a.py": "def test_a():\n    import a\n    assert a.x == 1\n"},
        environment=python,
    )
    with docker_backend.start(task) as box:
        assert box.workspace == "/workspace"
        assert box.run_tests().passed == ("test_a.py::test_a",)
        assert box.changes().paths == ()


# -- images --------------------------------------------------------------------------------------


def test_the_history_of_an_image_stays_outside(box):
    assert box.exec("git log --format=%s").output == "The repository\n"
    assert box.exec("grep -r 'the fix is in here' / --include=secret 2>/dev/null").output == ""


def test_what_the_setup_sets_is_set(docker_backend, in_image):
    with docker_backend.start(in_image(setup=("export COLOUR=blue", "echo made > made.txt"))) as box:
        assert box.exec("echo $COLOUR; cat made.txt").output == "blue\nmade\n"
        assert box.changes().paths == ()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"image": "debug-gym-test/there-is-none:1"}, "debug-gym-test/there-is-none:1"),
        ({"python": "/opt/python"}, "no Python called /opt/python"),
        ({"folder": "/no/such/folder"}, "/no/such/folder"),
        ({"setup": ("echo 'no compiler' >&2; false",)}, "no compiler"),
        (
            {"setup": (f"echo '{OLD}' > /opt/old; chmod +x /opt/old",), "python": "/opt/old"},
            "its Python is Python 3.5.10, but a sandbox needs 3.6 or newer: ImageSource.python can name",
        ),
    ],
)
def test_an_image_that_does_not_serve_is_named(docker_backend, testbed, source, said):
    task = Task(id="x", problem="", source=ImageSource(**{"image": testbed, "python": "python3", **source}))
    with pytest.raises(TaskError) as error:
        docker_backend.start(task)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_prepared_images_that_nothing_uses_are_removed_and_made_again(daemon, docker_backend, in_image):
    task = in_image(setup=(f"true {time.time()}",))  # a daemon may have those of an earlier run
    before = {image.id for image in kept.list_prepared(daemon)}
    docker_backend.start(task).close()
    mine = images.prepared(daemon, task, "").id
    assert mine in {image.id for image in kept.list_prepared(daemon)} - before
    assert kept.remove_prepared(daemon, keep=1 << 40) == 0
    assert soon(
        lambda: kept.remove_prepared(daemon) and mine not in {i.id for i in kept.list_prepared(daemon)}
    )
    docker_backend.start(task).close()
    assert {image.id for image in kept.list_prepared(daemon)} - before


def test_a_name_that_stands_for_another_image_is_noticed(daemon, testbed):
    name = "debug-gym-test/moved"
    task = Task(id="moved", problem="", source=ImageSource(image=name, python="python3"))
    prepared_ids = []
    for number in "12":
        container = daemon.containers.create(testbed, "true")
        try:
            container.commit(name, changes=[f"LABEL number={number}"])
        finally:
            container.remove()
        for _ in range(2):
            images._known.clear()  # as in another process
            prepared_ids.append(images.prepared(daemon, task, "").id)
    try:
        assert prepared_ids[0] == prepared_ids[1] != prepared_ids[2] == prepared_ids[3]
        assert daemon.images.get(prepared_ids[2]).labels["number"] == "2"
    finally:
        for image in (*dict.fromkeys(prepared_ids), name):
            daemon.images.remove(image, force=True)


# -- walls ----------------------------------------------------------------------------------------


def test_the_user_is_an_ordinary_one_without_capabilities(box):
    assert box.exec("id -u").output == "1000\n"
    said = box.exec("grep -E 'Cap(Eff|Prm|Bnd)|NoNewPrivs|Seccomp:' /proc/self/status").output
    assert said.count("0000000000000000") == 3
    assert "NoNewPrivs:\t1" in said
    assert "Seccomp:\t2" in said


@pytest.mark.parametrize(
    "command",
    [
        "touch /usr/bin/mine",
        "touch /opt/debug-gym/mine",
        "unshare -r true",
        "mount -t tmpfs none /mnt",
        "chroot /",
    ],
)
def test_the_system_cannot_be_changed(box, command):
    assert box.exec(command).exit_code != 0


def test_there_is_no_network(box):
    code = "import socket; socket.create_connection(('198.51.100.1', 80), timeout=2)"
    assert "Network is unreachable" in box.exec(["python", "-c", code]).output
    assert box.exec("ls /sys/class/net").output.split() == ["lo"]


def test_the_runtime_cannot_be_killed_or_read(box):
    box.exec("kill -9 1; kill -STOP 1")
    assert box.exec("cat /proc/1/mem").exit_code != 0
    assert box.exec("echo alive").output == "alive\n"


def test_memory_and_processes_are_limited(docker_backend, in_image):
    limits = Limits(memory=256 << 20, processes=64)
    with docker_backend.start(in_image(limits=limits)) as box:
        hoard = box.exec(["python", "-c", "x = bytearray(1 << 30); x[::4096] = x[::4096]"], timeout=20)
        assert hoard.exit_code != 0
        box.exec("for i in $(seq 200); do sleep 30 & done", timeout=10)
        assert box.exec("echo alive").output == "alive\n"


def test_temporary_files_are_limited(docker_backend, in_image):
    with docker_backend.start(in_image(limits=Limits(disk=8 << 20))) as box:
        assert "No space left" in box.exec("head -c 20M /dev/zero > /tmp/large").output


# -- the end ---------------------------------------------------------------------------------------


def test_a_closed_sandbox_leaves_no_container(daemon, docker_backend, in_image):
    before = containers(daemon)
    sandbox = docker_backend.start(in_image())
    assert containers(daemon) - before
    sandbox.close()
    assert soon(lambda: not containers(daemon) - before)


def test_a_killed_container_is_one_clear_error(daemon, docker_backend, in_image):
    before = containers(daemon)
    sandbox = docker_backend.start(in_image())
    (mine,) = containers(daemon) - before
    daemon.api.kill(mine)
    with pytest.raises(SandboxDiedError):
        sandbox.exec("true")


def test_nothing_is_left_of_a_gym_that_was_killed(daemon, in_image):
    program = (
        "import sys, time\nfrom debug_gym.sandbox.docker import DockerBackend\nfrom debug_gym.task import Task\n"
        "backend = DockerBackend(ready=2)\nbackend.start(Task.model_validate_json(sys.argv[1]))\n"
        "print('ready', flush=True)\ntime.sleep(60)\n"
    )
    gym = subprocess.Popen(
        [sys.executable, "-c", program, in_image().model_dump_json()], stdout=subprocess.PIPE
    )
    assert gym.stdout.readline() == b"ready\n"
    assert containers(daemon, gym.pid)
    gym.send_signal(signal.SIGKILL)
    gym.wait()
    gym.stdout.close()
    assert soon(lambda: not containers(daemon, gym.pid), 30)


def test_containers_of_gyms_that_have_ended_are_removed(daemon, testbed):
    ended = f"{owner().partition(':')[0]}:{2**22 - 1}:1"  # no process has the largest number that there is
    another = owner() + "0"  # this process's number, but from another time
    alive = daemon.containers.create(testbed, ["sleep", "60"], labels={LABEL: "sandbox", OWNER: owner()})
    left = []
    for kind, whose in (("sandbox", ended), ("preparing", another)):
        left.append(daemon.containers.create(testbed, ["sleep", "60"], labels={LABEL: kind, OWNER: whose}).id)
    assert remove_orphans(daemon) >= 2
    there = {item.id for item in daemon.containers.list(all=True, ignore_removed=True)}
    assert alive.id in there
    assert there.isdisjoint(left)
    alive.remove()


def test_ready_sandboxes_are_taken_and_replaced(daemon, in_image):
    backend = DockerBackend(ready=1)
    try:
        with backend.start(in_image()):
            assert soon(lambda: backend.waiting == 1)
        with backend.start(in_image(tests={"visible": ["test_calc.py"]})) as box:
            assert box.task.tests.visible == ("test_calc.py",)
            assert box.changes().paths == ()
    finally:
        backend.close()


def test_a_daemon_that_does_not_answer_is_one_sentence(monkeypatch, tmp_path, in_image):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(SandboxUnavailableError, match=r"no Docker daemon .* answers at .* set DOCKER_HOST"):
        DockerBackend().start(in_image())
    assert not DockerBackend().probe().works


# -- the command line -----------------------------------------------------------------------------------


def command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["debug-gym", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_images_are_made_ahead_and_shown(daemon, testbed, calc, monkeypatch, capsys):
    monkeypatch.setenv("DEBUG_GYM_DOCKER_IMAGE", testbed)
    before = {image.id for image in kept.list_prepared(daemon)}
    (calc / "other.py").write_text(f"made = {time.time()}\n")
    assert command(monkeypatch, "images", "repo", "-b", f"path={calc}") == 0
    assert {image.id for image in kept.list_prepared(daemon)} - before
    assert re.search(r"\d+ prepared images?", capsys.readouterr().out)


def test_a_benchmark_is_played_in_containers(testbed, calc, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DEBUG_GYM_DOCKER_IMAGE", testbed)
    options = [
        "--path",
        str(calc),
        "--agent",
        "repair",
        "--sandbox",
        "docker",
        "--output",
        str(tmp_path / "run"),
    ]
    assert command(monkeypatch, "run", "repo", *options) == 0
    assert "resolved 1/1" in capsys.readouterr().out


def test_the_doctor_tells_of_the_daemon(daemon, monkeypatch, capsys):
    command(monkeypatch, "doctor", "--clean")
    said = capsys.readouterr().out
    assert "containers removed:" in said
    assert "docker works" in said


# -- what daemons can keep --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("info", "missing"),
    [
        ({"Driver": "overlay2", "MemoryLimit": True, "PidsLimit": True, "CgroupVersion": "2"}, ["disk"]),
        (
            {"Driver": "btrfs", "MemoryLimit": True, "PidsLimit": True, "SecurityOptions": ["name=seccomp"]},
            [],
        ),
        ({"Driver": "overlay2", "MemoryLimit": True}, ["disk", "process_count"]),
        (
            {"Driver": "vfs", "MemoryLimit": True, "PidsLimit": True, "CgroupVersion": "1", "Rootless": True},
            ["memory", "disk", "process_count"],
        ),
        (
            {
                "Driver": "zfs",
                "MemoryLimit": True,
                "PidsLimit": True,
                "CgroupVersion": "1",
                "SecurityOptions": ["name=rootless"],
            },
            ["memory", "process_count"],
        ),
    ],
)
def test_no_more_is_promised_than_the_daemon_can_keep(info, missing):
    promised = backend.promises(info)
    assert promised.missing() == missing
    assert promised.isolated


def test_answers_in_installed_packages_are_found(docker_backend, in_image):
    """All that a sandbox shows is searched: in an image that is little."""
    lines = ["answer = compute_the_right_answer(left, right)", "return answer or nothing_at_all"]
    package = "/opt/miniconda3/envs/testbed/released.py"
    task = in_image(
        setup=(shlex.join(["printf", "%s\\n", *lines]) + f" > {package}",),
        gold_patch="--- a/calc.py\n+++ b/calc.py\n@@ -1 +1,3 @@\n def add(a, b):\n"
        + "".join(f"+    {line}\n" for line in lines),
    )
    (problem,) = answers_in_reach([task], docker_backend)[task.id]
    assert problem == f"the agent can read the gold patch in {package}"
