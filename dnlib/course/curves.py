"""Learning curves: numbers against the length of training, on a logarithmic axis, as SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np

from dnlib.course import svg
from dnlib.course.verdicts import Judgement

LEFT, RIGHT, TOP, BOTTOM = 70, 460, 12, 150  # the frame, in pixels
BELOW, BESIDE, LINE = 42, 260, 14  # room for the axis, for labels, for a line of text


@dataclass(frozen=True)
class Point:
    """A number at a length of training, with half its interval (0 if it has none) and its verdict."""

    length: float
    value: float
    half: float = 0.0
    verdict: str = ""


def draw(name: str, title: str, axis: str, series: dict[str, Sequence[Point]]) -> str:
    """Lines of points as SVG, "" if there are none; zero, where it is within reach, is drawn more heavily.

    name, title: of the picture in the page. axis: the quantity with its unit. series: the points of each line, by its
    label.

    Examples
    --------
    >>> draw("c", "PSNR", "dB", {"net": [Point(100, 28.0), Point(200, 29.0)]}).count('class="dot"')
    2
    """
    series = {label: points for label, points in series.items() if points}
    if not series:
        return ""
    told = [f"{label} {p.length:g} steps: {p.value:.4g}".strip() for label, line in series.items() for p in line]
    root = svg.picture(name, title, "; ".join(told), RIGHT + (BESIDE if any(series) else 10), BOTTOM + BELOW)
    across, up = _axes(root, axis, [point for line in series.values() for point in line])
    lowest = -np.inf
    for label, points in sorted(series.items(), key=lambda item: up(item[1][-1].value)):
        _line(root, points, across, up)
        lowest = max(up(points[-1].value), lowest + LINE)
        svg.add(root, "text", "", label, x=RIGHT + 8, y=lowest + 4)
    return svg.written(root)


def of_lengths(judgement: Judgement) -> str:
    """A claim's margin against the length of training; "" for a claim of one length, or one without a margin."""
    claim = judgement.claim
    if len(judgement.evidence) < 2 or claim.is_counted:
        return ""
    points = []
    for found in judgement.evidence:
        margin = found.weakest.margin
        half = margin.half_interval() if margin.is_known else 0.0
        points.append(Point(found.length, margin.mean, half, found.verdict))
    return draw(f"stages-{claim.id}", claim.statement, f"margin, {claim.unit}", {"": points})


def of_cards(cards: dict[str, dict]) -> str:
    """PSNR on held-out images against steps, of all weights whose card keeps a curve."""
    series = {name: [Point(p["steps"], p["psnr"]) for p in card.get("curve", [])] for name, card in cards.items()}
    return draw("cards", "PSNR on held-out images against steps of training", "PSNR, dB", series)


def _line(root: Element, points: Sequence[Point], across: Callable, up: Callable) -> None:
    svg.add(root, "polyline", "line", points=" ".join(f"{across(p.length):.1f},{up(p.value):.1f}" for p in points))
    for point in points:
        x, mark = across(point.length), svg.add(root, "g", svg.css_class(point.verdict))
        svg.line(mark, "interval", x, up(point.value - point.half), x, up(point.value + point.half))
        svg.dot(mark, point.verdict, x, up(point.value))


def _axes(root: Element, axis: str, points: Sequence[Point]) -> tuple[Callable, Callable]:
    """Draw both axes. Returns two functions: where a length stands, and where a value."""
    ends = [point.value + side * point.half for point in points for side in (-1, 1)]
    if any(point.verdict for point in points):
        ends.append(0.0)  # a margin is read against zero
    lengths = sorted({point.length for point in points})
    scale = _scale([_log(length) for length in lengths], LEFT + 20, RIGHT - 20)
    up = _scale(ends, BOTTOM - 8, TOP + 8)

    def across(length: float) -> float:
        return scale(_log(length))

    for tick in _round_numbers(ends):
        svg.line(root, "grid" if tick else "zero", LEFT, up(tick), RIGHT, up(tick))
        svg.add(root, "text", "end", f"{tick:g}", x=LEFT - 6, y=up(tick) + 4)
    for length in _apart(lengths, across):
        svg.add(root, "text", "middle", f"{length:g}", x=across(length), y=BOTTOM + 16)
    svg.add(root, "text", "middle", "steps of training", x=(LEFT + RIGHT) / 2, y=BOTTOM + 34)
    svg.add(root, "text", "middle", axis, transform=f"translate(14 {(TOP + BOTTOM) / 2:g}) rotate(-90)")
    return across, up


def _log(length: float) -> float:
    return float(np.log(max(length, 1.0)))


def _scale(values: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    """A function from values to pixels, by the range of values."""
    low, high = _range(values)
    return lambda value: float(start + (value - low) / (high - low) * (end - start))


def _range(values: Sequence[float]) -> tuple[float, float]:
    """From least to greatest; a single value stands in the middle."""
    low, high = min(values), max(values)
    return (low, high) if low < high else (low - 1, high + 1)


def _round_numbers(values: Sequence[float]) -> list[float]:
    """Two to six round numbers in the range of values."""
    low, high = _range(values)
    step = 10.0 ** np.floor(np.log10((high - low) / 2))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= 5)
    return [round(n * step, 12) + 0.0 for n in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def _apart(lengths: Sequence[float], across: Callable[[float], float]) -> list[float]:
    """The lengths whose numbers fit on the axis without running into each other."""
    kept: list[float] = []
    for length in lengths:
        if not kept or across(length) - across(kept[-1]) >= 48:
            kept.append(length)
    return kept
