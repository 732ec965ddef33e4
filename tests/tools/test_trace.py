"""The trace tool: what the agent reads, what it may leave out, and what it is told about wrong calls."""

import json

import pytest

FILES = {
    "shop/__init__.py": "",
    "shop/cart.py": """class Cart:
    def __init__(self):
        self.prices = []

    def add(self, price, count=1):
        self.prices.append(price)
        return self

    def total(self):
        result = 0
        for price in self.prices:
            result += price
        return result


def nested(n):
    return nested(n - 1) + 1 if n else 0
""",
    "tests/test_cart.py": """from shop.cart import Cart, nested


def test_one():
    assert Cart().add(5).total() == 5


def test_several():
    assert Cart().add(5, count=3).total() == 15


def test_nested():
    assert nested(3) == 3
""",
    "main.py": """import sys
from shop.cart import Cart

cart = Cart()
print(cart.add(int(sys.argv[1])).total())
cart.add(None).total()
""",
}


@pytest.fixture
def session(make_session):
    return make_session(FILES)


def test_the_table(session, call):
    seen = call(
        session,
        "trace",
        points=["shop/cart.py:12: result, price, missing"],
        calls=["Cart.add", "nested"],
        assignments=["Cart.total:result"],
        test="tests/test_cart.py::test_several",
    )
    assert not seen.error
    assert seen.text.split("\n") == [
        "tests/test_cart.py::test_several: failed - assert 5 == 15",
        "1  shop/cart.py:5   Cart.add    called with (self = <shop.cart.Cart object at 0x1>, price = 5, count = 3) "
        "from tests/test_cart.py:9",
        "2  shop/cart.py:7   Cart.add    returned <shop.cart.Cart object at 0x1>",
        "3  shop/cart.py:10  Cart.total  assigned result = 0",
        "4  shop/cart.py:12  Cart.total  result = 0, price = 5, missing raised NameError: name 'missing' is not "
        "defined",
        "5  shop/cart.py:12  Cart.total  assigned result = 5",
        "nested: never reached",
    ]
    assert seen.data["outcome"] == "failed"
    assert seen.data["message"] == "assert 5 == 15"
    assert (seen.data["exit_code"], seen.data["timed_out"], seen.data["dropped"]) == (1, False, 0)
    assert seen.data["hits"] == [1, 1, 0, 2]
    assert seen.data["rows"][1] == {
        "entry": "Cart.add",
        "hit": 1,
        "kind": "return",
        "file": "shop/cart.py",
        "line": 7,
        "function": "Cart.add",
        "depth": 0,
        "values": [["", "<shop.cart.Cart object at 0x1>"]],
        "caller": "",
        "thread": "",
        "process": 0,
    }
    assert json.loads(json.dumps(seen.data)) == seen.data


def test_calls_inside_of_calls_are_indented(session, call):
    text = call(session, "trace", calls=["nested"], test="tests/test_cart.py::test_nested").text
    assert "\n2  shop/cart.py:16    nested      called with (n = 2) from shop/cart.py:17\n" in text


def test_by_default_the_first_test_that_failed(session, call):
    assert call(session, "trace", calls=["Cart.add"]).text.startswith(
        "the tests: failed - tests/test_cart.py::test_several: assert 5 == 15\n"
    )
    call(session, "eval")
    seen = call(session, "trace", calls=["Cart.add"])
    assert seen.text.startswith("tests/test_cart.py::test_several: failed - assert 5 == 15\n")
    assert len(seen.data["rows"]) == 2


def test_a_script(session, call):
    seen = call(session, "trace", script=["main.py", "7"], points=["shop/cart.py:12 if price: price"])
    first, *_, error, last = seen.text.split("\n")
    assert first == "main.py 7: ended with exit code 1"
    assert "1  shop/cart.py:12  Cart.total  price = 7" in seen.text
    assert "--- the output ---" in seen.text
    assert "TypeError" in error + last
    assert seen.data["exit_code"] == 1


def test_the_tests_of_a_task_can_be_a_script(make_session, call):
    session = make_session(FILES, tests={"command": ("python", "main.py", "7")})
    assert len(call(session, "trace", calls=["Cart.add"]).data["rows"]) == 4
    refused = call(session, "trace", calls=["Cart.add"], test="tests/test_cart.py::test_one")
    assert refused.error
    assert "`script`" in refused.text


