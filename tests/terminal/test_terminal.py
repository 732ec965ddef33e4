"""The command in a real terminal."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time

import pytest

from debug_gym.store.records import Run

PROGRAM = [sys.executable, "-c", "from debug_gym.cli import main; main()", "play"]
F6, CTRL_Q = b"\x1b[17~", b"\x11"
ESCAPES = re.compile(r"\x1b(?:\[[0-9;?<>=]*[a-zA-Z]|[()][A-Z0-9]|[=>78]|[\]P_][^\x07\x1b]*(?:\x07|\x1b\\))")


class Terminal:
    """A program on a terminal of 80 columns and 24 lines."""

    def __init__(self, *arguments, **environment):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.raw = ""
        self.program = subprocess.Popen(
            [*PROGRAM, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", **environment},
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while True:
            try:
                data = os.read(self._ours, 65536)
            except OSError:  # how the end of a terminal looks
                return
            self.raw += data.decode("utf-8", "replace")

    @property
    def text(self):
        return ESCAPES.sub("", self.raw)

    def send(self, keys):
        os.write(self._ours, keys)

    def wait_for(self, words, seconds=60):
        """Until they were written, from now on back to the last call."""
        deadline = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < deadline, f"no {words!r} in:\n{self.text[-3000:]}"
            time.sleep(0.05)
        self.raw = self.raw[-200:]

    def end(self, keys=b""):
        """The exit code; until then, press keys again and again: a screen takes them once it is there."""
        deadline = time.monotonic() + 60
        while keys and self.program.poll() is None and time.monotonic() < deadline:
            self.send(keys)
            time.sleep(0.2)
        code = self.program.wait(60)
        self._reader.join(10)
        return code

    def close(self):
        if self.program.poll() is None:
            self.program.kill()
            self.program.wait()
        os.close(self._ours)


@pytest.fixture
def terminal():
    opened = []

    def start(*arguments, **environment):
        opened.append(Terminal(*arguments, **environment))
        return opened[-1]

    yield start
    for item in opened:
        item.close()


def test_a_task_is_played_to_its_verdict(terminal, repository, tmp_path):
    folder = tmp_path / "me"
    played = terminal(
        "repo", "-b", f"path={repository}", "--output", str(folder), "--name", "me", NO_COLOR="1"
    )
    played.wait_for("step 0/500")
    played.send(b'replace calc.py "a - b" "a + b"\r')
    played.wait_for("1 line added")
    assert "[38;2;" not in played.raw  # no colours were asked for
    played.send(F6)
    played.wait_for("RESOLVED")
    assert played.end(b"\r") == 0
    assert "shows the attempt" in played.text
    run = Run.open(folder)
    assert [(result.status, result.steps) for result in run.results()] == [("resolved", 2)]
    assert run.trajectory("calc").agent == "me"


def test_leaving_leaves_nothing_played(terminal, repository):
    played = terminal("repo", "-b", f"path={repository}")
    played.wait_for("step 0/500")
    played.send(CTRL_Q)
    assert played.end() == 1
    assert "left without a verdict" in played.text


def test_a_terminal_is_needed(repository):
    done = subprocess.run(
        [*PROGRAM, "repo", "-b", f"path={repository}"],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr


def test_what_is_wrong_with_the_task_is_said(terminal):
    played = terminal("nightmares/nope")
    assert played.end() == 2
    assert "nope" in played.text
