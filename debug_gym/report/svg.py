"""A few shapes of SVG. Colours are classes, so that a page's style sheet can make them fit its theme."""

from xml.etree.ElementTree import Element, SubElement, tostring

WIDTH = 640
"""Of every figure, in its own units: it scales with the page."""


class Drawing:
    """A figure that grows downwards; ``text()`` gives its markup, with everything escaped."""

    def __init__(self, height: float, description: str) -> None:
        self.root = Element("svg", {"viewBox": f"0 0 {WIDTH} {height:g}", "role": "img", "class": "figure"})
        SubElement(self.root, "title").text = description

    def rectangle(
        self,
        corner: tuple[float, float],
        size: tuple[float, float],
        kind: str,
        *,
        hint: str = "",
        opacity: float = 1.0,
    ) -> None:
        """A filled box; the hint shows when one points at it."""
        box = self._add("rect", kind, hint, x=corner[0], y=corner[1], width=size[0], height=size[1])
        if opacity < 1:
            box.set("opacity", f"{opacity:.3g}")

    def line(self, points: list[tuple[float, float]], kind: str, hint: str = "") -> None:
        """A line through points."""
        path = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
        self._add("polyline", kind, hint).set("points", path)

    def circle(self, x: float, y: float, radius: float, kind: str, hint: str = "") -> None:
        """A dot."""
        self._add("circle", kind, hint, cx=x, cy=y, r=radius)

    def label(self, x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> None:
        """A line of text; y is its base line."""
        element = self._add("text", kind, "", x=x, y=y)
        element.set("text-anchor", anchor)
        element.text = text

    def text(self) -> str:
        """The figure's markup."""
        return tostring(self.root, encoding="unicode")

    def _add(self, tag: str, kind: str, hint: str, **numbers: float) -> Element:
        element = SubElement(self.root, tag, {key: f"{value:.4g}" for key, value in numbers.items()})
        if kind:
            element.set("class", kind)
        if hint:
            SubElement(element, "title").text = hint
        return element


def ticks(top: float, most: int = 5) -> list[float]:
    """Round numbers from 0 to about ``top``, at most so many steps of them."""
    step = 10.0**-3
    factors = (2.0, 2.5, 2.0)
    turn = 0
    while top / step > most:
        step *= factors[turn % 3]
        turn += 1
    return [index * step for index in range(int(top / step + 1e-9) + 1)]
