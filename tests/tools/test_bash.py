import time

import pytest


@pytest.fixture(scope="module")
def session(make_shared_session):
    return make_shared_session({"a.py": "print('hello')\n", "src/b.py": ""})


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("pwd", "/workspace"),
        ("cat a.py | tr a-z A-Z", "PRINT('HELLO')"),
        ("python a.py", "hello"),
        ("cat <<'END'\n$HOME \"quoted\"\nEND", '$HOME "quoted"'),
        ("printf 'naïve 漢字 🐍'", "naïve 漢字 🐍"),
        ("echo out; echo err >&2", "out\nerr"),
        ("true", "[no output]"),
        ("printf '  indented'", "  indented"),
        ("printf '\\033[31mred\\r'", "\\x1b[31mred\\r"),
        ("printf '\\377'", "\ufffd"),
        ("false", "[exit code 1]"),
        ("echo before; ls no-such 2>/dev/null", "before\n[exit code 2]"),
        ("printf unended; (exit 7)", "unended\n[exit code 7]"),
        ("cat", "[no output]"),
    ],
)
def test_commands(call, session, command, text):
    seen = call(session, "bash", command=command)
    assert seen.text == text
    assert not seen.error


def test_the_data(call, session):
    seen = call(session, "bash", command="printf '\\033[31mx'; exit_with() { return 3; }; exit_with")
    assert seen.data == {"exit_code": 3, "output": "\x1b[31mx", "timed_out": False}


def test_what_failed_is_shown(call, session):
    seen = call(session, "bash", command="no-such-command")
    assert "no-such-command: command not found" in seen.text
    assert seen.text.endswith("[exit code 127]")


def test_the_shell_keeps_its_state(call, make_session):
    session = make_session({"src/b.py": ""})
    call(session, "bash", command="cd src; export COLOUR=red; twice() { echo $1$1; }; alias hi='echo hi'")
    assert call(session, "bash", command="pwd; twice $COLOUR; hi").text == "/workspace/src\nredred\nhi"


def test_a_syntax_error_leaves_the_shell_alive(call, session):
    seen = call(session, "bash", command="if then")
    assert "syntax error" in seen.text
    assert call(session, "bash", command="echo alive").text == "alive"


def test_a_timeout_ends_the_command_and_not_the_shell(call, make_session):
    session = make_session({"src/b.py": ""})
    call(session, "bash", command="cd src")
    before = time.monotonic()
    seen = call(session, "bash", command="echo started; sleep 60", timeout=0.2)
    assert time.monotonic() - before < 10
    assert seen.text == "started\n[stopped after 0.2 seconds]"
    assert seen.error
    assert seen.data["exit_code"] is None
    assert seen.data["timed_out"]
    assert call(session, "bash", command="pwd").text == "/workspace/src"


def test_exit_gives_a_new_shell(call, make_session):
    session = make_session({"src/b.py": ""})
    seen = call(session, "bash", command="cd src; exit 3")
    assert "the next command gets a new one in the workspace" in seen.text
    assert call(session, "bash", command="pwd").text == "/workspace"


def test_long_output_is_bounded(call, session):
    seen = call(session, "bash", command="seq 1000000")
    assert len(seen.text) < 70_000
    assert seen.text.startswith("1\n2\n")
    assert seen.text.endswith("\n1000000")
    assert "bytes cut" in seen.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"command": ""}, "command is empty"),
        ({"command": " \n"}, "command is empty"),
        ({"command": "true", "timeout": 0}, "timeout: Input should be greater than 0"),
        ({"command": "true", "timeout": 1e9}, "timeout: Input should be less than or equal to 600"),
        ({"command": "a\0b"}, "NUL"),
        ({}, "command: Field required"),
    ],
)
def test_what_is_refused(call, session, arguments, message):
    seen = call(session, "bash", **arguments)
    assert seen.error
    assert message in seen.text


def test_sessions_are_apart(call, make_session):
    one, other = make_session({"a": ""}), make_session({"b": ""})
    call(one, "bash", command="export X=1; touch /tmp/mine mine")
    assert call(other, "bash", command="ls /tmp/mine 2>/dev/null; ls; echo $X").text == "b"
