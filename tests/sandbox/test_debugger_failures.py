"""Failures with more than one exception to look at, and those of doctests."""

import sys

import pytest

PROGRAM = """import sys


def first():
    return {}["a"]


def second():
    try:
        first()
    except KeyError as error:
        raise ValueError("b") from error


def third():
    try:
        second()
    finally:
        raise TypeError("c")


def hidden():
    try:
        first()
    except KeyError:
        raise ValueError("b") from None


def without_traceback():
    raise ValueError("b") from KeyError("a")


def group():
    errors = []
    for function in (first, second):
        try:
            function()
        except Exception as error:
            errors.append(error)
    raise ExceptionGroup("both", errors)


def keeps():
    kept = []
    try:
        second()
    except ValueError as error:
        kept.append(error)
    assert not kept, "kept"


def looks():
    try:
        first()
    except KeyError:
        import pdb

        pdb.post_mortem()
    print("went on")


globals()[sys.argv[1]]()
"""
DOC = '''def half(n):
    """Divide.

    >>> half(4)
    2
    >>> for n in (0, 2):
    ...     half(n)
    0
    3
    """
    return n // 2


def fails(n):
    """
    >>> fails(0)
    1
    """
    return 1 // n


class Shop:
    def price(self):
        """
        >>> nothing
        """
'''
TEXT = "Some text\n\n    >>> from doc import fails\n    >>> x = 2\n    >>> fails(x)\n    1\n"
FILES = {"program.py": PROGRAM, "doc.py": DOC, "text.txt": TEXT}


@pytest.fixture(scope="module")
def sandbox(backend, make_task):
    files = {**FILES, "pytest.ini": "[pytest]\naddopts = --doctest-modules --doctest-glob=*.txt\n"}
    with backend.start(make_task(files)) as sandbox:
        yield sandbox


def line_of(text, file="program.py"):
    return next(n for n, line in enumerate(FILES[file].split("\n"), 1) if line.strip() == text)


def fail(sandbox, function):
    return sandbox.debug_start(script=["program.py", function], at="failure")


# -- chains --------------------------------------------------------------------------------------------


def test_chained_exceptions_can_be_looked_at_one_by_one(sandbox):
    reply = fail(sandbox, "third")
    assert reply.output.split("\n")[:2] == [
        f"post-mortem at program.py:{line_of('raise TypeError(' + repr('c').replace(chr(39), chr(34)) + ')')} "
        "in third: TypeError: c",
        "    (one of 3 exceptions, with number 2; `exceptions` lists them)",
    ]
    assert (
        sandbox.debug("exceptions").output
        == "    0 KeyError('a')\n    1 ValueError('b')\n>   2 TypeError('c')\n"
    )
    reply = sandbox.debug("exceptions 0")
    assert reply.output.startswith(f"post-mortem at program.py:{reply.stop.line} in first: KeyError: 'a'\n")
    assert (reply.stop.function, reply.stop.line) == ("first", line_of('return {}["a"]'))
    assert sandbox.debug("up").output.startswith("frame at program.py:10 in second\n")
    assert sandbox.debug("exceptions").output.startswith(">   0 KeyError('a')\n    1 ")
    assert sandbox.debug("exceptions 1").stop.function == "second"
    assert sandbox.debug("c").exit_code == 1


def test_what_was_raised_from_none_is_left_out(sandbox):
    reply = fail(sandbox, "hidden")
    assert "`exceptions`" not in reply.output
    assert sandbox.debug("exceptions").output == ">   0 ValueError('b')\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("exceptions 0", "*** This exception does not have a traceback, cannot jump to it\n"),
        ("exceptions 2", "*** No exception with that number\n"),
        ("exceptions x", "*** Argument must be an integer\n"),
        ("exceptions", "    - KeyError('a')\n>   1 ValueError('b')\n"),
    ],
)
def test_exceptions_that_cannot_be_looked_at(sandbox, command, said):
    before = fail(sandbox, "without_traceback")
    reply = sandbox.debug(command)
    assert (reply.output, reply.stop) == (said, before.stop)


