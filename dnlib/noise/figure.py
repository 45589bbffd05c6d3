"""Noise drawn: how strong at which brightness, what neighbours share of it, and what colours do."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from dnlib.images import atomic
from dnlib.noise.inspection import Inspection

LOOK = {"axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "axes.titlesize": "medium"}
INK = "#010203"  # of all lines and letters of an SVG, before it is told what the reader's page has
LIGHT, DARK = "#1a1a1a", "#e6e6e6"
LEAST = 1e-3  # a correlation that is drawn as none
COLOURS = (("red", "tab:red", "-"), ("green", "tab:green", "--"), ("blue", "tab:blue", ":"))


def draw_inspection(found: Inspection, path: Path) -> None:
    """A PNG of the noise against brightness, of each colour, of its correlation map, and of what colours share.

    Parameters
    ----------
    found : Inspection
        What is drawn.
    path : Path
        Of the file.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from dnlib.noise import inspect_image
    >>> path = Path(mkdtemp()) / "noise.png"
    >>> draw_inspection(inspect_image(np.random.default_rng(0).normal(100, 5, (64, 64))), path)
    >>> path.read_bytes()[1:4]
    b'PNG'
    """
    colours = len(found.curves)
    with rc_context(LOOK):
        figure = Figure((8 + 3 * (colours > 1), 3), layout="constrained")
        axes = figure.subplots(1, 2 + (colours > 1))
        draw_curves(axes[0], found)
        draw_map(axes[1], found)
        axes[1].set_title("correlation of neighbours")
        if colours > 1:
            _draw_shared(axes[2], found.covariance)
        said = ["measured" if found.exact else "estimated", f"{found.saturated:.1%} black or white"]
        said += ["JPEG blocks"] * found.blocks + ["enlarged"] * found.enlarged
        figure.suptitle(", ".join(said), fontsize="medium")
        with atomic(path) as temporary:
            figure.savefig(temporary, format="png", dpi=100)


def as_svg(draw: Callable[[Axes, Inspection], None], found: Inspection, width: float, height: float) -> str:
    """What `draw_curves` or `draw_map` draws as an SVG without background, its ink light where readers prefer dark.

    Parameters
    ----------
    draw : callable
        Draws on axes.
    found : Inspection
        What is drawn.
    width, height : float
        In inches.

    Examples
    --------
    >>> from dnlib.noise import inspect_image
    >>> picture = as_svg(draw_map, inspect_image(np.random.default_rng(0).normal(100, 5, (64, 64))), 4, 3)
    >>> "currentColor" in picture, "prefers-color-scheme" in picture, INK in picture
    (True, True, False)
    """
    inked = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    with rc_context({**LOOK, **dict.fromkeys(inked, INK), "svg.hashsalt": "noise"}):
        figure, written = Figure((width, height), layout="constrained"), io.StringIO()
        draw(figure.subplots(), found)
        figure.savefig(written, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    ink = f"svg {{ color: {LIGHT} }} @media (prefers-color-scheme: dark) {{ svg {{ color: {DARK} }} }}"
    return written.getvalue().replace(INK, "currentColor").replace("<defs>", f"<style>{ink}</style>\n <defs>", 1)


def draw_curves(axes: Axes, found: Inspection) -> None:
    """Draw how strong the noise of each colour is at which brightness; on the right in per cent of white.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where.
    found : Inspection
        What is drawn.

    Examples
    --------
    >>> from dnlib.noise import inspect_image
    >>> axes = Figure().subplots()
    >>> draw_curves(axes, inspect_image(np.random.default_rng(0).integers(90, 110, (64, 64, 3)).astype(np.uint8)))
    >>> [line.get_label() for line in axes.lines], axes.get_ylabel()
    (['red', 'green', 'blue'], 'standard deviation, of 255')
    """
    several = len(found.curves) > 1
    for number, (brightness, deviation) in enumerate(found.curves):
        label, colour, line = COLOURS[number] if len(found.curves) == 3 else (f"channel {number}", f"C{number}", "-")
        axes.plot(brightness, deviation, line, color=colour, marker="o", markersize=4, label=label if several else None)
    unit = found.unit if found.unit.startswith("of") else "in units of the picture"
    axes.set(xlabel="brightness, from black (0) to white (1)", ylabel=f"standard deviation, {unit}")
    axes.set(xlim=(0, 1), ylim=(0, 1.1 * found.curves[:, 1].max()))
    white = 100 / found.white
    right = axes.secondary_yaxis("right", functions=(lambda level: level * white, lambda share: share / white))
    right.set_ylabel("per cent of white")
    if several:
        axes.legend(fontsize="small")


def draw_map(axes: Axes, found: Inspection) -> None:
    """Draw what neighbours share of the noise, with a bar of the colours.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where.
    found : Inspection
        What is drawn.

    Examples
    --------
    >>> from dnlib.noise import inspect_image
    >>> axes = Figure().subplots()
    >>> draw_map(axes, inspect_image(np.random.default_rng(0).normal(100, 5, (64, 64))))
    >>> axes.get_xlabel(), axes.get_ylabel(), axes.images[0].get_array().shape
    ('pixels to the right', 'pixels down', (9, 9))
    """
    draw_correlation_map(axes, found.map)
    axes.set(xlabel="pixels to the right", ylabel="pixels down")
    axes.figure.colorbar(axes.images[0], ax=axes, label="correlation, of either sign", format="%g")


def draw_correlation_map(axes: Axes, values: np.ndarray, title: str = "") -> None:
    """Draw a map of correlations on a logarithmic scale: white is 1, black a thousandth or less, of either sign.

    Blue is what is not known (NaN).

    Parameters
    ----------
    values : ndarray
        [2 reach + 1, 2 reach + 1], the zero lag in the middle, as :func:`dnlib.noise.correlation_map` returns it.

    Examples
    --------
    >>> axes = Figure().subplots()
    >>> draw_correlation_map(axes, np.array([[0, 0.1, 0], [-0.1, 1, 0.1], [0, 0.1, 0]]))
    >>> axes.images[0].get_array()[1].tolist()
    [0.1, 1.0, 0.1]
    """
    reach = len(values) // 2
    size, sides = np.clip(np.abs(values), LEAST, 1), (-reach - 0.5, reach + 0.5, reach + 0.5, -reach - 0.5)
    axes.imshow(size, cmap=colormaps["magma"].with_extremes(bad="tab:blue"), norm=LogNorm(LEAST, 1), extent=sides)
    ticks = sorted({-reach, 0, reach} | ({-4, 4} if reach > 6 else set()))
    axes.set(xticks=ticks, yticks=ticks, title=title)


def _draw_shared(axes: Axes, covariance: np.ndarray) -> None:
    """What colours share, as squares with numbers."""
    ticks = range(len(covariance))
    axes.imshow(covariance, vmin=-1, vmax=1, cmap="RdBu_r")
    axes.set(title="correlation of channels", xticks=ticks, yticks=ticks)
    for row, column in np.ndindex(covariance.shape):
        dark = abs(covariance[row, column]) > 0.7
        place = {"ha": "center", "va": "center", "color": "white" if dark else "black"}
        axes.text(column, row, f"{covariance[row, column]:.2f}", **place)
