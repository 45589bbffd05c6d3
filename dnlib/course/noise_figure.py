"""The picture of `dnlib noise --picture`."""

from pathlib import Path

import numpy as np

from dnlib.course import plots
from dnlib.images import atomic
from dnlib.noise import Inspection


def draw_inspection(found: Inspection, path: Path) -> None:
    """A PNG of the noise against brightness, of each colour, of its correlation map, and of what colours share."""
    colours = len(found.curves)
    figure, axes = plots.figure(1, 2 + (colours > 1), width=8 + 3 * (colours > 1), height=3)
    for number, (brightness, deviation) in enumerate(found.curves):
        axes[0].plot(brightness, deviation, "o-", label=f"channel {number}", **_look_of(number, colours))
    axes[0].set(xlabel="brightness", ylabel=f"standard deviation, {found.unit}", ylim=(0, None), xlim=(0, 1))
    plots.correlation_map(axes[1], found.map, "correlation of neighbours")
    if colours > 1:
        axes[0].legend(fontsize="small")
        axes[2].imshow(found.covariance, vmin=-1, vmax=1, cmap="RdBu_r")
        axes[2].set(title="correlation of channels", xticks=range(colours), yticks=range(colours))
        for row, column in np.ndindex(colours, colours):
            axes[2].text(column, row, f"{found.covariance[row, column]:.2f}", ha="center", va="center")
    figure.suptitle(_title_of(found), fontsize="medium")
    with atomic(path) as temporary:
        figure.savefig(temporary, format="png")
    plots.plt.close(figure)


def _look_of(number: int, colours: int) -> dict:
    """Red, green and blue in their colours."""
    return {"color": ("tab:red", "tab:green", "tab:blue")[number]} if colours == 3 else {}


def _title_of(found: Inspection) -> str:
    """How it was found, and what the file went through."""
    parts = ["measured" if found.exact else "estimated", f"{found.saturated:.1%} black or white"]
    parts += ["JPEG blocks"] * found.blocks + ["enlarged"] * found.enlarged
    return ", ".join(parts)
