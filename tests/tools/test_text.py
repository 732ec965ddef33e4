import codecs

import pytest

from debug_gym.tools.base import ToolError
from debug_gym.tools.printable import one_line, printable
from debug_gym.tools.text import TextFile, clip, read_text, relative, scrub, split_lines


@pytest.fixture(scope="module")
def session(make_shared_session):
    return make_shared_session({"src/a.py": "x = 1\n"})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("naïve — 漢字 🐍", "naïve — 漢字 🐍"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("50%\r100%\r\n", "50%\\r100%\\r\n"),
        ("\x00\x08\x7f\x9b", "\\x00\\x08\\x7f\\x9b"),
        ("a\u202eb\u2066c\u2028d", "a\\u202eb\\u2066c\\u2028d"),
        ("\udc80", "\\udc80"),
        ("a\u200b\ufeff\xad\u2060b", "a\\u200b\\ufeff\\xad\\u2060b"),
        ("".join(chr(0xE0000 + ord(letter)) for letter in "hi"), "\\U000e0068\\U000e0069"),
        ("\u200c\u200d\u200c\u200c", "\\u200c\\u200d\\u200c\\u200c"),
        (
            "\U0001f469\u200d\U0001f52c \u2764\ufe0f\u200d\U0001f525",
            "\U0001f469\u200d\U0001f52c \u2764\ufe0f\u200d\U0001f525",
        ),
    ],
)
def test_control_characters_become_visible(text, shown):
    assert printable(text) == shown
    printable(text).encode()


def test_a_name_stays_on_one_line():
    assert one_line("a\nb.py\x1b") == "a\\nb.py\\x1b"


def test_clip_keeps_whole_lines_of_both_ends():
    text = "".join(f"line {number}\n" for number in range(1000))
    short = clip(text, 200)
    assert short.startswith("line 0\nline 1\n")
    assert short.endswith("line 998\nline 999\n")
    cut = next(line for line in short.split("\n") if line.startswith("[..."))
    kept = short.replace(cut + "\n", "")
    assert cut == f"[... {len(text) - len(kept)} characters cut ...]"
    assert len(kept) <= 200
    assert clip(text, len(text)) == text


def test_clip_of_one_long_line():
    assert clip("x" * 1000, 100) == "x" * 50 + "\n[... 900 characters cut ...]\n" + "x" * 50


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("=== 1 failed, 2 passed in 0.03s ===", "===== 1 failed, 2 passed ====="),
        ("= 1 failed, 99 passed in 65.31s (0:01:05) =", "===== 1 failed, 99 passed ====="),
        ("====== no tests ran in 0.01s ======", "===== no tests ran ====="),
        ("==== 1 passed, 2 warnings in 12.34s ====", "===== 1 passed, 2 warnings ====="),
        ("2 passed in 0.01s", "2 passed"),
        (
            r"\x1b[32m==== \x1b[1m1 passed\x1b[0m in 0.01s\x1b[0m ==",
            r"\x1b[32m===== \x1b[1m1 passed\x1b[0m\x1b[0m =====",
        ),
        ("0.02s call     test_a.py::test_b", "call     test_a.py::test_b"),
        ("open('/tmp/pytest-of-agent/pytest-12/test_x0/f')", "open('/tmp/.../test_x0/f')"),
        ("FAILED t.py - '/tmp/pytest-of-agent/pytest-1...", "FAILED t.py - '/tmp/..."),
        ("/tmp/tmpab_3x9qz/data.db", "/tmp/.../data.db"),
        (
            "assert <A at 0x7f01> == <A at 0x7f02> or <A at 0x7f01>",
            "assert <A at 0x1> == <A at 0x2> or <A at 0x1>",
        ),
        ("- <Mock id='140234567890'>", "- <Mock id='0x1'>"),
        ("Thread 0x00007f12 (most recent call first)", "Thread 0x1 (most recent call first)"),
        ("assert <A object at 0x7f0...", "assert <A object at 0x..."),
    ],
)
def test_scrub_removes_what_differs_between_runs(text, clean):
    assert scrub(f"before\n{text}\nafter") == f"before\n{clean}\nafter"


