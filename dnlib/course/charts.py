"""Charts of the chapters: margins with intervals, curves with a band over seeds, heat maps, dots with names."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from dnlib.course.plots import BLUE, GRAY, GREEN, ORANGE

COLOURS = (BLUE, ORANGE, GREEN)


def intervals(
    axes: Axes,
    rows: Mapping[str, Mapping[str, tuple[float, float]]],
    *,
    published: Mapping[str, float] | None = None,
) -> None:
    """Draw means with intervals, a line per row, around a line at zero.

    Parameters
    ----------
    rows : mapping
        Row -> series -> (mean, half of the interval). Without an interval (infinite) the dot is hollow; a row of no
        series says that it is not trained yet.
    published : mapping
        Row -> the number of a source: a diamond.

    Examples
    --------
    >>> from dnlib.course import plots
    >>> fig, ax = plots.figure()
    >>> intervals(ax, {"a": {"phones": (1.0, 0.2)}, "b": {}}, published={"a": 0.5})
    >>> [label.get_text() for label in ax.get_yticklabels()], [text.get_text() for text in ax.texts]
    (['a', 'b'], ['not trained yet'])
    >>> plots.plt.close(fig)
    """
    series = list(dict.fromkeys(name for row in rows.values() for name in row))
    for place, (row, found) in enumerate(rows.items()):
        for number, name in enumerate(series):
            if name in found:
                mean, half = found[name]
                y, known = place + 0.22 * (number - (len(series) - 1) / 2), np.isfinite(half)
                look = {"color": COLOURS[number % 3], "capsize": 2, "markersize": 4}
                face = COLOURS[number % 3] if known else "white"
                axes.errorbar(mean, y, xerr=half if known else None, fmt="o", markerfacecolor=face, **look)
        if row in (published or {}):
            axes.plot(published[row], place, "D", color=GRAY, markersize=5)
        if not found:
            across = axes.get_yaxis_transform()  # the width of the axes is 1
            look = {"ha": "right", "va": "center", "fontsize": 7, "color": GRAY, "transform": across}
            axes.text(0.99, place, "not trained yet", **look)
    for number, name in enumerate(series):
        axes.plot([], [], "o", color=COLOURS[number % 3], label=name)
    if published:
        axes.plot([], [], "D", color=GRAY, label="as published")
    axes.axvline(0, color=GRAY, linewidth=1, zorder=0)
    axes.set(yticks=range(len(rows)), yticklabels=list(rows), ylim=(len(rows) - 0.5, -0.5))
    axes.legend(fontsize=7)


def band(axes: Axes, x: np.ndarray, table: np.ndarray, label: str, colour: str, style: str = "-") -> None:
    """Draw a curve that was measured several times: the mean as a line, all seeds in a band and as dots.

    Parameters
    ----------
    x : ndarray [points]
        Such as steps.
    table : ndarray [seeds, points]
        One curve for each seed.
    label, colour, style : str
        Of the line.

    Examples
    --------
    >>> from dnlib.course import plots
    >>> fig, ax = plots.figure()
    >>> band(ax, np.array([1, 2]), np.array([[20.0, 25.0], [22.0, 26.0]]), "AP-BSN", "C0")
    >>> ax.lines[0].get_ydata().tolist()
    [21.0, 25.5]
    >>> plots.plt.close(fig)
    """
    axes.plot(x, table.mean(axis=0), style, color=colour, label=label)
    axes.fill_between(x, table.min(axis=0), table.max(axis=0), color=colour, alpha=0.2, linewidth=0)
    for curve in table:
        axes.plot(x, curve, ".", color=colour, markersize=3)


def heat_map(axes: Axes, table: np.ndarray, rows: Sequence[str], columns: Sequence[str], title: str = "") -> AxesImage:
    """Draw a table of numbers as colours, the largest of each column bold, a dash where there is none (NaN).

    Parameters
    ----------
    table : ndarray [rows, columns]
        Of one unit.
    rows, columns : sequence of str
        Their names.

    Returns
    -------
    matplotlib.image.AxesImage
        For a colour bar.

    Examples
    --------
    >>> from dnlib.course import plots
    >>> fig, ax = plots.figure()
    >>> shade = heat_map(ax, np.array([[30.0, np.nan], [20.0, 25.0]]), ["a", "b"], ["x", "y"])
    >>> [text.get_text() for text in ax.texts]
    ['30.0', '–', '20.0', '25.0']
    >>> plots.plt.close(fig)
    """
    shade = axes.imshow(table, cmap="viridis", aspect="auto")
    middle = (np.nanmin(table) + np.nanmax(table)) / 2
    largest = np.where(np.isnan(table), -np.inf, table).max(axis=0)
    for (row, column), value in np.ndenumerate(table):
        weight = "bold" if len(rows) > 1 and value == largest[column] else "normal"
        text = "–" if np.isnan(value) else f"{value:.1f}"
        colour = "white" if value < middle else "black"
        axes.text(column, row, text, ha="center", va="center", color=colour, weight=weight, fontsize=9)
    axes.set(xticks=range(len(columns)), yticks=range(len(rows)), yticklabels=rows, title=title)
    axes.set_xticklabels(columns, rotation=30)
    return shade


def named(
    axes: Axes, points: Mapping[str, tuple[float, float]], label: str, colour: str, left: Sequence[str] = ()
) -> None:
    """Draw dots, each with its name beside it.

    Parameters
    ----------
    points : mapping
        Name -> (x, y).
    label, colour : str
        Of all of them.
    left : sequence of str
        Names that stand on the left of their dots.

    Examples
    --------
    >>> from dnlib.course import plots
    >>> fig, ax = plots.figure()
    >>> named(ax, {"L-1": (33.5, 0.84)}, "ours", "C0")
    >>> ax.texts[0].get_text()
    'L-1'
    >>> plots.plt.close(fig)
    """
    axes.plot(*zip(*points.values(), strict=True), "o", color=colour, label=label, markersize=5)
    for name, point in points.items():
        side, shift = ("right", -5) if name in left else ("left", 5)
        axes.annotate(name, point, textcoords="offset points", xytext=(shift, 3), ha=side, fontsize=8)
