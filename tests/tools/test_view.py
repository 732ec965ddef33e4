import codecs

import pytest

FILES = {
    "src/shapes.py": "".join(f"line_{number} = {number}\n" for number in range(1, 21)),
    "src/long.py": "".join(f"x{number} = {number}\n" for number in range(1, 1001)),
    "src/empty.py": "",
    "unended.txt": "one\ntwo",
    "wide.txt": "a" * 700 + "\nb\n",
    "crlf.txt": b"one\r\ntwo\r\n",
    "bom.py": codecs.BOM_UTF8 + b"x = 1\n",
    "latin.py": b"# coding: latin-1\nname = '\xe9'\n",
    "note.txt": b"caf\xe9\n",
    "escape.txt": "\x1b[2Jgone\n\ttab\r\n",
    "feed.py": "a\n\fb\n\u2028c\n",
    "data.bin": b"\x00\x01\x02",
    "tests/test_shapes.py": "def test_shapes(): pass\n",
    "lone.txt": "a\rb\n",
}


@pytest.fixture(scope="module")
def session(make_shared_session):
    session = make_shared_session(FILES)
    session.sandbox.exec("ln -s /etc/passwd out; ln -s src/shapes.py in; mkfifo pipe; ln -s loop loop")
    return session


def test_the_whole_file(call, session):
    seen = call(session, "view", path="src/shapes.py")
    lines = seen.text.split("\n")
    assert lines[0] == "src/shapes.py: lines 1-20 of 20"
    assert lines[1] == "    1\tline_1 = 1"
    assert lines[20] == "   20\tline_20 = 20"
    assert len(lines) == 21
    assert seen.data == {"path": "src/shapes.py", "start": 1, "end": 20, "lines": 20}
    assert not seen.error


@pytest.mark.parametrize("path", ["./src/shapes.py", "/workspace/src/shapes.py", "src/../src/shapes.py"])
def test_other_names_of_the_same_file(call, session, path):
    assert call(session, "view", path=path) == call(session, "view", path="src/shapes.py")


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({"start": 3, "end": 5}, "3-5"),
        ({"start": 3, "end": 3}, "3-3"),
        ({"start": 18}, "18-20"),
        ({"end": 2}, "1-2"),
        ({"start": 18, "end": 999}, "18-20"),
        ({"start": 20, "end": 20}, "20-20"),
    ],
)
def test_ranges(call, session, arguments, shown):
    seen = call(session, "view", path="src/shapes.py", **arguments)
    first, last = map(int, shown.split("-"))
    header, *lines = seen.text.split("\n")
    assert header == f"src/shapes.py: lines {shown} of 20"
    assert [line.strip() for line in lines] == [f"{n}\tline_{n} = {n}" for n in range(first, last + 1)]
    assert (seen.data["start"], seen.data["end"]) == (first, last)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": 0}, "start is 0, but lines are counted from 1"),
        ({"start": -2}, "start is -2, but lines are counted from 1"),
        ({"start": 21}, "start is 21, but src/shapes.py has only 20 lines"),
        ({"start": 5, "end": 4}, "end is 4, which lies before the first line to show, 5"),
        ({"end": 0}, "end is 0, which lies before the first line to show, 1"),
        ({"start": "x"}, "start: Input should be a valid integer"),
    ],
)
def test_bad_ranges(call, session, arguments, message):
    seen = call(session, "view", path="src/shapes.py", **arguments)
    assert seen.error
    assert message in seen.text


def test_a_long_file_comes_in_parts(call, session):
    seen = call(session, "view", path="src/long.py")
    lines = seen.text.split("\n")
    assert lines[0] == "src/long.py: lines 1-400 of 1000"
    assert lines[-1] == "[more lines follow: view them with start=401]"
    after = call(session, "view", path="src/long.py", start=401)
    assert after.text.split("\n")[1] == "   401\tx401 = 401"
    assert after.data["end"] == 800
    whole = call(session, "view", path="src/long.py", start=1, end=1000)
    assert whole.data["end"] == 1000
    assert "more lines" not in whole.text


def test_a_part_that_was_asked_for_has_no_notice(call, session):
    assert "more lines" not in call(session, "view", path="src/long.py", start=10, end=12).text


