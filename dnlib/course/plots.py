"""Figures for the chapters: one look, alt text on every picture, small files."""

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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


def figure(rows: int = 1, columns: int = 1, *, width: float = 9.0, height: float = 3.0, **options):
    """A figure and its axes in the course's style; sizes in inches."""
    return plt.subplots(rows, columns, figsize=(width, height), **options)


def show(figure: "Figure", alt: str) -> None:
    """Display a figure as a small PNG that says in words what it shows, and close it."""
    from IPython.display import display

    bundle = {"image/png": base64.b64encode(_png(figure)).decode(), "text/plain": alt}
    display(bundle, metadata={"image/png": {"alt": alt}}, raw=True)
    plt.close(figure)


def _png(figure: "Figure") -> bytes:
    """PNG bytes with 256 colours: noise compresses badly, and notebooks should stay small."""
    from PIL import Image

    raw, small = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", dpi=STYLE["figure.dpi"])
    pixels = Image.open(raw).convert("RGB")
    pixels.quantize(256, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def image(axes: "Axes", pixels: np.ndarray, title: str = "", *, low: float = 0.0, high: float = 1.0) -> None:
    """One image [H, W] or [H, W, 3] without ticks; values outside [low, high] are clipped for display only."""
    axes.imshow(np.clip((pixels - low) / (high - low), 0, 1), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_title(title)
    axes.set_axis_off()


def residual(axes: "Axes", difference: np.ndarray, title: str = "", *, limit: float = 0.3) -> None:
    """A signed difference image: red above zero, blue below, white at zero; colours are averaged."""
    plane = difference.mean(axis=-1) if difference.ndim == 3 else difference
    axes.imshow(plane, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    axes.set_title(title)
    axes.set_axis_off()


def correlation_map(axes: "Axes", values: np.ndarray, title: str = "") -> None:
    """A map [K, K] of correlations on a logarithmic scale: white is 1, black a thousandth or less, of either sign."""
    reach = len(values) // 2
    scale = np.log10(np.clip(np.abs(values), 1e-3, 1)) / 3 + 1
    axes.imshow(scale, cmap="magma", vmin=0, vmax=1, extent=(-reach - 0.5, reach + 0.5, reach + 0.5, -reach - 0.5))
    ticks = sorted({-reach, -4, 0, 4, reach})
    axes.set(xticks=ticks, yticks=ticks, title=title)


def gallery(
    pictures: Sequence[np.ndarray], titles: Sequence[str], *, width: float = 9.0, columns: int | None = None
) -> "Figure":
    """Images side by side in rows of `columns`; equal shapes are assumed for the figure's proportions."""
    columns = columns or len(pictures)
    rows = -(-len(pictures) // columns)
    ratio = pictures[0].shape[0] / pictures[0].shape[1]
    lines = max(title.count("\n") + 1 for title in titles)
    height = rows * (width / columns * ratio + 0.1 + 0.22 * lines)
    fig, axes = figure(rows, columns, width=width, height=height, squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, picture, title in zip(axes.flat, pictures, titles, strict=False):
        image(ax, picture, title)
    return fig
