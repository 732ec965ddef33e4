import pytest

SOURCE = """\
def area(width, height):
    return width + height


def volume(width, height, depth):
    base = area(width, height)
    return base + depth
"""


@pytest.fixture(scope="module")
def session(make_shared_session):
    session = make_shared_session({"src/shapes.py": SOURCE})
    session.sandbox.exec("ln -s /tmp/escaped out")
    return session


@pytest.fixture
def edit(call, session):
    def edit(before, old, new, path="src/shapes.py"):
        session.sandbox.write(path, before.encode() if isinstance(before, str) else before)
        seen = call(session, "replace", path=path, old=old, new=new)
        return seen, session.sandbox.read(path)

    return edit


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("width + height", "width * height"),
        ("    return base + depth\n", "    return base * depth\n"),
        ("    return width + height\n\n\ndef volume", "    return width * height\n\n\ndef solid"),
        ("def volume(width, height, depth):\n", ""),
        (SOURCE, "x = 1\n"),
        ("return base + depth\n", "return base + depth"),
    ],
)
def test_one_piece_is_replaced(edit, old, new):
    seen, held = edit(SOURCE, old, new)
    assert held.decode() == SOURCE.replace(old, new)
    assert not seen.error


def test_the_answer_is_a_diff(edit):
    seen, _ = edit(SOURCE, "base + depth", "base * depth")
    assert seen.text == (
        "src/shapes.py: changed, 1 line added, 1 removed\n"
        "--- a/src/shapes.py\n+++ b/src/shapes.py\n@@ -4,4 +4,4 @@\n \n"
        " def volume(width, height, depth):\n     base = area(width, height)\n"
        "-    return base + depth\n+    return base * depth"
    )
    assert seen.data["diff"].endswith("+    return base * depth\n")


def test_syntax_errors_are_reported(edit):
    seen, _ = edit(SOURCE, "def area(width, height):", "def area(width, height:")
    assert seen.data["syntax_error"].startswith("line 1: ")
    assert "[syntax error in the changed file, line 1: " in seen.text


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        (b"a\r\nb\r\nc\r\n", "a\nb\n", "1\n2\n", b"1\r\n2\r\nc\r\n"),
        (b"a\r\nb\r\nc\r\n", "a\r\nb", "1\r\n2", b"1\r\n2\r\nc\r\n"),
        (b"a\r\nb\r\nc\r\n", "b", "b\nb2", b"a\r\nb\r\nb2\r\nc\r\n"),
        (b"a\nb\n", "a\r\nb", "1\n2", b"1\n2\n"),
        (b"a\r\nb\nc\n", "b\nc", "1\n2", b"a\r\n1\n2\n"),
        (b"caf\xe9 one\n", "one", "two", b"caf\xe9 two\n"),
        ("# naïve 漢字 one\n", "漢字", "🐍", "# naïve 🐍 one\n".encode()),
    ],
)
def test_line_ends_and_encodings_are_kept(edit, before, old, new, after):
    assert edit(before, old, new, path="file.txt")[1] == after


def test_equal_texts_change_nothing(edit):
    seen, held = edit(SOURCE, "base + depth", "base + depth")
    assert seen.text == "src/shapes.py: nothing changed, the new text is equal to the old one"
    assert held == SOURCE.encode()
    assert not seen.error


@pytest.mark.parametrize(
    ("old", "message"),
    [
        ("", "old is empty: give the text to replace"),
        (
            "return",
            "src/shapes.py holds this text 2 times, at lines 2, 7: give more of the lines around ",
        ),
        ("width", "src/shapes.py holds this text 4 times, at lines 1, 2, 5, 6: "),
        (
            "def area(width, height):\n        return width + height\n",
            "src/shapes.py does not hold this text, but from line 1 on it is the same except for spaces:\n"
            "def area(width, height):\n    return width + height",
        ),
        (
            "    return bass + depth",
            "src/shapes.py does not hold this text; similar lines:\n7\t    return base + depth",
        ),
        ("class Zebra: pass", "src/shapes.py does not hold this text; view shows what it holds"),
        ("\n\n\n\n\n", "src/shapes.py does not hold this text"),
        ("DEF AREA", "src/shapes.py does not hold this text"),
    ],
)
def test_what_does_not_occur_exactly_once_is_refused(edit, old, message):
    seen, held = edit(SOURCE, old, "x")
    assert seen.error
    assert seen.text.startswith(message)
    assert held == SOURCE.encode()


def test_overlapping_places_are_all_counted(edit):
    seen, _ = edit("aaa\n", "aa", "b", path="file.txt")
    assert "holds this text 2 times, at lines 1, 1: " in seen.text


def test_many_places_are_not_all_listed(edit):
    seen, _ = edit("x\n" * 100, "x", "y", path="file.txt")
    assert "holds this text 100 times, at lines 1, 2, 3," in seen.text
    assert " 20, ...: give more" in seen.text


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("shapes.py", "there is no file shapes.py; did you mean src/shapes.py?"),
        ("src", "src is a folder"),
        ("/etc/passwd", "/etc/passwd: the path leads out of the workspace"),
        ("out", "out: the path leads out of the workspace"),
    ],
)
def test_bad_paths(call, session, path, message):
    seen = call(session, "replace", path=path, old="a", new="b")
    assert seen.error
    assert seen.text.startswith(message)
