"""Edits by the place of a node leave everything else as it was."""

import ast

import pytest

from debug_gym.agents.repair.source import Source


def node_of(source, kind, text=None):
    return next(
        node
        for node in source.nodes
        if isinstance(node, kind) and (text is None or source.segment(node) == text)
    )


def edited(source, *edits):
    return source.apply(edits)


def test_replaces_exactly_one_node():
    source = Source("a.py", "x = [1,  2]  # one, two\ny = 2\n")
    assert (
        edited(source, source.replace(node_of(source, ast.Constant, "1"), "10"))
        == "x = [10,  2]  # one, two\ny = 2\n"
    )


def test_counts_in_characters_that_take_several_bytes():
    source = Source("a.py", 'name = "Zoë ☃"; other = alpha\n')
    text = edited(source, source.replace(node_of(source, ast.Name, "alpha"), "βeta"))
    assert text == 'name = "Zoë ☃"; other = βeta\n'


def test_keeps_windows_line_ends():
    source = Source("a.py", "if a:\r\n    b = 1\r\n    c = 2\r\n")
    assert (
        edited(source, source.replace(node_of(source, ast.Constant, "2"), "3"))
        == "if a:\r\n    b = 1\r\n    c = 3\r\n"
    )


def test_refuses_lines_that_end_in_a_carriage_return_alone():
    with pytest.raises(ValueError, match="carriage return"):
        Source("a.py", "a = 1\rb = 2\n")


def test_finds_an_operator_between_comments_and_parentheses():
    source = Source("a.py", "ok = (  # is a < b?\n    (a)  # < is right\n    <\n    b\n)\n")
    compare = node_of(source, ast.Compare)
    edit = source.between(compare.left, compare.comparators[0], "<", "<=")
    assert edited(source, edit) == "ok = (  # is a < b?\n    (a)  # < is right\n    <=\n    b\n)\n"


def test_finds_an_operator_of_two_words_with_any_space():
    source = Source("a.py", "ok = a not   in b\n")
    compare = node_of(source, ast.Compare)
    edit = source.between(compare.left, compare.comparators[0], "not in", "in")
    assert edited(source, edit) == "ok = a in b\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = a", "x = p or q"),
        ("f(a)", "f(p or q)"),
        ("f(k=a)", "f(k=p or q)"),
        ("x[a]", "x[p or q]"),
        ("[a]", "[p or q]"),
        ("a * 2", "(p or q) * 2"),
        ("a.b", "(p or q).b"),
        ("not a", "not (p or q)"),
        ("{a: 1}", "{(p or q): 1}"),
    ],
)
def test_puts_parentheses_where_they_matter(before, after):
    source = Source("a.py", before + "\n")
    assert edited(source, source.put(node_of(source, ast.Name, "a"), "p or q")) == after + "\n"


def test_overlapping_edits_make_no_text():
    source = Source("a.py", "x = f(a)\n")
    edits = [
        source.replace(node_of(source, ast.Call), "1"),
        source.replace(node_of(source, ast.Name, "a"), "2"),
    ]
    assert source.apply(edits) is None


def test_inserts_lines_with_the_indentation_of_the_neighbour():
    source = Source("a.py", "def f():\n    if a:\n        return 1")
    last = node_of(source, ast.Return)
    assert edited(source, source.before(last, "if b:\n    c()")) == (
        "def f():\n    if a:\n        if b:\n            c()\n        return 1"
    )
    assert edited(source, source.after(last, "d()")) == "def f():\n    if a:\n        return 1\n        d()\n"


def test_a_statement_that_shares_its_line_has_no_lines():
    source = Source(
        "a.py", "a = 1; b = 2\nif a: b = 3\nif a:\n    pass\nelif b:\n    pass\nc = 4  # own line\n"
    )
    shared = [node for node in source.nodes if isinstance(node, ast.stmt) and source.lines(node) is None]
    assert sorted((node.lineno, node.col_offset) for node in shared) == [(1, 0), (1, 7), (2, 6), (5, 0)]


def test_moves_no_text_that_goes_over_several_lines():
    source = Source("a.py", 'def f():\n    x = """\n    kept\n    """\n    y = 1\n')
    first, last = source.tree.body[0].body
    assert source.body(last, last) == "y = 1"
    assert source.body(first, last) is None


def test_nodes_in_formatted_texts_are_found_only_where_they_are():
    source = Source("a.py", 's = f"{total + 1:>5}"\nt = (\n    f"{a}"\n    f"{b * 2}"\n)\n')
    for node in source.nodes:
        if isinstance(node, ast.Name | ast.BinOp):
            assert ast.unparse(ast.parse(source.segment(node))) == ast.unparse(node)


def test_imports_after_docstring_and_future_imports():
    source = Source("a.py", '"""Doc."""\n\nfrom __future__ import annotations\n\nx = 1\n')
    assert edited(source, *source.imports("copy")).startswith(
        '"""Doc."""\n\nfrom __future__ import annotations\nimport copy\n'
    )
    assert Source("a.py", "import copy\n").imports("copy") == ()


def test_knows_the_kinds_of_values_that_a_function_saw():
    text = "@cache\ndef f(a, b):\n    return a.size + b\n"
    source = Source("a.py", text, {1: {"a.size": frozenset({"int", "NoneType"})}})
    assert source.kinds(node_of(source, ast.Attribute)) == {"int"}
    assert source.kinds(node_of(source, ast.Name, "b")) == frozenset()