def test_an_exception_that_the_program_has_kept_can_be_looked_at(sandbox):
    before = fail(sandbox, "keeps")
    reply = sandbox.debug("exceptions kept[0]")
    assert (reply.stop.function, reply.stop.reason) == ("second", "post-mortem")
    assert "ValueError: b" in reply.output
    assert sandbox.debug("exceptions").output == (
        "    0 AssertionError('kept')\n    1 KeyError('a')\n>   2 ValueError('b')\n"
    )
    assert sandbox.debug("exceptions 0").stop == before.stop


def test_post_mortem_in_the_program_stops_where_the_exception_was_raised(sandbox):
    reply = fail(sandbox, "looks")
    assert (reply.stop.function, reply.stop.reason) == ("first", "post-mortem")
    assert sandbox.debug("import pdb; pdb.post_mortem()").output.startswith(
        "*** RuntimeError: no debugger inside"
    )
    reply = sandbox.debug("c")
    assert (reply.program, reply.exit_code) == ("went on\n", 0)


def test_there_are_no_exceptions_at_other_stops(sandbox):
    sandbox.debug_start(script=["program.py", "first"], at="start")
    assert sandbox.debug("exceptions").output.startswith("*** no exception is being looked at")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="has no exception groups")
def test_the_exceptions_of_a_group_can_be_looked_at(sandbox):
    reply = fail(sandbox, "group")
    assert (reply.stop.function, reply.stop.line) == ("first", line_of('return {}["a"]'))
    assert sandbox.debug("exceptions").output.startswith(
        ">   0 KeyError('a')\n    1 KeyError('a')\n    2 ValueError('b')\n    3 ExceptionGroup('both', ["
    )
    assert sandbox.debug("exceptions 3").stop.function == "group"


def test_the_chain_is_there_again_after_going_back(sandbox):
    stop = fail(sandbox, "third").stop
    sandbox.debug("exceptions 0\nc")
    assert sandbox.debug("back").stop == stop
    assert sandbox.debug("exceptions").output.endswith("\n>   2 TypeError('c')\n")


# -- doctests ------------------------------------------------------------------------------------------


def test_a_wrong_result_stops_at_its_example(sandbox):
    reply = sandbox.debug_start(test="doc.py::doc.half", at="failure")
    assert reply.output.split("\n")[1:11] == [
        "post-mortem at doc.py:6 in <module>: AssertionError: for n in (0, 2):",
        "        half(n)",
        "    Expected:",
        "        0",
        "        3",
        "    Got:",
        "        0",
        "        1",
        "   3",
        "   4          >>> half(4)",
    ]
    assert "   6  ->      >>> for n in (0, 2):\n" in reply.output
    assert "note:" not in reply.output
    assert sandbox.debug("n = half(9)\np n").output.endswith("4\n")
    assert sandbox.debug("where").output == "-> doc.py:6 in <module>\n       >>> for n in (0, 2):\n"
    assert sandbox.debug("c").output.startswith("tests: 1 failed\n")


def test_an_exception_stops_where_it_was_raised_below_its_example(sandbox):
    reply = sandbox.debug_start(test="doc.py::doc.fails", at="failure")
    assert (reply.stop.file, reply.stop.line, reply.stop.function) == ("doc.py", 19, "fails")
    assert "ZeroDivisionError" in reply.output
    assert sandbox.debug("where").output.startswith(
        "   doc.py:16 in <module>\n       >>> fails(0)\n-> doc.py:19 "
    )
    assert "frame at doc.py:16 in <module>" in sandbox.debug("up").output


def test_an_exception_in_the_example_itself(sandbox):
    reply = sandbox.debug_start(test="doc.py::doc.Shop.price", at="failure")
    assert (reply.stop.file, reply.stop.line) == ("doc.py", line_of(">>> nothing", "doc.py"))
    assert "NameError: name 'nothing' is not defined" in reply.output


def test_a_doctest_in_a_text_file(sandbox):
    reply = sandbox.debug_start(test="text.txt", at="failure")
    assert (reply.stop.file, reply.stop.line) == ("text.txt", 5)
    assert sandbox.debug("p x").output == "2\n"
