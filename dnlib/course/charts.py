"""Charts of the chapters, one for each kind of statement.

Over x: curves with their lowest points, a band over seeds, what images say at some lags. By row: dots, margins with
intervals, heat maps, marks. Dots with names.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from dnlib.course.plots import BLUE, GRAY, GREEN, ORANGE, RED

COLOURS = (BLUE, ORANGE, GREEN)
MARKS = (("o", 8.0), ("D", 7.5), ("s", 5.0))  # so that each is seen where they lie on each other


def curves(
    axes: Axes,
    x: Sequence[float],
    table: Mapping[str, Sequence[float] | Mapping[float, float] | float],
    *,
    colours: Sequence[str] = COLOURS,
    styles: Sequence[str] = ("-",),
    lowest: bool = False,
    truth: Mapping[str, Mapping[float, float]] | None = None,
) -> None:
    """Draw curves over one x, each by its name.

    Parameters
    ----------
    x : sequence of float
        Such as the settings of a filter.
    table : mapping
        Name -> a value for each x, NaN where there is none; or x -> value, for a curve of other x or a single mark; or
        one number, a line across.
    colours, styles : sequence of str
        Of the first curve, the second, and so on; then from the beginning again. Styles are matplotlib's: "o--".
    lowest : bool
        Whether a large dot stands where each is lowest.
    truth : mapping, optional
        Name of a curve -> x -> what it estimates: rings in its colour.

    Examples
    --------
    >>> from dnlib.course import plots
    >>> fig, ax = plots.figure()
    >>> curves(ax, [1, 2, 3], {"loss": [5, 3, 4], "true error": [3, 2, 1]}, styles=("-", "--"), lowest=True)
    >>> [(line.get_xdata().tolist(), line.get_linestyle()) for line in ax.lines]
    [([1, 2, 3], '-'), ([2], 'None'), ([1, 2, 3], '--'), ([3], 'None')]
    >>> plots.plt.close(fig)
    """
    for (name, values), colour, style in zip(table.items(), cycle(colours), cycle(styles), strict=False):
        if np.isscalar(values):
            axes.axhline(values, linestyle=style, color=colour, label=name)
            continue
        across, up = (list(values), list(values.values())) if isinstance(values, Mapping) else (x, values)
        axes.plot(across, up, style, color=colour, label=name)
        if lowest:
            place = int(np.nanargmin(up))
            axes.plot([across[place]], [up[place]], "o", color=colour, markersize=10)
        if name in (truth or {}):
            axes.plot(list(truth[name]), list(truth[name].values()), "o", color=colour, markerfacecolor="none")


def intervals(
    axes: Axes,
    rows: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    published: Mapping[str, float] | None = None,
) -> None:
    """Draw means with intervals, a line per row, around a line at zero.

    Parameters
    ----------
    rows : mapping
        Row -> series -> (mean, half of the interval), and after them what they are of, if small dots are to show it.
        Without an interval (infinite) the dot is hollow; a row of no series says that it is not trained yet.
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
                mean, half, *single = found[name]
                y, known = place + 0.22 * (number - (len(series) - 1) / 2), np.isfinite(half)
                look = {"color": COLOURS[number % 3], "capsize": 2, "markersize": 4}
                face = COLOURS[number % 3] if known else "white"
                axes.errorbar(mean, y, xerr=half if known else None, fmt="o", markerfacecolor=face, **look)
                axes.plot(single, y + _aside(single, 0.06), ".", color=COLOURS[number % 3], markersize=4, alpha=0.4)
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


def lags(axes: Axes, found: Mapping[tuple[int, int], Sequence[float]]) -> None:
    """Draw the correlation of noise at some lags: a dot for each image, a red line at their median.

    Parameters
    ----------
    found : mapping
        Lag in rows and columns -> the correlation in each image.

    Examples
    --------
    >>> from dnlib.course import plots
    >>> fig, ax = plots.figure()
    >>> lags(ax, {(0, 1): [0.3, 0.5, 0.4], (0, 7): [0.0, 0.1, -0.1]})
    >>> [label.get_text() for label in ax.get_xticklabels()], ax.lines[1].get_ydata().tolist()
    (['(0, 1)', '(0, 7)'], [0.4, 0.4])
    >>> plots.plt.close(fig)
    """
    for place, values in enumerate(found.values()):
        axes.plot(place + _aside(values, 0.18, place), values, ".", color=BLUE, markersize=5, alpha=0.6)
        axes.plot([place - 0.3, place + 0.3], [np.median(values)] * 2, color=RED, linewidth=2)
    axes.axhline(0, color=GRAY, linewidth=0.8, zorder=0)
    axes.set_xticks(range(len(found)), [str(lag) for lag in found], fontsize=8)
    axes.set_xlabel("lag (rows, columns)")


def _aside(values: Sequence[float], most: float, seed: int = 0) -> np.ndarray:
    """How far each is moved, so that they do not lie on each other."""
    return np.random.default_rng(seed).uniform(-most, most, len(values))


