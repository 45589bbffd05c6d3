"""Figures for the chapters: one look, alt text on every picture, small files."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnlib.course import pictures
from dnlib.noise import draw_correlation_map

BLUE, ORANGE, RED, GRAY, GREEN = "#1f77b4", "#ff7f0e", "#d62728", "#7f7f7f", "#2ca02c"
STYLE = {
    "figure.dpi": 90,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


plt.rcParams.update(STYLE)
correlation_map = draw_correlation_map


def figure(rows: int = 1, columns: int = 1, *, width: float = 9.0, height: float = 3.0, **options):
    """A figure and its axes in the course's style.

    Parameters
    ----------
    rows, columns : int
        Of axes.
    width, height : float
        In inches.
    **options
        For matplotlib.pyplot.subplots.

    Examples
    --------
    >>> fig, axes = figure(1, 3, width=6)
    >>> axes.shape, float(fig.get_figwidth())
    ((3,), 6.0)
    >>> plt.close(fig)
    """
    return plt.subplots(rows, columns, figsize=(width, height), **options)


def show(figure: Figure, alt: str) -> None:
    """Display a figure in true colour, its pictures enlarged by whole numbers, and close it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to show.
    alt : str
        What the picture shows, in words, for readers who do not see it.

    Examples
    --------
    >>> fig = gallery([np.zeros((4, 4))], ["black"])
    >>> show(fig, alt="a black square")  # a picture in a notebook, elsewhere its data
    {'image/png': '...', 'text/plain': 'a black square'}
    """
    from IPython.display import display

    kind, text = pictures.encoded(_pixels(figure))
    display({kind: text, "text/plain": alt}, metadata={kind: {"alt": alt}}, raw=True)
    plt.close(figure)


def _pixels(figure: Figure) -> np.ndarray:
    """[H, W, 3], uint8: the figure drawn."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    for _ in range(2):  # laid out once, maps that have grown or shrunk may cut off their titles
        canvas.draw()
    _zoom_by_whole_numbers(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def _zoom_by_whole_numbers(figure: Figure) -> None:
    """Shrink enlarged pictures where they stand, until their pixels are all equally wide on the screen."""
    figure.set_layout_engine("none")
    for axes in figure.axes:
        if axes.images and not axes.axison:
            box, (height, width) = axes.get_window_extent(), axes.images[0].get_array().shape[:2]
            if zoom := int(box.width / width + 0.01):
                left, bottom = round((box.x0 + box.x1 - zoom * width) / 2), round((box.y0 + box.y1 - zoom * height) / 2)
                place = (left, bottom, zoom * width, zoom * height)
                axes.set_position(np.divide(place, (*figure.bbox.size, *figure.bbox.size)))


def image(axes: Axes, pixels: np.ndarray, title: str = "", *, low: float = 0.0, high: float = 1.0) -> None:
    """Draw one image without ticks.

    Parameters
    ----------
    pixels : ndarray
        [H, W] or [H, W, 3].
    low, high : float
        Black and white; values beyond are clipped for display only.

    Examples
    --------
    >>> fig, axes = figure()
    >>> image(axes, np.array([[-1, 0.25, 2]]))
    >>> axes.images[0].get_array().tolist()
    [[0.0, 0.25, 1.0]]
    >>> plt.close(fig)
    """
    if pixels.ndim == 2:  # keeps its unit, for a bar
        axes.imshow(np.clip(pixels, low, high), cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    else:
        axes.imshow(np.clip((pixels - low) / (high - low), 0, 1), interpolation="nearest")
    axes.set_title(title)
    axes.set_axis_off()


def residual(axes: Axes, difference: np.ndarray, title: str = "", *, limit: float = 0.3) -> None:
    """Draw a signed difference: red above zero, blue below, white at zero.

    Parameters
    ----------
    difference : ndarray
        [H, W], or [H, W, 3], whose channels are averaged.
    limit : float
        The difference of the deepest red and blue.

    Examples
    --------
    >>> fig, axes = figure()
    >>> residual(axes, np.full((2, 2, 3), 0.1), limit=0.2)
    >>> axes.images[0].get_clim()
    (-0.2, 0.2)
    >>> plt.close(fig)
    """
    plane = difference.mean(axis=-1) if difference.ndim == 3 else difference
    axes.imshow(plane, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    axes.set_title(title)
    axes.set_axis_off()


def bar(axes: Axes | Sequence[Axes], label: str) -> None:
    """A bar of the colours of maps, residuals or gray images, with their unit, beside the last of them.

    Parameters
    ----------
    axes : matplotlib.axes.Axes, or several
        Of the maps, all in the same colours.
    label : str
        What the colours measure, and in which unit.

    Examples
    --------
    >>> fig, axes = figure(1, 2)
    >>> for ax in axes:
    ...     residual(ax, np.full((2, 2), 0.1))
    >>> bar(axes, "of white")
    >>> fig.axes[-1].get_ylabel()
    'of white'
    >>> plt.close(fig)
    """
    several = np.ravel(axes)
    several[-1].figure.colorbar(several[-1].images[0], ax=list(several), label=label, format="%g", shrink=0.8)


def gallery(
    pictures: Sequence[np.ndarray], titles: Sequence[str], *, width: float = 9.0, columns: int | None = None
) -> Figure:
    """Draw images side by side, as large as fits by a whole number; they are never reduced.

    Parameters
    ----------
    pictures : sequence of ndarray
        [H, W] or [H, W, 3] in [0, 1]; all are shown as large as the first, so theirs are its sides or a part of them.
    titles : sequence of str
        One above each.
    width : float
        Of the figure, in inches, unless pictures or titles need more.
    columns : int, optional
        Images in a row; all, if not given.

    Returns
    -------
    matplotlib.figure.Figure
        For :func:`show`.

    Examples
    --------
    >>> fig = gallery([np.zeros((4, 4))] * 3, ["a", "b", "c"], columns=2)
    >>> [axes.get_title() for axes in fig.axes]
    ['a', 'b', 'c']
    >>> plt.close(fig)
    """
    columns = columns or len(pictures)
    room = STYLE["figure.dpi"] * width / columns
    places = [*pictures, *[None] * (-len(pictures) % columns)]
    rows = [places[first : first + columns] for first in range(0, len(places), columns)]
    return strip(rows, titles, zoom=max(1, int(room / pictures[0].shape[1] + 0.1)))  # a tenth wider is near enough


def richest(picture: np.ndarray, side: int) -> tuple[slice, slice]:
    """Rows and columns worth a look: the square of most contrast in a picture, on a grid of 12 pixels.

    Parameters
    ----------
    picture : ndarray
        [H, W, C].
    side : int
        Of the square, in pixels; no larger than the picture.

    Examples
    --------
    >>> picture = np.zeros((60, 60, 3))
    >>> picture[40:50, 10:20] = 1
    >>> richest(picture, 30)
    (slice(24, 54, None), slice(0, 30, None))
    """
    rows, columns = (range(0, n - side + 1, 12) for n in picture.shape[:2])
    spots = [np.s_[y : y + side, x : x + side] for y in rows for x in columns]
    return max(spots, key=lambda spot: picture[spot].mean(axis=-1).std())


def strip(rows: Sequence[Sequence[np.ndarray | None]], titles: Sequence[str], *, zoom: int = 2) -> Figure:
    """Draw rows of small pictures, each of their pixels as zoom x zoom of the screen's, so that grain looks like grain.

    Parameters
    ----------
    rows : sequence of sequences of ndarray
        [H, W] or [H, W, 3] in [0, 1], all of one shape; None leaves a place empty.
    titles : sequence of str
        Above the pictures of the first row, then of the second, and so on; rows may be left without.
    zoom : int
        Of the pictures.

    Returns
    -------
    matplotlib.figure.Figure
        For :func:`show`.

    Examples
    --------
    >>> fig = strip([[np.zeros((10, 20)), np.ones((10, 20))]], ["black", "white"], zoom=3)
    >>> [[round(float(n)) for n in axes.get_window_extent().bounds[2:]] for axes in fig.axes]
    [[60, 30], [60, 30]]
    >>> plt.close(fig)
    """
    columns, gap, letter = len(rows[0]), 6, 6.5  # pixels
    height, width = (zoom * n for n in next(p for row in rows for p in row if p is not None).shape[:2])
    titles = [*titles, *[""] * (columns * len(rows) - len(titles))]
    above = [max(map(_head, titles[columns * row :][:columns])) for row in range(len(rows))]
    pitch = max(width, *(round(letter * len(line)) for title in titles for line in title.split("\n"))) + gap
    across, up = columns * pitch - gap, len(rows) * height + sum(above)
    fig = plt.figure(figsize=(across / STYLE["figure.dpi"], up / STYLE["figure.dpi"]), layout="none")
    for place, picture in enumerate(picture for row in rows for picture in row):
        row, column = divmod(place, columns)
        if picture is not None:
            left, bottom = column * pitch + (pitch - gap - width) // 2, up - sum(above[: row + 1]) - (row + 1) * height
            ax = fig.add_axes((left / across, bottom / up, width / across, height / up))
            image(ax, picture)
            ax.set_title(titles[place], fontsize=9, pad=4)
    return fig


def _head(title: str) -> int:
    """Pixels above a picture."""
    return 16 * (title.count("\n") + 1) + 4 if title else 6


def removed(noisy: np.ndarray, result: np.ndarray, times: float = 2.0) -> np.ndarray:
    """What was taken off, so many times as strong, around gray.

    Examples
    --------
    >>> removed(np.array([[0.3, 0.3]]), np.array([[0.2, 0.3]])).round(2).tolist()
    [[0.7, 0.5]]
    """
    return np.clip(0.5 + times * (noisy - result), 0, 1)