@pytest.mark.parametrize(("keep", "values"), [("first", ["1", "2"]), ("last", ["2", "3"])])
def test_first_or_last_hits(session, call, keep, values):
    script = "from shop.cart import Cart\nc = Cart()\nfor n in (1, 2, 3):\n    c.add(n)\n"
    session.sandbox.write("loop.py", script.encode())
    seen = call(session, "trace", script=["loop.py"], points=["loop.py:4: n"], hits=2, keep=keep)
    assert [row["values"] for row in seen.data["rows"]] == [[["n", value]] for value in values]
    assert seen.text.endswith(f"\nloop.py:4: n: 3 hits, the {keep} 2 are shown")
    assert seen.data["dropped"] == 1


def test_the_first_and_the_last_hits(session, call):
    session.sandbox.write("loop.py", b"for n in range(60_000):\n    m = n\n")
    seen = call(session, "trace", script=["loop.py"], points=["loop.py:2 if n < 100: n"], hits=5)
    assert [row["values"][0][1] for row in seen.data["rows"]] == ["0", "1", "2", "98", "99"]
    assert seen.text.endswith(": 100 hits, the first 3 and the last 2 are shown")
    seen = call(session, "trace", script=["loop.py"], points=["loop.py:2: n"], hits=2)
    assert [row["values"][0][1] for row in seen.data["rows"]] == ["0", "49999"]
    assert "60000 hits, the first 1 and the last 1 of 50000 (keep='last' goes on to the end) are" in seen.text


def test_a_run_that_takes_too_long(session, call):
    session.sandbox.write("loop.py", b"n = 0\nwhile True:\n    n += 1\n")
    seen = call(session, "trace", script=["loop.py"], points=["loop.py:3: n"], hits=1, timeout=0.5)
    assert seen.text.startswith("loop.py: was stopped after 0.5 seconds\n1  loop.py:3  <module>  n = 0\n")
    assert seen.data["timed_out"]


def test_values_stay_on_one_line_and_are_harmless(session, call):
    script = 'class A:\n    def __repr__(self):\n        return "a\\n  b\\x1b[31m\\u2028"\n\na = A()\nb = a\n'
    session.sandbox.write("odd.py", script.encode())
    seen = call(session, "trace", script=["odd.py"], points=["odd.py:6: a"])
    assert seen.text == "odd.py: passed\n1  odd.py:6  <module>  a = a b\\x1b[31m\\u2028"
    assert seen.data["rows"][0]["values"] == [["a", "a b\\x1b[31m\\u2028"]]


def test_the_same_call_gives_the_same_answer(make_session, call):
    told = [
        call(session, "trace", calls=["shop/cart.py"], points=["shop/cart.py:7"], test="tests/test_cart.py")
        for session in (make_session(FILES), make_session(FILES))
    ]
    assert told[0] == told[1]


def test_wrong_entries(session, call):
    seen = call(session, "trace", points=["cart.py:3: x"], calls=["Cart.ad"])
    assert seen.error
    assert seen.text.split("\n") == [
        "nothing was run:",
        "point 'cart.py:3: x': there is no file cart.py; did you mean shop/cart.py?",
        "call 'Cart.ad': there is no Python function, class or module of that name; did you mean Cart.add or Cart or Cart.total?",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "say what to record"),
        ({"points": ["a.py:1"], "test": "-x"}, "no test id"),
        ({"calls": ["f"], "test": "a", "script": ["b"]}, "not both"),
        ({"calls": ["f"] * 51}, "at most 50"),
        ({"calls": ["f"], "hits": 0}, "greater than or equal to 1"),
        ({"calls": ["f"], "keep": "all"}, "'both', 'first' or 'last'"),
    ],
)
def test_wrong_arguments(session, call, arguments, words):
    seen = call(session, "trace", **arguments)
    assert seen.error
    assert words in seen.text.replace("is not a test id", "no test id")


def test_a_test_that_does_not_exist(session, call):
    text = call(session, "trace", calls=["Cart.add"], test="tests/test_cart.py::test_many").text
    assert "not found: /workspace/tests/test_cart.py::test_many" in text
    assert "Cart.add: never reached" in text


def test_examples_are_valid(session, call):
    from debug_gym.tools.trace import Trace

    for arguments in Trace().examples(session):
        assert not call(session, "trace", **arguments).error
