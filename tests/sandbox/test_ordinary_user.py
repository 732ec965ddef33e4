"""The attacks again, started by an ordinary user: root's sandboxes are built differently (user ids, cgroups)."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
USER = 64123
"""Nobody: not even a name belongs to it."""
ATTACKS = ("test_isolation.py", "test_attacks.py", "test_escapes.py", "test_abuse.py")

BECOME_THE_USER = """
import ctypes, os, sys
from debug_gym.sandbox.server import linux

user, needed = int(sys.argv[1]), sys.argv[2].split(":")
if ctypes.CDLL(None).unshare(linux.CLONE_NEWNS):
    sys.exit("root may not mount here")
linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
shown = {path: os.open(path, os.O_PATH) for path in needed}
private = set()  # folders around them that are not for all: only what is needed is shown there
for path in shown:
    above = [path[:i] for i in range(2, len(path)) if path[i] == "/"]
    private.update([part for part in above if not os.stat(part).st_mode & 1][:1])
for folder in private:
    linux.mount("tmpfs", folder, "tmpfs", 0, "mode=755")
for path, folder in shown.items():
    if not os.path.exists(path):
        os.makedirs(path)
        linux.mount("/proc/self/fd/%d" % folder, path, None, linux.MS_BIND | linux.MS_REC)
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)
os.execv(sys.executable, [sys.executable, *sys.argv[3:]])
"""

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="the tests run as one already"),
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def as_user():
    """``as_user(*arguments)``: run this Python with these arguments as a user without any rights."""
    home = tempfile.mkdtemp()
    os.chown(home, USER, USER)
    needed = ":".join(sorted({sys.base_prefix, sys.prefix, str(ROOT)}))
    variables = {"PATH": os.defpath, "HOME": home, "TMPDIR": home, "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-c", BECOME_THE_USER, str(USER), needed, *arguments],
            cwd=ROOT,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )

    code = "from debug_gym.sandbox.namespace import NamespaceBackend as B; p = B().probe(); exit(not p.works and p.detail)"
    tried = run("-c", code)
    if tried.returncode:
        pytest.skip(f"an ordinary user has no sandboxes here: {tried.stderr}")
    yield run
    shutil.rmtree(home)


def test_the_walls_hold_for_an_ordinary_user_too(as_user):
    files = [str(Path(__file__).with_name(name)) for name in ATTACKS]
    done = as_user("-m", "pytest", "-q", "-p", "no:cacheprovider", *files)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
