from collections import Counter
from xml.etree import ElementTree

import pytest

from debug_gym.report.episodes import Facts
from debug_gym.report.figures import Series, draw, success_over_rewrites
from debug_gym.report.svg import ticks


def facts(task="a", resolved=True, rewrites=1, **more):
    values = {"steps": 4, "output_tokens": 50.0, "tools": Counter(view=3, pdb=1), "pdb": Counter(b=1, up=2)}
    return Facts(task=task, resolved=resolved, rewrites=rewrites, **{**values, **more})


def hints(figure):
    return [node.text for node in ElementTree.fromstring(figure.svg).iter("title")]


def test_all_figures_of_the_paper_are_drawn():
    series = [Series("one", [facts(), facts("b", resolved=False)]), Series("two", [facts()])]
    figures = {figure.title: figure for figure in draw(series)}
    assert list(figures) == [
        "Success over rewrites",
        "Tool calls",
        "Debugger commands",
        "Steps",
        "Response tokens",
        "Wins per task",
    ]
    assert "view: 6 (75.0%)" in hints(figures["Tool calls"])
    assert "other: 2 (66.7%)" in hints(figures["Debugger commands"])
    assert "median 4, mean 4" in hints(figures["Steps"])
    assert hints(figures["Wins per task"])[1:] == ["a: 1 of 1", "b: 0 of 1", "a: 1 of 1"]


def test_what_nobody_did_has_no_figure():
    silent = facts(output_tokens=0.0, pdb=Counter())
    titles = [figure.title for figure in draw([Series("one", [silent])])]
    assert titles == ["Success over rewrites", "Tool calls", "Steps", "Wins per task"]
    assert draw([Series("one", [])]) == []


def test_success_rises_at_the_number_of_rewrites_that_it_took():
    episodes = [facts(rewrites=0), facts(rewrites=2), facts(rewrites=2), facts(rewrites=9, resolved=False)]
    figure = success_over_rewrites([Series("one", episodes)])
    (line,) = (
        node for node in ElementTree.fromstring(figure.svg).iter("polyline") if "series" in node.get("class")
    )
    points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
    heights = [points[0][1], *(points[2 * count][1] for count in range(1, 11))]
    bottom, top = 240.0, 12.0
    shares = [(bottom - height) / (bottom - top) for height in heights]
    assert shares == pytest.approx([0.25, 0.25] + [0.75] * 9, abs=1e-3)


def test_labels_are_text_whatever_they_hold():
    name = '<script>alert("&")</script>'
    for figure in draw([Series(name, [facts(task=name)])]):
        assert "<script>" not in figure.svg
        ElementTree.fromstring(figure.svg)


def test_tools_of_a_kind_share_its_colour_and_the_rarest_are_joined():
    counts = {f"tool{number}": 20 - number for number in range(12)} | {"view": 15, "grep": 1}
    many = facts(tools=Counter(counts), kinds={"view": "look", "grep": "look"})
    figure = next(figure for figure in draw([Series("one", [many])]) if figure.title == "Tool calls")
    assert figure.legend == (
        *((f"kind other shade{number}", f"tool{number}") for number in range(4)),
        ("kind look shade0", "view"),
        ("kind look shade1", "grep"),
        ("c7", "other"),
    )
    assert sum(int(hint.split(": ")[1].split()[0]) for hint in hints(figure)[1:]) == many.tools.total()


@pytest.mark.parametrize(
    ("top", "marks"),
    [(0, [0]), (1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (50, [0, 10, 20, 30, 40, 50]), (7, [0, 2, 4, 6])],
)
def test_ticks_are_round(top, marks):
    assert ticks(top) == pytest.approx(marks)
