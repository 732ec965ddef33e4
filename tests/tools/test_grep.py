import time

import pytest

from debug_gym.tools.grep import LARGE

FILES = {
    "README.md": "# Shapes\nArea of a circle.\n",
    "a.py": "import math\n\n\ndef area(radius):\n    return math.pi * radius\n",
    "a/inner.py": "AREA = 'größe 漢字'\n",
    "src/shapes/circle.py": "class Circle:\n    def area(self):\n        return 0\n",
    "src/shapes/circle.txt": "area\n",
    "src/crlf.py": b"area = 1\r\nend = 2\r\n",
    "src/bom.py": b"\xef\xbb\xbfarea_with_bom = 1\n",
    "src/latin.txt": b"area caf\xe9\n",
    "src/[odd]/x.py": "area_in_odd = 1\n",
    "src/wide.txt": "area " + "x" * 1000 + "\nlast",
    "src/escape.txt": "area \x1b[31m\n",
    "data.bin": b"area\0area\n",
    ".hidden.py": "area_hidden = 1\n",
    ".config/x.py": "area_hidden = 1\n",
    "pkg/__pycache__/x.py": "area_cached = 1\n",
    "slow.txt": "a" * 40 + "!\n",
    "blank.txt": "\n\nx\n",
}

CIRCLE = "src/shapes/circle.py:2:     def area(self):"
MORE = "[only the first 2 matches: narrow the pattern, the path or the glob]"


def small(make):
    return make(FILES)


def large(make):
    session = make({**FILES, **{f"zz/f{number}.txt": "" for number in range(LARGE)}})
    if session.sandbox.exec("command -v rg").exit_code != 0:
        pytest.skip("ripgrep is not installed")
    return session


@pytest.fixture(scope="module", params=[small, large], ids=["runtime", "ripgrep"])
def session(request, make_shared_session):
    session = request.param(make_shared_session)
    session.sandbox.exec("ln -s /etc/passwd out; ln -s a.py in.py; mkfifo pipe; mkdir shut; chmod 0 shut")
    return session


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ({"pattern": "def area"}, ["a.py:4: def area(radius):", CIRCLE]),
        ({"pattern": r"^def\s+\w+"}, ["a.py:4: def area(radius):"]),
        ({"pattern": "radius$"}, ["a.py:5:     return math.pi * radius"]),
        ({"pattern": "shapes"}, []),
        ({"pattern": "shapes", "ignore_case": True}, ["README.md:1: # Shapes"]),
        ({"pattern": "area", "path": "a.py"}, ["a.py:4: def area(radius):"]),
        ({"pattern": "area", "path": "./a.py"}, ["a.py:4: def area(radius):"]),
        ({"pattern": "area", "path": "in.py"}, ["a.py:4: def area(radius):"]),
        ({"pattern": "Circle", "path": "src"}, ["src/shapes/circle.py:1: class Circle:"]),
        ({"pattern": "Circle", "path": "/workspace/src/"}, ["src/shapes/circle.py:1: class Circle:"]),
        ({"pattern": "GRÖSSE|größe"}, ["a/inner.py:1: AREA = 'größe 漢字'"]),
        ({"pattern": "GRÖßE", "ignore_case": True}, ["a/inner.py:1: AREA = 'größe 漢字'"]),
        ({"pattern": "漢."}, ["a/inner.py:1: AREA = 'größe 漢字'"]),
        ({"pattern": "end = 2$"}, ["src/crlf.py:2: end = 2"]),
        ({"pattern": "^area_with"}, ["src/bom.py:1: area_with_bom = 1"]),
        ({"pattern": "^area caf"}, ["src/latin.txt:1: area caf\ufffd"]),
        ({"pattern": "^area x"}, ["src/wide.txt:1: area " + "x" * 295 + " [...]"]),
        ({"pattern": "^last"}, ["src/wide.txt:2: last"]),
        ({"pattern": "31m"}, ["src/escape.txt:1: area \\x1b[31m"]),
        ({"pattern": "area_hidden"}, []),
        ({"pattern": "area_hidden", "path": ".hidden.py"}, [".hidden.py:1: area_hidden = 1"]),
        ({"pattern": "area_hidden", "path": ".config"}, [".config/x.py:1: area_hidden = 1"]),
        ({"pattern": "area_cached"}, []),
        ({"pattern": "area", "path": "data.bin"}, []),
        ({"pattern": "area(?=_in)"}, ["src/[odd]/x.py:1: area_in_odd = 1"]),
        ({"pattern": r"(\w)\1dius"}, []),
        ({"pattern": "-e"}, []),
        ({"pattern": "'; touch /tmp/harmed; '"}, []),
        ({"pattern": "^$", "path": "blank.txt"}, ["blank.txt:1: ", "blank.txt:2: "]),
        ({"pattern": "def area", "glob": "*.py"}, ["a.py:4: def area(radius):", CIRCLE]),
        ({"pattern": "area", "glob": "*.md"}, []),
        ({"pattern": "area", "glob": "circle.*"}, [CIRCLE, "src/shapes/circle.txt:1: area"]),
        ({"pattern": "area", "glob": "circle.txt"}, ["src/shapes/circle.txt:1: area"]),
        (
            {"pattern": "area", "path": "src", "glob": "*.py"},
            [
                "src/[odd]/x.py:1: area_in_odd = 1",
                "src/bom.py:1: area_with_bom = 1",
                "src/crlf.py:1: area = 1",
                CIRCLE,
            ],
        ),
        ({"pattern": "area", "path": "src", "glob": "shapes/*.txt"}, ["src/shapes/circle.txt:1: area"]),
        (
            {"pattern": "area", "glob": "src/**/*.txt", "limit": 2},
            ["src/escape.txt:1: area \\x1b[31m", "src/latin.txt:1: area caf\ufffd", MORE],
        ),
        ({"pattern": "area", "path": "src/[odd]", "glob": "[!y].py"}, ["src/[odd]/x.py:1: area_in_odd = 1"]),
        ({"pattern": "area", "path": "a.py", "glob": "*.md"}, ["a.py:4: def area(radius):"]),
    ],
)
def test_matches(call, session, arguments, lines):
    seen = call(session, "grep", **arguments)
    assert seen.text.split("\n") == (lines or [f"no match for {arguments['pattern']}"])
    assert not seen.error


