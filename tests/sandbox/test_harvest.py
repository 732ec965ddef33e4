"""Harvest over the channel: what a runtime packs, and what it could pack if it were not ours."""

import contextlib
import io
import tarfile

import pytest

from debug_gym.episode import ToolCall
from debug_gym.errors import ProtocolError, SandboxDiedError, SandboxUnavailableError
from debug_gym.judge import judge
from debug_gym.sandbox import Changes, FileEntry
from debug_gym.sandbox.harvest import RuntimeHarvest
from debug_gym.task import Tests
from debug_gym.tools.base import Toolbox
from debug_gym.tools.branch import Branch

FILES = {
    "calc.py": "def double(x):\n    return x + 2\n",
    "tests/test_calc.py": "from calc import double\ndef test_two(): assert double(2) == 4\n",
}
TESTS = Tests(fail_to_pass=("tests/test_calc.py::test_two",), timeout=10)


def test_the_judge_on_a_backend_over_pipes(over_pipes, make_task):
    task = make_task(FILES, tests=TESTS)
    with over_pipes.start(task) as sandbox:
        before = sandbox.changes()
        sandbox.exec("sed -i 's/x + 2/x * 2/' calc.py")
        after = sandbox.changes()
    with pytest.raises(SandboxUnavailableError):
        judge(task, after, over_pipes)
    assert judge(task, after, over_pipes, allow_unsafe=True).resolved
    assert not before.paths


def test_names_that_are_not_unicode_and_files_that_cannot_be_read(over_pipes, make_task):
    with over_pipes.start(make_task(FILES)) as sandbox:
        sandbox.exec(
            "printf x > $'caf\\xe9'; printf y > ünï; mkfifo pipe; ln -s /etc/passwd link; mkdir -p deep/er; "
            "truncate -s 9M large; printf '\\0\\xff' > bytes; echo z > .git/own"
        )
        changes = sandbox.changes()
        everything = sandbox.snapshot().changes
    assert changes.files == {
        "ünï": FileEntry(b"y"),
        "bytes": FileEntry(b"\0\xff"),
        "link": FileEntry(link="/etc/passwd"),
    }
    assert changes.empty == ("deep/er",)
    assert changes.skipped == (
        "caf\\xe9: its name is not valid UTF-8",
        "large: too large (9437184 bytes)",
        "pipe: not a regular file",
    )
    assert everything.files["caf\udce9"].data == b"x"
    assert everything.files[".git/own"].data == b"z\n"


def test_a_change_right_after_the_start_that_keeps_size_and_times(over_pipes, make_task):
    with over_pipes.start(make_task(FILES)) as sandbox:
        sandbox.exec(
            "touch -r calc.py /tmp/$$; sed -i 's/x + 2/x - 2/' calc.py; touch -r /tmp/$$ calc.py; rm /tmp/$$"
        )
        assert sandbox.changes().paths == ("calc.py",)


def test_a_dead_runtime_has_no_answer(over_pipes, make_task):
    with over_pipes.start(make_task(FILES)) as sandbox:
        sandbox.connection.fail("it was killed")
        with pytest.raises(SandboxDiedError, match="it was killed"):
            sandbox.changes()


def test_an_episode_goes_on_after_a_death_that_took_the_files(over_pipes, make_task):
    branch = Branch.start(make_task(FILES), Toolbox(["bash"]), over_pipes)
    with contextlib.closing(branch):
        branch.session.sandbox.connection.fail("it was killed")
        call = ToolCall(name="bash", arguments={"command": "ls tests"})
        assert "your changes are lost: it was killed" in branch.call(call).text
        assert branch.call(call).text == "__pycache__\ntest_calc.py"


# -- what is not ours ------------------------------------------------------------------------------


class Answers:
    """A connection to a runtime that answers anything with this."""

    def __init__(self, reply, blob):
        self.answer = reply, blob

    def request(self, op, *, within, **arguments):
        return self.answer

    def checked(self, parse, reply):
        return parse(reply)


NOTHING = {"deleted": [], "empty": [], "skipped": []}


def archive(*members):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, fields, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            for field, value in fields.items():
                setattr(member, field, value)
            tar.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def harvested(blob=b"", folders=(), **reply):
    harvest = RuntimeHarvest(Answers({**NOTHING, **reply}, blob or archive()), folders)
    return harvest.scratch() if folders else harvest.changes(False)


def test_what_may_come():
    blob = archive(
        ("a.py", {"mode": 0o100755}, b"x"), ("pkg/l", {"type": tarfile.SYMTYPE, "linkname": "../.."}, b"")
    )
    assert harvested(
        blob, deleted=["b.py", "a.py"], empty=["new"], skipped=["p: not a regular file"]
    ) == Changes(
        files={"a.py": FileEntry(b"x", 0o755), "pkg/l": FileEntry(link="../..")},
        deleted=("b.py",),
        empty=("new",),
        skipped=("p: not a regular file",),
    )
    assert harvested(archive(("/tmp/a/b", {}, b"x")), ["/tmp"]).files == {"/tmp/a/b": FileEntry(b"x")}


LONG = "/".join(["d" * 200] * 30)
BAD_PATHS = [
    "/etc/passwd",
    "../x",
    "a/../x",
    "a//b",
    "./a",
    "",
    ".git/config",
    "a/__pycache__/x",
    LONG,
    "a/" * 60 + "b",
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_paths_that_lead_elsewhere(path):
    with pytest.raises(ProtocolError):
        harvested(archive((path, {}, b"x")))
    for name in ("deleted", "empty"):
        with pytest.raises(ProtocolError):
            harvested(**{name: [path]})


@pytest.mark.parametrize("path", ["a", "/tmp", "/tmpfile", "/tmp/../etc/x", "/home/x"])
def test_scratch_paths_that_lead_elsewhere(path):
    with pytest.raises(ProtocolError):
        harvested(archive((path, {}, b"x")), ["/tmp"])


SPARSE = {"pax_headers": {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(1 << 40), "GNU.sparse.major": "0"}}


@pytest.mark.parametrize(
    "blob",
    [
        b"x" * 1024,
        archive(("a", {}, b"x" * 2000))[:1500],
        archive(("a", {}, b"x"), ("a", {}, b"y")),
        archive(("a", {}, b"x"), ("a/b", {}, b"y")),
        archive(("a/b", {"type": tarfile.SYMTYPE, "linkname": "/"}, b""), ("a/b/c", {}, b"y")),
        archive(("a", {"type": tarfile.LNKTYPE, "linkname": "b"}, b"")),
        archive(("a", {"type": tarfile.CHRTYPE}, b"")),
        archive(("a", {"type": tarfile.DIRTYPE}, b"")),
        archive(("a", SPARSE, b"x")),
        archive(("a", {}, bytes((8 << 20) + 1))),
        archive(*((f"f{number}", {}, b"") for number in range(20_001))),
        archive(*((f"f{number}", {}, bytes(8 << 20)) for number in range(10))),
    ],
    ids=lambda blob: str(len(blob)),
)
def test_archives_that_are_none_of_ours(blob):
    with pytest.raises(ProtocolError):
        harvested(blob)


@pytest.mark.parametrize(
    "reply",
    [
        {"deleted": "a"},
        {"deleted": [5]},
        {"deleted": ["\ud800"]},
        {"skipped": ["\ud800"]},
        {"more": 1},
        {"skipped": ["x"] * 2000},
        {"empty": ["e"] * 20_001},
    ],
)
def test_replies_that_are_none_of_ours(reply):
    with pytest.raises(ProtocolError):
        harvested(**reply)
