"""Pictures as SVG, element by element: well formed and escaped by construction, coloured by the page they stand in."""

from xml.etree.ElementTree import Element, SubElement, tostring

SHAPES = {  # the same as the colours say, without them
    "held": "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",
    "did not hold": "M-4.5 -4.5h9v9h-9z",
    "undecided": "M0 -6L6 0L0 6L-6 0z",
    "": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
}


def picture(name: str, title: str, about: str, width: float, height: float, role: str = "img") -> Element:
    """An empty picture, with what a screen reader says of it."""
    root = Element(
        "svg",
        {"xmlns": "http://www.w3.org/2000/svg", "id": name, "role": role, "viewBox": f"0 0 {width:g} {height:g}"},
        **{"width": f"{width:g}", "aria-labelledby": f"{name}-title", "aria-describedby": f"{name}-about"},
    )
    add(root, "title", "", title, id=f"{name}-title")
    add(root, "desc", "", about, id=f"{name}-about")
    return root


def add(parent: Element, tag: str, kind: str = "", text: str = "", **attributes: str | float) -> Element:
    """Add an element of a class, with text and attributes; numbers to a tenth of a pixel."""
    said = {key: f"{value:.1f}" if isinstance(value, float) else str(value) for key, value in attributes.items()}
    element = SubElement(parent, tag, ({"class": kind} if kind else {}) | said)
    element.text = text or None
    return element


def line(parent: Element, kind: str, x1: float, y1: float, x2: float, y2: float) -> Element:
    """Add a straight line."""
    return add(parent, "line", kind, x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2))


def dot(parent: Element, verdict: str, x: float, y: float) -> Element:
    """Add a mark in the shape of a verdict."""
    return add(parent, "path", "dot", d=SHAPES[verdict], transform=f"translate({x:.1f} {y:.1f})")


def css_class(verdict: str) -> str:
    """Of a verdict in the page."""
    return verdict.replace(" ", "-")


def written(root: Element) -> str:
    """The picture as text."""
    return tostring(root, encoding="unicode")