def test_sorted_by_path_and_line(call, session):
    matches = call(session, "grep", pattern="a").data["matches"]
    places = [(path.split("/"), line) for path, line, _ in matches]
    assert places == sorted(places)
    assert len(places) > 10


def test_the_data(call, session):
    seen = call(session, "grep", pattern="return", path="a.py")
    assert seen.data == {"matches": [["a.py", 5, "    return math.pi * radius"]], "truncated": False}


def test_the_limit_is_said(call, session):
    seen = call(session, "grep", pattern="a", limit=3)
    assert len(seen.data["matches"]) == 3
    assert seen.data["truncated"]
    assert seen.text.endswith("\n[only the first 3 matches: narrow the pattern, the path or the glob]")
    exact = call(session, "grep", pattern="def area", limit=2)
    assert not exact.data["truncated"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pattern": ""}, "pattern is empty"),
        ({"pattern": "("}, "bad regular expression: missing ), unterminated subpattern at position 0"),
        ({"pattern": "a" + "(" * 5000}, "bad regular expression: "),
        ({"pattern": "a\nb"}, "pattern holds a line break, but files are searched line by line"),
        ({"pattern": "x", "path": "nope"}, "there is no file or folder nope; listdir shows what there is"),
        ({"pattern": "x", "path": "shapes"}, "there is no file or folder shapes; did you mean src/shapes?"),
        ({"pattern": "x", "path": "nope", "glob": "*.py"}, "there is no file or folder nope"),
        ({"pattern": "x", "glob": "src/nope.py"}, "there is no file or folder src/nope.py"),
        ({"pattern": "x", "glob": "[z-a].py"}, "bad glob: "),
        ({"pattern": "x", "path": "/etc"}, "/etc: the path leads out of the workspace"),
        ({"pattern": "x", "path": "out"}, "out: the path leads out of the workspace"),
        ({"pattern": "x", "glob": "../*.py"}, "../*.py: the path leads out of the workspace"),
        ({"pattern": "x", "limit": 0}, "grep: wrong arguments\n  limit: Input should be greater"),
    ],
)
def test_what_cannot_be_searched(call, session, arguments, message):
    seen = call(session, "grep", **arguments)
    assert seen.error
    assert seen.text.startswith(message)


def test_a_pattern_never_reaches_a_shell(call, session):
    call(session, "grep", pattern="$(touch /tmp/harmed)`touch /tmp/harmed`'; touch /tmp/harmed; '")
    call(session, "grep", pattern="x", path="$(touch /tmp/harmed)")
    assert session.sandbox.exec("ls /tmp/harmed").exit_code != 0


def test_an_exploding_pattern_is_stopped(make_session):
    sandbox = make_session({"slow.txt": "a" * 40 + "!\n"}).sandbox
    before = time.monotonic()
    with pytest.raises(TimeoutError, match=r"longer than 0\.3 seconds: use a simpler pattern"):
        sandbox.request("grep", pattern="(a+)+$", path=".", ignore_case=False, limit=10, timeout=0.3)
    assert time.monotonic() - before < 10
    assert sandbox.grep("a!").matches == (("slow.txt", 1, "a" * 40 + "!"),)


def test_alarms_from_inside_harm_nobody_else(make_session):
    sandbox = make_session({"slow.txt": "a" * 40 + "!\n"}).sandbox
    sandbox.shell("(while :; do kill -ALRM 1; done) 2>/dev/null &")
    for _ in range(20):
        try:
            sandbox.grep("a+")
        except TimeoutError:
            continue
    assert sandbox.exec("echo alive").output == "alive\n"


def test_too_large_files_are_named(call, make_session):
    session = make_session({"a.txt": "x\n"})
    session.sandbox.exec("truncate -s 17M large.txt")
    seen = call(session, "grep", pattern="x")
    assert seen.text == "a.txt:1: x\n[too large, not searched: large.txt]"
