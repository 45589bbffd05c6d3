"""Strips: pictures beside what was removed from them; maps of correlation, and of what an answer sees, in one scale."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnlib.course import plots


def with_removed(
    pictures: Mapping[str, np.ndarray],
    *,
    limit: float = 0.3,
    unit: str = "of white",
    low: float = 0.0,
    high: float = 1.0,
    width: float = 9.0,
) -> Figure:
    """Draw a noisy picture, a result, what was removed, and what the result is to be compared with.

    Parameters
    ----------
    pictures : mapping
        Title -> [H, W] or [H, W, 3], all of one shape: first the noisy one, then the result, then any others.
    limit : float
        What was removed where it is drawn in the deepest red or blue.
    unit : str
        Of the pictures' values, beside the bar of these colours.
    low, high : float
        Black and white in the pictures.
    width : float
        Of the figure, in inches.

    Returns
    -------
    matplotlib.figure.Figure
        For :func:`dnlib.course.plots.show`.

    Examples
    --------
    >>> picture = np.zeros((4, 6))
    >>> fig = with_removed({"noisy": picture + 0.1, "denoised": picture, "clean": picture})
    >>> [axes.get_title() for axes in fig.axes]
    ['noisy', 'denoised', 'removed', 'clean', '']
    >>> plots.plt.close(fig)
    """
    (noisy, result, *_), count = pictures.values(), len(pictures) + 1
    rows, columns = noisy.shape[:2]
    fig, axes = plots.figure(1, count, width=width, height=0.4 + width / count * rows / columns)
    for ax, (title, pixels) in zip(np.delete(axes, 2), pictures.items(), strict=True):
        plots.image(ax, pixels, title, low=low, high=high)
    plots.residual(axes[2], noisy - result, "removed", limit=limit)
    plots.bar(axes[2], unit)
    return fig


def correlation_maps(
    axes: Sequence[Axes], maps: Mapping[str, np.ndarray], unit: str = "correlation, of either sign"
) -> None:
    """Draw correlation maps, lags at the left and below, and one bar of colours for all of them.

    Parameters
    ----------
    axes : array of matplotlib.axes.Axes, of any shape
        At least as many as there are maps; those left over stay empty.
    maps : mapping
        Title -> [2 reach + 1, 2 reach + 1], as :func:`dnlib.noise.correlation_map` returns it.
    unit : str
        Beside the bar.

    Examples
    --------
    >>> fig, axes = plots.figure(1, 2)
    >>> correlation_maps(axes, {"white": np.eye(3), "rows": np.ones((3, 3))})
    >>> [(ax.get_title(), ax.get_ylabel()) for ax in fig.axes]
    [('white', 'lag in rows'), ('rows', ''), ('', 'correlation, of either sign')]
    >>> plots.plt.close(fig)
    """
    used = np.ravel(axes)[: len(maps)]
    for ax, (title, values) in zip(used, maps.items(), strict=True):
        plots.correlation_map(ax, values, title)
    _label(used, "lag in rows", "lag in columns")
    plots.bar(used, unit)


def sensitivity_maps(
    axes: Sequence[Axes],
    fields: Mapping[str, np.ndarray],
    *,
    weakest: float = 1e-6,
    unit: str = "log10 of the strongest",
) -> None:
    """Draw how strongly each pixel moves an answer in the middle, and one bar of colours for all of them.

    Parameters
    ----------
    axes : array of matplotlib.axes.Axes, of any shape
        At least as many as there are fields; those left over stay empty.
    fields : mapping
        Title -> [H, W], zero or more; its strongest pixel is the brightest.
    weakest : float
        Black, as a share of the strongest.
    unit : str
        Beside the bar.

    Examples
    --------
    >>> fig, axes = plots.figure(1, 2)
    >>> sensitivity_maps(axes, {"sees all": np.ones((3, 3)), "a diagonal": np.eye(3)}, weakest=1e-4)
    >>> [ax.images[0].get_array()[0].tolist() for ax in axes]
    [[0.0, 0.0, 0.0], [0.0, -4.0, -4.0]]
    >>> plots.plt.close(fig)
    """
    used = np.ravel(axes)[: len(fields)]
    for ax, (title, field) in zip(used, fields.items(), strict=True):
        seen = np.asarray(field)
        rows, columns = (n / 2 for n in seen.shape)
        shade = np.log10(np.maximum(seen / seen.max(), weakest))
        around = (-columns, columns, rows, -rows)
        ax.imshow(shade, cmap="magma", vmin=np.log10(weakest), vmax=0, extent=around)
        ax.set_title(title)
    _label(used, "rows away", "columns away")
    plots.bar(used, unit)


def _label(used: Sequence[Axes], rows: str, columns: str) -> None:
    """Name what goes down at the left edge, and what goes across at the bottom."""
    for ax in used:
        place = ax.get_subplotspec()
        if ax is used[0] or place.is_first_col():
            ax.set_ylabel(rows)
        if place.is_last_row():
            ax.set_xlabel(columns)
