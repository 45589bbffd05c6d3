"""The picture of `dnlib noise --picture`."""

from pathlib import Path

from dnlib.course import plots
from dnlib.images import atomic
from dnlib.noise import Inspection


def draw_inspection(found: Inspection, path: Path) -> None:
    """A PNG of the noise against brightness and of its correlation map."""
    figure, (left, right) = plots.figure(1, 2, width=8, height=3)
    left.plot(found.brightness, found.deviation, "o-", color=plots.BLUE)
    left.set(xlabel="brightness", ylabel=f"standard deviation, {found.unit}", ylim=(0, None), xlim=(0, 1))
    plots.correlation_map(right, found.map, "correlation")
    figure.suptitle("measured" if found.exact else "estimated", fontsize="medium")
    with atomic(path) as temporary:
        figure.savefig(temporary, format="png")
    plots.plt.close(figure)
