import codecs
import sys

import pytest

from debug_gym.task import Environment

FIVE = "one\ntwo\nthree\nfour\nfive\n"


@pytest.fixture(scope="module")
def session(make_shared_session):
    session = make_shared_session({"a.txt": FIVE, "src/b.py": "x = 1\n"})
    session.sandbox.exec("ln -s /tmp/escaped out; ln -s /tmp outdir; ln -s a.txt in; mkfifo pipe")
    return session


@pytest.fixture
def edit(call, session):
    """Rewrite a file that first gets this content; return what came back and what the file holds then."""

    def edit(before, *, path="file.txt", **arguments):
        if before is not None:
            session.sandbox.write(path, before.encode() if isinstance(before, str) else before)
        seen = call(session, "rewrite", path=path, **arguments)
        return seen, session.sandbox.read(path)

    return edit


@pytest.mark.parametrize(
    ("arguments", "after"),
    [
        ({"start": 2, "content": "TWO"}, "one\nTWO\nthree\nfour\nfive\n"),
        ({"start": 2, "content": "TWO\n"}, "one\nTWO\nthree\nfour\nfive\n"),
        ({"start": 2, "end": 2, "content": "a\nb\nc"}, "one\na\nb\nc\nthree\nfour\nfive\n"),
        ({"start": 2, "end": 4, "content": "x\n"}, "one\nx\nfive\n"),
        ({"start": 1, "end": 5, "content": "all"}, "all\n"),
        ({"start": 5, "content": "FIVE"}, "one\ntwo\nthree\nfour\nFIVE\n"),
        ({"start": 4, "end": 99, "content": "end"}, "one\ntwo\nthree\nend\n"),
        ({"start": 6, "content": "six"}, FIVE + "six\n"),
        ({"start": 6, "end": 6, "content": "six\nseven\n"}, FIVE + "six\nseven\n"),
        ({"start": 2, "end": 3, "content": ""}, "one\nfour\nfive\n"),
        ({"start": 5, "content": ""}, "one\ntwo\nthree\nfour\n"),
        ({"start": 2, "content": "\n"}, "one\n\nthree\nfour\nfive\n"),
        ({"start": 2, "content": "  two"}, "one\n  two\nthree\nfour\nfive\n"),
        ({"start": 2, "content": "zwei\r\n"}, "one\nzwei\nthree\nfour\nfive\n"),
        ({"content": "new\n"}, "new\n"),
        ({"content": "new"}, "new\n"),
        ({"content": ""}, ""),
    ],
)
def test_lines_are_replaced(edit, arguments, after):
    seen, held = edit(FIVE, **arguments)
    assert held.decode() == after
    assert not seen.error


@pytest.mark.parametrize(
    ("before", "arguments", "after"),
    [
        ("one\ntwo", {"start": 1, "content": "ONE"}, "ONE\ntwo"),
        ("one\ntwo", {"start": 2, "content": "TWO"}, "one\nTWO"),
        ("one\ntwo", {"start": 2, "content": "TWO\n"}, "one\nTWO\n"),
        ("one\ntwo", {"start": 3, "content": "three"}, "one\ntwo\nthree"),
        ("one\ntwo", {"content": "all"}, "all"),
        ("", {"start": 1, "content": "first"}, "first\n"),
        ("", {"content": "first"}, "first\n"),
        ("one\r\ntwo\r\n", {"start": 2, "content": "TWO"}, "one\r\nTWO\r\n"),
        ("one\r\ntwo\r\n", {"start": 3, "content": "3\n4"}, "one\r\ntwo\r\n3\r\n4\r\n"),
        ("one\r\ntwo\r\n", {"content": "a\r\nb\n"}, "a\r\nb\r\n"),
        ("one\r\ntwo\nthree\n", {"start": 2, "content": "TWO"}, "one\r\nTWO\r\nthree\n"),
        ("a\fb\nc\u2028d\ne\n", {"start": 2, "content": "C"}, "a\fb\nC\ne\n"),
    ],
)
def test_line_ends_are_kept(edit, before, arguments, after):
    _, held = edit(before, **arguments)
    assert held.decode() == after


def test_the_encoding_and_bom_are_kept(edit):
    source = b"# coding: latin-1\nname = '\xe9'\n"
    assert edit(source, path="latin.py", start=2, content="name = 'ü'")[1] == source.replace(b"\xe9", b"\xfc")
    assert edit(codecs.BOM_UTF8 + b"x\n", start=1, content="é")[1] == codecs.BOM_UTF8 + "é\n".encode()
    assert edit(b"caf\xe9\nx\n", start=2, content="y")[1] == b"caf\xe9\ny\n"


def test_a_character_that_the_encoding_lacks_changes_nothing(edit):
    source = b"# coding: latin-1\nname = '\xe9'\n"
    seen, held = edit(source, path="latin.py", start=2, content="name = '漢'")
    assert seen.error
    assert "latin.py is encoded as iso-8859-1, which has no '\\u6f22'" in seen.text
    assert held == source


def test_the_mode_is_kept(call, session):
    session.sandbox.write("run.sh", b"#!/bin/sh\n", mode=0o755)
    call(session, "rewrite", path="run.sh", content="#!/bin/bash\n")
    assert session.sandbox.exec(["stat", "-c", "%a", "run.sh"]).output == "755\n"


def test_a_new_file_in_new_folders(call, session):
    seen = call(session, "rewrite", path="new/deep/c.py", content="x = 1")
    assert session.sandbox.read("new/deep/c.py") == b"x = 1\n"
    assert seen.text == (
        "new/deep/c.py: created, 1 line added, 0 removed\n"
        "--- /dev/null\n+++ b/new/deep/c.py\n@@ -0,0 +1 @@\n+x = 1"
    )


