"""Diagrams of the methods, in one template: what goes in, the network, what it is compared with; red is hidden.

They are drawn from the objects that run: what a network is shown is caught on its way in, and what an answer does not
depend on is where its gradient is exactly zero. `method_diagrams` and `network_diagrams` draw in this template.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnlib.course import plots

if TYPE_CHECKING:
    from torch import Tensor, nn

INK = "#333333"


class Panel(NamedTuple):
    """A picture of a diagram.

    Parameters
    ----------
    pixels : ndarray [H, W] or [H, W, 3]
        In [0, 1]; values beyond are clipped for display.
    title : str
        Above it.
    hidden : ndarray [H, W] of bool, optional
        Drawn red: what is hidden.
    idle : ndarray [H, W] of bool, optional
        Veiled: what takes no part.
    ring : (int, int), optional
        Row and column of the pixel that is spoken of.
    """

    pixels: np.ndarray
    title: str
    hidden: np.ndarray | None = None
    idle: np.ndarray | None = None
    ring: tuple[int, int] | None = None


class Box(NamedTuple):
    """What is done between two pictures: a network, or a step."""

    text: str


WIDTHS = {Panel: 1.0, Box: 1.05, str: 0.62}


def draw(*rows: Sequence[Panel | Box | str], height: float = 2.0, note: str = "") -> Figure:
    """A diagram: rows of pictures, boxes with arrows, and words between them.

    Parameters
    ----------
    *rows : sequence of Panel, Box or str
        From left to right.
    height : float
        Of a row, in inches.
    note : str
        Below all of them, such as what brightness means.

    Returns
    -------
    matplotlib.figure.Figure
        For :func:`dnlib.course.plots.show`.

    Examples
    --------
    >>> fig = draw([Panel(np.zeros((4, 4)), "in"), Box("blur"), Panel(np.ones((4, 4)), "out")])
    >>> [axes.get_title() for axes in fig.axes]
    ['in', '', 'out']
    >>> plots.plt.close(fig)
    """
    columns = max(map(len, rows))
    widths = [max(WIDTHS[type(row[place])] for row in rows if place < len(row)) for place in range(columns)]
    fig, axes = plots.figure(
        len(rows),
        columns,
        width=height * 0.86 * sum(widths),
        height=height * len(rows) + (0.25 if note else 0),
        width_ratios=widths,
        squeeze=False,
    )
    for ax in axes.flat:
        ax.set_axis_off()
    for row, line in zip(rows, axes, strict=True):
        for part, ax in zip(row, line, strict=False):
            _draw(ax, part)
    if note:
        fig.supxlabel(note, fontsize=8, color=INK)
    return fig


def _draw(ax: Axes, part: Panel | Box | str) -> None:
    if isinstance(part, Panel):
        _picture(ax, part)
    elif isinstance(part, str):
        ax.text(0.5, 0.5, part, ha="center", va="center", color=INK, fontsize=9)
    else:
        look = {"boxstyle": "round,pad=0.5", "facecolor": "#dbe9f6", "edgecolor": plots.BLUE}
        arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.2}
        ax.annotate("", (1.04, 0.5), (-0.04, 0.5), arrowprops=arrow, annotation_clip=False)
        ax.text(0.45, 0.5, part.text, ha="center", va="center", fontsize=8, bbox=look)


def _picture(ax: Axes, panel: Panel) -> None:
    plots.image(ax, panel.pixels, panel.title)
    ax.title.set_fontsize(8.5)
    for mask, colour in ((panel.idle, (1, 1, 1, 0.82)), (panel.hidden, (0.84, 0.15, 0.16, 0.85))):
        if mask is not None:
            ax.imshow(np.where(mask[..., None], colour, 0.0), interpolation="nearest")
    if panel.ring is not None:
        ax.plot(panel.ring[1], panel.ring[0], "o", markersize=9, markerfacecolor="none", markeredgecolor=plots.BLUE)


@contextmanager
def calls(network: "nn.Module", *, cut: bool = False) -> "Iterator[list[Tensor]]":
    """What a network of one argument is shown meanwhile, call by call: a list of tensors.

    cut: whether its answers carry no gradient back to what it was shown.

    Examples
    --------
    >>> import torch
    >>> network = torch.nn.Identity()
    >>> with calls(network) as made:
    ...     _ = network(torch.zeros(1, 2))
    >>> made
    [tensor([[0., 0.]])]
    """
    made = []

    def catch(module, shown, answer):
        made.append(shown[0].detach())
        return answer.detach() if cut else answer

    with network.register_forward_hook(catch):
        yield made


def sees(function: "Callable[[Tensor], Tensor]", image: "Tensor", place: tuple[int, int]) -> np.ndarray:
    """How far the answer at a place follows each pixel [H, W]: the size of its gradient, exactly 0 where it does not.

    Parameters
    ----------
    function : callable
        Images [N, C, H, W] to anything of the same height and width.
    image : Tensor [1, C, H, W]
        Where the gradient is taken.
    place : (int, int)
        Row and column.

    Examples
    --------
    >>> import torch
    >>> sees(torch.nn.AvgPool2d((1, 3), 1, (0, 1)), torch.rand(1, 1, 3, 5), (1, 2)).round(2).tolist()[1]
    [0.0, 0.33, 0.33, 0.33, 0.0]
    """
    from torch import nn

    if isinstance(function, nn.Module):  # fast float32 convolutions round where they should give zero
        function, image = copy.deepcopy(function).double().eval(), image.double()
    image = image.detach().clone().requires_grad_()
    function(image)[0, :, place[0], place[1]].sum().backward()
    return image.grad[0].abs().sum(dim=0).numpy()


def label(network: "nn.Module") -> str:
    """What stands in a network's box: its name, and how many weights it has.

    Examples
    --------
    >>> from torch import nn
    >>> print(label(nn.Conv2d(1, 2, 3)))
    Conv2d
    20 weights
    """
    weights = sum(parameter.numel() for parameter in network.parameters())
    return f"{type(network).__name__}\n{weights:,} weights"
