"""A wall clock that stands still in test runs, if the task's environment says so."""

import platform

import pytest

from debug_gym.task import Environment

TEST = """\
import datetime, os, subprocess, sys, threading, time

AT = datetime.datetime(2024, 2, 29, 12, 30, 0, 250000, tzinfo=datetime.timezone.utc)

def test_everyone_sees_the_same_moment():
    assert abs(time.time() - AT.timestamp()) < 1e-6
    assert time.time_ns() == 1709209800250000000
    assert datetime.datetime.now(datetime.timezone.utc) == AT
    assert datetime.datetime.utcnow() == datetime.datetime.now() == AT.replace(tzinfo=None)
    assert datetime.date.today() == datetime.date(2024, 2, 29)
    assert time.strftime("%Y-%m-%d %H:%M") == "2024-02-29 12:30"
    assert time.gmtime()[:6] == time.localtime()[:6] == AT.timetuple()[:6]
    assert time.ctime() == time.asctime() == "Thu Feb 29 12:30:00 2024"

def test_given_times_are_as_ever():
    assert time.strftime("%Y", time.gmtime(0)) == "1970"
    assert time.ctime(0) == "Thu Jan  1 00:00:00 1970"

def test_what_measures_runs_on():
    began = time.monotonic(), time.perf_counter(), time.process_time()
    time.sleep(0.01)
    sum(range(100000))
    ended = time.monotonic(), time.perf_counter(), time.process_time()
    assert all(b > a for a, b in zip(began, ended))
    assert not threading.Event().wait(0.01)

def test_children_that_are_forked_see_it_and_others_do_not():
    pid = os.fork()
    if pid == 0:
        os._exit(0 if time.time() < AT.timestamp() + 1 else 1)
    assert os.waitpid(pid, 0)[1] == 0
    other = subprocess.run([sys.executable, "-c", "import time; print(time.time())"], stdout=-1)
    assert float(other.stdout) > AT.timestamp() + 1e6
"""

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="needs an x86-64 processor")


def sandbox(make_task, backend, moment):
    environment = Environment(preload=(), variables={"DEBUG_GYM_CLOCK": moment})
    return backend.start(make_task({"test_clock.py": TEST}, environment=environment))


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_the_clock_stands_still(make_task, backend, cold):
    with sandbox(make_task, backend, "2024-02-29T12:30:00.250") as running:
        run = running.run_tests(cold=cold)
    assert run.success, run.output
    assert len(run.passed) == 4


def test_a_wrong_moment_is_told(make_task, backend):
    with sandbox(make_task, backend, "yesterday") as running:
        run = running.run_tests()
    assert not run.success
    assert "Invalid isoformat string: 'yesterday'" in run.output