def test_absolute_path_and_link(call, session):
    session.sandbox.write("a.txt", FIVE.encode())
    seen = call(session, "rewrite", path="/workspace/a.txt", start=1, content="1")
    assert seen.data["path"] == "a.txt"
    call(session, "rewrite", path="in", start=2, content="2")
    assert session.sandbox.read("a.txt") == b"1\n2\nthree\nfour\nfive\n"


def test_the_answer_is_an_exact_diff(edit):
    seen, _ = edit(FIVE, path="a.txt", start=3, content="THREE")
    diff = "--- a/a.txt\n+++ b/a.txt\n@@ -1,5 +1,5 @@\n one\n two\n-three\n+THREE\n four\n five\n"
    assert seen.data == {"path": "a.txt", "diff": diff, "syntax_error": ""}
    assert seen.text.startswith("a.txt: changed, 1 line added, 1 removed\n" + diff)


def test_nothing_changes(edit):
    seen, held = edit(FIVE, path="a.txt", start=3, content="three")
    assert seen.text == "a.txt: nothing changed, the new text is equal to the old one"
    assert seen.data["diff"] == ""
    assert not seen.error
    assert held == FIVE.encode()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": 0}, "start is 0, but lines are counted from 1"),
        ({"start": -1}, "start is -1, but lines are counted from 1"),
        ({"start": 3, "end": 2}, "end is 2, which lies before start, 3"),
        ({"start": 7}, "start is 7, but a.txt has only 5 lines; 6 would append"),
        ({"end": 2}, "end needs a start"),
        ({"path": ""}, "path is empty"),
        ({"path": " "}, "path is empty"),
        ({"path": "src"}, "src is a folder"),
        ({"path": "."}, ". is a folder"),
        ({"path": "b.py", "start": 1}, "there is no file b.py; did you mean src/b.py?"),
        ({"path": "../x.py"}, "../x.py: the path leads out of the workspace"),
        ({"path": "/tmp/x.py"}, "/tmp/x.py: the path leads out of the workspace"),
        ({"path": "out"}, "out: the path leads out of the workspace"),
        ({"path": "outdir/x.py"}, "outdir/x.py: the path leads out of the workspace"),
        ({"path": "pipe"}, "pipe: "),
        ({"path": "a.txt/x.py"}, "a.txt/x.py: "),
        ({"path": "data.bin"}, "data.bin is not text"),
    ],
)
def test_what_is_refused_changes_nothing(call, session, arguments, message):
    session.sandbox.write("a.txt", FIVE.encode())
    session.sandbox.write("data.bin", b"\0")
    before = session.sandbox.changes()
    seen = call(session, "rewrite", **{"path": "a.txt", "content": "x", **arguments})
    assert seen.error
    assert seen.text.startswith(message)
    assert session.sandbox.changes() == before
    assert session.sandbox.exec("ls /tmp/x.py /tmp/escaped").exit_code != 0


def test_the_path_is_required(call, session):
    assert "path: Field required" in call(session, "rewrite", content="x").text


def test_a_syntax_error_is_reported_after_the_edit(edit):
    seen, held = edit("def f():\n    return 1\n", path="src/b.py", start=1, content="def f(:")
    assert held == b"def f(:\n    return 1\n"
    assert seen.text.endswith("[syntax error in the changed file, line 1: invalid syntax]")
    assert seen.data["syntax_error"] == "line 1: invalid syntax"
    assert not seen.error
    assert edit(None, path="src/b.py", start=1, content="def f():")[0].data["syntax_error"] == ""


@pytest.mark.parametrize(
    "source", ["x = '\\d'\n", "x = 1 is 1\n", "(" * 150 + ")" * 150 + "\n", "x = 1\n\f\ny = 2\n"]
)
def test_valid_source_that_warns_is_no_error(edit, source):
    assert edit("", path="odd.py", content=source)[0].data["syntax_error"] == ""


@pytest.mark.parametrize(
    "source", ["(" * 50_000, "-" * 100_000 + "1", "x = [\n", "# coding: klingon\n", "\0"]
)
def test_source_that_cannot_be_parsed(edit, source):
    assert edit("", path="odd.py", content=source)[0].data["syntax_error"]


def test_other_files_are_not_checked(edit):
    assert edit("", path="odd.txt", content="def f(:")[0].data["syntax_error"] == ""


def test_the_tasks_own_python_has_the_last_word_on_syntax(call, make_session):
    session = make_session({"a.py": "x = 1\n"}, environment=Environment(python=sys.executable))
    seen = call(session, "rewrite", path="a.py", content="if x\n    pass\n")
    assert seen.data["syntax_error"] == "line 1: expected ':'"


def test_files_that_do_not_count_are_named(edit):
    note = "[changes to this file are not part of the solution: it is judged without them]"
    assert note in edit("", path="tests/test_a.py", content="x = 1\n")[0].text
    assert note not in edit("", path="src/b.py", content="x = 2\n")[0].text


def test_control_characters_in_the_diff_are_visible(edit):
    seen, held = edit("", path="escape.py", content="x = '\x1b[31m'\n")
    assert "+x = '\\x1b[31m'" in seen.text
    assert held == b"x = '\x1b[31m'\n"


def test_a_long_diff_is_shown_in_part(edit):
    content = "".join(f"line {number}\n" for number in range(3000))
    seen, _ = edit("", path="many.txt", content=content)
    assert len(seen.text) < 17_000
    assert "characters cut ...]" in seen.text
    assert seen.data["diff"].count("\n+") == 3001