def test_a_long_line_is_cut_unless_it_is_alone(call, session):
    seen = call(session, "view", path="wide.txt").text
    assert f"{'a' * 500} [... 200 more characters; view this line alone to see them]\n" in seen
    assert call(session, "view", path="wide.txt", start=1, end=1).text.endswith("a" * 700)


def test_many_long_lines_are_bounded(call, make_session):
    session = make_session({"wide.txt": ("y" * 490 + "\n") * 400})
    seen = call(session, "view", path="wide.txt")
    assert len(seen.text) < 61_000
    assert seen.text.endswith(f"[more lines follow: view them with start={seen.data['end'] + 1}]")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/empty.py", "src/empty.py: the file is empty"),
        ("unended.txt", "unended.txt: lines 1-2 of 2\n   1\tone\n   2\ttwo"),
        ("crlf.txt", "crlf.txt: lines 1-2 of 2 (CRLF line ends)\n   1\tone\n   2\ttwo"),
        ("bom.py", "bom.py: lines 1-1 of 1 (BOM)\n   1\tx = 1"),
        ("latin.py", "latin.py: lines 1-2 of 2 (iso-8859-1)\n   1\t# coding: latin-1\n   2\tname = 'é'"),
        ("note.txt", "note.txt: lines 1-1 of 1 (not UTF-8, shown as latin-1)\n   1\tcafé"),
        ("escape.txt", "escape.txt: lines 1-2 of 2\n   1\t\\x1b[2Jgone\n   2\t\ttab"),
        ("feed.py", "feed.py: lines 1-3 of 3\n   1\ta\n   2\t\\x0cb\n   3\t\\u2028c"),
        ("lone.txt", "lone.txt: lines 1-2 of 2\n   1\ta\n   2\tb"),
        ("in", "in: lines 1-20 of 20"),
    ],
)
def test_kinds_of_files(call, session, path, text):
    seen = call(session, "view", path=path)
    assert seen.text.startswith(text)
    assert not seen.error


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("src", "src is a folder; listdir shows what is in it"),
        (".", ". is a folder; listdir shows what is in it"),
        ("data.bin", "data.bin is not text: it holds NUL bytes (3 bytes in all)"),
        ("shapes.py", "there is no file shapes.py; did you mean src/shapes.py?"),
        ("src/shape.py", "there is no file src/shape.py; did you mean src/shapes.py"),
        ("/workspace/src/shape.py", "there is no file src/shape.py; did you mean src/shapes.py"),
        ("src/shapes.py/x", "there is no file src/shapes.py/x"),
        ("zzzzzz", "there is no file zzzzzz; listdir shows what there is"),
        ("no\x1bsuch", "there is no file no\\x1bsuch"),
        ("/etc/passwd", "/etc/passwd: the path leads out of the workspace"),
        ("../workspace2/a", "../workspace2/a: the path leads out of the workspace"),
        ("out", "out: the path leads out of the workspace"),
        ("pipe", "pipe: is not a regular file"),
        ("a\0b", "a path cannot hold a NUL character"),
    ],
)
def test_what_cannot_be_viewed(call, session, path, message):
    seen = call(session, "view", path=path)
    assert seen.error
    assert seen.text.startswith(message)


def test_a_link_to_itself(call, session):
    assert call(session, "view", path="loop").error


def test_it_shows_the_file_as_it_is_now(call, make_session):
    session = make_session({"a.py": "old\n"})
    call(session, "view", path="a.py")
    session.sandbox.shell("echo new > a.py")
    assert call(session, "view", path="a.py").text.endswith("new")


class Points:
    """Keeps breakpoints as the debugger's tool does in ``session.state``."""

    def __init__(self, **lines):
        self.known = lines

    def lines(self, path, text=None):
        return self.known.get(path.replace("/", "_").removesuffix(".py"), set())


def test_breakpoints_are_marked(call, make_session):
    session = make_session({"src/a.py": "x = 1\ny = 2\nz = 3\n", "src/b.py": "x = 1\n"})
    session.state["pdb"] = Points(src_a={2, 3, 99})
    for path in ("src/a.py", "./src/a.py", "/workspace/src/a.py"):
        seen = call(session, "view", path=path)
        assert seen.text.split("\n")[1:] == ["   1\tx = 1", "B> 2\ty = 2", "B> 3\tz = 3"]
    assert "B>" not in call(session, "view", path="src/b.py").text
