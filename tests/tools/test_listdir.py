import pytest

FILES = {
    "README.md": "# Shapes\n",
    "src/shapes/area.py": "x = 1\n",
    "src/shapes/deep/down.py": "",
    "src/main.py": "",
    "tests/test_area.py": "",
    ".hidden": "",
    "src/__pycache__/main.cpython-311.pyc": b"\0",
    "odd\nname.txt": "",
}


@pytest.fixture(scope="module")
def session(make_shared_session):
    session = make_shared_session(FILES)
    session.sandbox.exec("ln -s README.md link; mkfifo pipe; mkdir nothing; ln -s /etc out")
    return session


def test_one_level(call, session):
    seen = call(session, "listdir")
    assert seen.text == (
        "./\n  .hidden\n  README.md\n  link@\n  nothing/\n  odd\\nname.txt\n  out@\n  pipe?\n  src/\n  tests/"
    )
    assert not seen.error


def test_deeper(call, session):
    seen = call(session, "listdir", path="src", depth=2)
    assert seen.text == "src/\n  main.py\n  shapes/\n    area.py\n    deep/"
    assert seen.data == {
        "path": "src",
        "entries": [
            ["main.py", "file", 0],
            ["shapes", "dir", 0],
            ["shapes/area.py", "file", 6],
            ["shapes/deep", "dir", 0],
        ],
        "truncated": False,
    }
    assert "\n      down.py" in call(session, "listdir", path="src", depth=3).text


@pytest.mark.parametrize("path", ["src/", "./src", "/workspace/src", "tests/../src"])
def test_other_names_of_the_same_folder(call, session, path):
    assert call(session, "listdir", path=path) == call(session, "listdir", path="src")


def test_an_empty_folder(call, session):
    assert call(session, "listdir", path="nothing").text == "nothing/\n  (empty)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "scr"}, "there is no folder scr; did you mean src?"),
        ({"path": "shapes"}, "there is no folder shapes; did you mean src/shapes?"),
        ({"path": "README.md"}, "README.md: is a file, not a folder"),
        ({"path": "/etc"}, "/etc: the path leads out of the workspace"),
        ({"path": ".."}, "..: the path leads out of the workspace"),
        ({"path": "out"}, "out: the path leads out of the workspace"),
        ({"depth": 0}, "listdir: wrong arguments\n  depth: Input should be greater than or equal to 1"),
    ],
)
def test_what_cannot_be_listed(call, session, arguments, message):
    seen = call(session, "listdir", **arguments)
    assert seen.error
    assert seen.text.startswith(message)


def test_a_large_folder_is_listed_in_part(call, session):
    session.sandbox.exec("mkdir many && cd many && touch f{1000..1600}")
    seen = call(session, "listdir", path="many")
    lines = seen.text.split("\n")
    assert lines[1] == "  f1000"
    assert lines[-2] == "  f1499"
    assert lines[-1].startswith("[only the first 500 entries: ")
    assert seen.data["truncated"]
    assert len(seen.data["entries"]) == 500