def dots_by_row(
    axes: Axes,
    rows: Mapping[str, Mapping[str, float | Sequence[float]]],
    *,
    truth: str = "",
    colours: Sequence[str] = COLOURS,
) -> None:
    """Draw numbers as dots, a line per row, the first on top.

    Parameters
    ----------
    rows : mapping
        Row -> series -> a number, or several: the first is a dot, those after it are small ones, such as other seeds;
        the series of a row then stand below each other, where a row has more than one.
    truth : str
        The series that others are held against: gray discs under them.
    colours : sequence of str
        Of the other series.

    Examples
    --------
    >>> from dnlib.course import plots
    >>> fig, ax = plots.figure()
    >>> dots_by_row(ax, {"a": {"true": 3.0, "estimated": 2.5}, "b": {"true": 1.0, "estimated": 1.5}}, truth="true")
    >>> [(line.get_label(), line.get_xdata().tolist()) for line in ax.lines]
    [('true', [3.0, 1.0]), ('estimated', [2.5, 1.5])]
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['a', 'b']
    >>> plots.plt.close(fig)
    """
    series = list(dict.fromkeys(name for row in rows.values() for name in row))
    others = [name for name in series if name != truth]
    several = any(np.size(values) > 1 for row in rows.values() for values in row.values())
    apart = 0.22 * (several and max(map(len, rows.values())) > 1)
    looks = {truth: {"marker": "o", "color": GRAY, "markersize": 13, "zorder": 1.5}}
    for name, colour, (marker, size) in zip(others, cycle(colours), cycle(MARKS), strict=False):
        looks[name] = {"marker": marker, "color": colour, "markersize": size}
    for number, name in enumerate(series):
        aside = apart * (number - (len(series) - 1) / 2)
        found = {place + aside: np.ravel(row[name]) for place, row in enumerate(rows.values()) if name in row}
        if small := [(value, y) for y, (_, *more) in found.items() for value in more]:
            axes.plot(*zip(*small, strict=True), ".", color=looks[name]["color"], markersize=6, alpha=0.6)
        axes.plot([values[0] for values in found.values()], list(found), linestyle="", label=name, **looks[name])
    axes.set(yticks=range(len(rows)), yticklabels=list(rows), ylim=(len(rows) - 0.5, -0.5))


def heat_map(
    axes: Axes,
    table: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str = "",
    *,
    limit: float | None = None,
    rest: int = 0,
) -> AxesImage:
    """Draw a table of numbers as colours, the largest of each column bold, a dash where there is none (NaN).

    Parameters
    ----------
    table : ndarray [rows, columns]
        Of one unit.
    rows, columns : sequence of str
        Their names.
    limit : float, optional
        Of gains and losses: the deepest green, and with a minus the deepest brown; white at zero.
    rest : int
        So many of the last rows stand below a line and are not compared.

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
    compared = len(rows) - rest
    colours = {"cmap": "BrBG", "vmin": -limit, "vmax": limit} if limit else {"cmap": "viridis"}
    shade = axes.imshow(table, aspect="auto", **colours)
    largest = np.where(np.isnan(table), -np.inf, table)[:compared].max(axis=0)
    for (row, column), value in np.ndenumerate(table):
        weight = "bold" if row < compared > 1 and value == largest[column] else "normal"
        text = "–" if np.isnan(value) else f"{value:{'+' if limit else ''}.1f}"
        dark = np.dot(shade.to_rgba(value)[:3], (0.3, 0.6, 0.1)) < 0.5
        colour = "white" if dark and not np.isnan(value) else "black"
        axes.text(column, row, text, ha="center", va="center", color=colour, weight=weight, fontsize=9)
    if rest:
        axes.axhline(compared - 0.5, color="black")
    axes.set(xticks=range(len(columns)), yticks=range(len(rows)), yticklabels=rows, title=title)
    axes.set_xticklabels(columns, rotation=30, ha="right", rotation_mode="anchor")
    return shade


def marks(axes: Axes, rows: Mapping[str, str], columns: Sequence[str]) -> None:
    """Draw a table of dots and rings, the names of its columns on top.

    Parameters
    ----------
    rows : mapping
        Name -> a letter for each column: x for a dot, o for a ring, any other for nothing.
    columns : sequence of str
        Their names; each is broken at its first space.

    Examples
    --------
    >>> from dnlib.course import plots
    >>> fig, ax = plots.figure()
    >>> marks(ax, {"Noise2Clean": ".x", "Patch-Craft": "xo"}, ["a burst", "clean images"])
    >>> [dots.get_offsets().tolist() for dots in ax.collections[:2]]
    [[[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0]]]
    >>> plots.plt.close(fig)
    """
    letters = np.array([list(word) for word in rows.values()])
    for letter, face in (("x", BLUE), ("o", "white")):
        down, across = np.nonzero(letters == letter)
        axes.scatter(across, down, s=140, facecolors=face, edgecolors=BLUE, linewidths=1.2, zorder=2)
    axes.hlines(np.arange(len(rows)) + 0.5, -0.5, len(columns) - 0.5, color="lightgray", linewidth=0.8)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.set_xticks(range(len(columns)), [name.replace(" ", "\n", 1) for name in columns])
    axes.set_yticks(range(len(rows)), list(rows))
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


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