@pytest.mark.parametrize(
    "text", ["assert 0xdeadbeef == 1", "it took 0.03s", "x = 1 == 2", "/tmp/tmp", "in 0.5s passed", "======"]
)
def test_scrub_leaves_the_rest(text):
    assert scrub(text) == text


def test_scrub_is_quick_on_hostile_text():
    scrub("passed " * 20_000 + "=" * 20_000 + " at 0x" * 20_000)


def test_lines_split_as_python_splits_source():
    assert split_lines("a\fb\u2028c\nd\r\ne\rf") == ["a\fb\u2028c\n", "d\r\n", "e\r", "f"]
    assert split_lines("") == []
    assert split_lines("\n\n") == ["\n", "\n"]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("src/a.py", "src/a.py"),
        ("./src//a.py", "src/a.py"),
        ("/workspace/src/a.py", "src/a.py"),
        ("src/../src/a.py", "src/a.py"),
        (".", "."),
        ("/workspace/", "."),
        ("/etc/passwd", "/etc/passwd"),
        ("/workspaces/a.py", "/workspaces/a.py"),
    ],
)
def test_relative_path(session, path, shown):
    assert relative(session, path) == shown


@pytest.mark.parametrize(
    ("name", "data", "encoding", "text"),
    [
        ("plain.py", b"x = 1\n", "utf-8", "x = 1\n"),
        ("utf.py", "x = 'é'\n".encode(), "utf-8", "x = 'é'\n"),
        ("bom.py", codecs.BOM_UTF8 + b"x = 1\n", "utf-8", "x = 1\n"),
        ("latin.py", b"# coding: latin-1\nx = '\xe9'\n", "iso-8859-1", "# coding: latin-1\nx = 'é'\n"),
        (
            "koi.py",
            b"# -*- coding: koi8-r -*-\nx = '\xc1'\n",
            "koi8-r",
            "# -*- coding: koi8-r -*-\nx = '\u0430'\n",
        ),
        ("broken.py", b"x = '\xff'\n", "latin-1", "x = 'ÿ'\n"),
        ("note.txt", b"caf\xe9\n", "latin-1", "café\n"),
        ("declared.txt", "# coding: latin-1 é\n".encode(), "utf-8", "# coding: latin-1 é\n"),
        ("unknown.py", b"# coding: klingon\nx = 1\n", "utf-8", "# coding: klingon\nx = 1\n"),
        ("rot.py", b"# coding: rot13\nk = 1\n", "utf-8", "# coding: rot13\nk = 1\n"),
        ("slow.py", b"# coding: punycode\nx = 1\n", "utf-8", "# coding: punycode\nx = 1\n"),
        ("crlf.py", b"x = 1\r\ny = 2\r\n", "utf-8", "x = 1\r\ny = 2\r\n"),
        ("empty.py", b"", "utf-8", ""),
    ],
)
def test_files_are_decoded_and_encoded_exactly(session, name, data, encoding, text):
    session.sandbox.write(name, data)
    file = read_text(session, name)
    assert (file.text, file.encoding) == (text, encoding)
    assert file.encode() == data


def test_a_source_that_changes_its_declaration_is_encoded_as_it_says():
    file = TextFile("a.py", "# coding: latin-1\nx = 'é'\n", encoding="iso-8859-1")
    assert file.encode() == b"# coding: latin-1\nx = '\xe9'\n"
    assert file.with_text("x = 'é'\n").encode() == "x = 'é'\n".encode()


def test_a_character_that_the_encoding_lacks():
    with pytest.raises(ToolError, match=r"a\.py is encoded as iso-8859-1, which has no '\\u0142'"):
        TextFile("a.py", "# coding: latin-1\nx = 'ł'\n", encoding="iso-8859-1").encode()
