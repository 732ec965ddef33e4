"""Mining a package's releases, from an index of our own."""

import hashlib
import io
import json
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from debug_gym.benchmarks.folder import FolderBenchmark
from debug_gym.cli import app
from debug_gym.errors import ConfigError, HostError
from debug_gym.mining.changelog import entries, story
from debug_gym.mining.index import releases, unpacked

pytestmark = pytest.mark.slow
LICENCE = "Permission is hereby granted, free of charge, to any person obtaining a copy"
CODE = "def half(x):\n    return x // 2\n\n\ndef names(text):\n    return text.split(',')\n"
NEWER = "def half(x):\n    return x / 2\n\n\ndef names(text):\n    return [part.strip() for part in text.split(',')]\n"
TESTS = """\
from tiny import half, names


def test_half(): assert half(3) == 1.5


def test_names(): assert names("a, b") == ["a", "b"]


def test_one_name(): assert names("a") == ["a"]


def test_whole(): assert half(4) == 2


def test_zero(): assert half(0) == 0
"""
UNITS = "def scaled(x):\n    return x\n\n\ndef length(x):\n    return scaled(x)\n\n\ndef width(x):\n    return scaled(x)\n"
SCALED = (
    UNITS.replace("(x):\n    return x\n", "(x, unit):\n    return x * unit\n")
    .replace("length(x):\n    return scaled(x)", "length(x):\n    return scaled(x, 2)")
    .replace("width(x):\n    return scaled(x)", "width(x):\n    return scaled(x, 3)")
)
"""What both callers pass comes with what takes it: neither alone can be taken back."""
UNIT_TESTS = """\
from units import length, width


def test_length(): assert length(1) == 2


def test_no_length(): assert length(0) == 0


def test_width(): assert width(1) == 3


def test_no_width(): assert width(0) == 0
"""
WHOLE = "from tiny import half\n\n\ndef test_whole(): assert half(6) == 3\n"
CHANGES = """\
Changes
=======

1.1
---

- Odd numbers: ``half`` no longer loses the fraction
  of the result (#7).
- Names are taken without the spaces around commas of the text.

1.0
---

- First release.
"""


def _sdist(version, files):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for path, text in files.items():
            info = tarfile.TarInfo(f"tiny-{version}/{path}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return data.getvalue()


@pytest.fixture
def index(monkeypatch):
    """An index that has five releases of a package ``tiny``, one of them yanked."""
    common = {"LICENSE": LICENCE, "tests/test_whole.py": WHOLE, "CHANGES.rst": CHANGES}
    files = {
        "tiny-0.9.tar.gz": _sdist("0.9", {**common, "tiny.py": CODE + "x = 1\n", "units.py": UNITS}),
        "tiny-1.0.tar.gz": _sdist("1.0", {**common, "tiny.py": CODE, "units.py": UNITS}),
        "tiny-1.1.tar.gz": _sdist(
            "1.1",
            {
                **common,
                "tests/test_tiny.py": TESTS,
                "tests/test_units.py": UNIT_TESTS,
                "tiny.py": NEWER,
                "units.py": SCALED,
            },
        ),
        "tiny-1.2.tar.gz": _sdist("1.2", {"LICENSE": LICENCE, "tiny.py": NEWER + "x = 1\n"}),
        "tiny-1.3.tar.gz": b"broken",
    }

    class Index(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.rpartition("/")[2]
            if self.path == "/simple/tiny/":
                listed = [
                    {
                        "filename": name,
                        "url": f"http://127.0.0.1:{self.server.server_port}/files/{name}",
                        "hashes": {"sha256": hashlib.sha256(data).hexdigest()},
                        "upload-time": "2024-01-01T00:00:00Z",
                        "yanked": name == "tiny-1.3.tar.gz",
                    }
                    for name, data in files.items()
                ]
                content = json.dumps({"files": listed}).encode()
            elif name in files:
                content = files[name]
            else:
                self.send_error(404)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    yield files
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_index_is_asked_for_releases(index, tmp_path):
    known = releases("Tiny")
    assert [release.version for release in known] == ["0.9", "1.0", "1.1", "1.2"]
    unpacked(known[2], tmp_path / "tree")
    assert (tmp_path / "tree/tiny.py").read_text() == NEWER
    index["tiny-1.0.tar.gz"] += b"!"
    with pytest.raises(HostError, match=r"tiny 1\.0 is not what the index promised"):
        unpacked(known[1], tmp_path / "other")
    with pytest.raises(ConfigError, match="the package index has no huge"):
        releases("huge")


def test_what_a_release_fixed_becomes_tasks(index, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["mine", "release-pairs", "tiny", "--python", sys.executable, "--repeats", "1", "-w", "1"]
    done = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    assert "its source distribution has no tests" in done.output
    assert "no test changed between two releases" in done.output
    tasks = list(FolderBenchmark(tmp_path / "mined/tiny-release-pairs").tasks.values())
    failing = {task.tests.fail_to_pass: task for task in tasks}
    assert failing.keys() == {("tests/test_tiny.py::test_half",), ("tests/test_tiny.py::test_names",)}
    half = failing["tests/test_tiny.py::test_half",]
    assert (
        "once it is repaired: Odd numbers: `half` no longer loses the fraction of the result.\n"
        in half.problem
    )
    assert "tests/test_whole.py::test_whole" in half.tests.pass_to_pass
    assert half.metadata["version"] == "1.1" and half.metadata["licence"] == "MIT"
    assert "strip" not in half.gold_patch and "+    return x / 2" in half.gold_patch


def test_entries_of_a_changelog(tmp_path):
    (tmp_path / "CHANGES.rst").write_text(CHANGES)
    found = entries(tmp_path, "1.1")
    assert len(found) == 2 and found[0].startswith("Odd numbers")
    assert entries(tmp_path, "1.0") == ["First release."] and entries(tmp_path, "2.0") == []
    assert "repaired: Names are taken" in story(found, "def names(text) commas").text
    assert story(found, "unrelated words").text == ""
