"""The forest plot: the margins of many claims under each other, as SVG.

Claims have different units, so each row is scaled by its own half interval: every interval is two wide, and a claim
whose dot lies outside of -1 to 1 is decided. The axis is the inverse hyperbolic sine, even around zero and logarithmic
far out.
"""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

import numpy as np

from dnlib.course import svg
from dnlib.course.verdicts import Judgement

EDGE = 100  # half widths; what lies farther is drawn there, with an arrow
TICKS = (-100, -30, -10, -3, -1, 0, 1, 3, 10, 30, 100)
WIDTH, LEFT, RIGHT, TOP, ROW = 1000, 270, 740, 14, 20  # in pixels; names stand at the left, numbers at the right
ABOUT = (
    "Each row is the margin of a claim in half widths of its 95 % interval: right of 1 it held, left of -1 it did not "
    "hold. The text at its right gives the margin and half its interval in the claim's unit."
)


def place(half_widths: float) -> float:
    """Where a margin stands on the axis, in pixels.

    Examples
    --------
    >>> place(0), place(-np.inf), place(1000)
    (505.0, 270.0, 740.0)
    """
    half = (RIGHT - LEFT) / 2
    return float(LEFT + half + half * np.arcsinh(np.clip(half_widths, -EDGE, EDGE)) / np.arcsinh(EDGE))


def draw(name: str, title: str, judgements: Sequence[Judgement]) -> str:
    """One row of SVG for each claim that has a margin, the surest first, those without an interval last; "" if none.

    name, title: of the picture in the page.
    """
    rows = sorted((j for j in judgements if j.margin), key=lambda j: (not j.margin.is_known, -j.weakest.certainty))
    if not rows:
        return ""
    bottom = TOP + ROW * len(rows)
    root = svg.picture(name, title, ABOUT, WIDTH, bottom + 44, role="group")
    _axis(root, bottom)
    for number, judgement in enumerate(rows):
        _row(root, judgement, TOP + ROW * (number + 0.5))
    return svg.written(root)


def _axis(root: Element, bottom: float) -> None:
    svg.add(root, "rect", "open", x=place(-1), y=TOP, width=place(1) - place(-1), height=bottom - TOP)
    for tick in TICKS:
        svg.line(root, "grid" if tick else "zero", place(tick), TOP, place(tick), bottom)
        svg.add(root, "text", "middle", f"{tick:+d}" if tick else "0", x=place(tick), y=bottom + 16)
    svg.add(root, "text", "", "← did not hold", x=LEFT, y=bottom + 36)
    svg.add(root, "text", "middle", "margin in half widths of its 95 % interval", x=place(0), y=bottom + 36)
    svg.add(root, "text", "end", "held →", x=RIGHT, y=bottom + 36)


def _row(root: Element, judgement: Judgement, y: float) -> None:
    name, at = judgement.claim.id, judgement.weakest.certainty
    row = svg.add(root, "g", svg.css_class(judgement.verdict), id=f"forest-{name}")
    svg.add(svg.add(row, "a", href=f"#{name}"), "text", "end", name, x=LEFT - 20, y=y + 4)
    svg.add(row, "text", "", in_words(judgement), x=RIGHT + 18, y=y + 4)
    if not judgement.margin.is_known:
        svg.line(row, "unknown", LEFT, y, RIGHT, y)
        return
    svg.line(row, "interval", place(at - 1), y, place(at + 1), y)
    svg.dot(row, judgement.verdict, place(at), y)
    if abs(at) > EDGE:
        side = int(np.sign(at))
        svg.add(row, "path", "arrow", d=f"M{place(at) + 8 * side:g} {y - 4:g}l{5 * side} 4l{-5 * side} 4")


def in_words(judgement: Judgement) -> str:
    """The margin with half its interval, in the claim's unit; "" without one."""
    margin, unit = judgement.margin, judgement.claim.unit
    if not margin:
        return ""
    spread = f" ± {margin.half_interval():.2g}" if margin.error else ""
    note = "" if spread else ", no spread" if margin.parts else ", one seed"
    return f"{margin.mean:+.3g}{spread} {unit}{note}"
