"""Networks, drawn as they are: sizes measured while they run, receptive fields by their gradients."""

import copy
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from dnlib.course import plots
from dnlib.course.diagrams import INK, Box, Panel, draw, label, sees
from dnlib.images import to_image
from dnlib.networks import BlindPatch, BlindSpotUNet, UNet

DECADES = 4  # from black to white, on a logarithmic scale
SCALE = "brightness: logarithm of the gradient"  # what `fields` draws, for the note of a diagram


def shapes(network: nn.Module, image: Tensor) -> list[tuple[str, tuple[int, ...]]]:
    """What the parts of a network answer with, in the order in which they run: (name, (channels, height, width)).

    Parameters
    ----------
    network : nn.Module
        With parts `first`, `encoder`, `decoder` and `tail`, as `UNet`.
    image : Tensor [N, C, H, W]
        What it is shown.

    Examples
    --------
    >>> from dnlib.networks import Noise2CleanUNet
    >>> for name, shape in shapes(Noise2CleanUNet(1, 8, depth=2), torch.rand(1, 1, 16, 16)):
    ...     print(name, shape)
    first (8, 16, 16)
    encoder 0 (8, 16, 16)
    encoder 1 (8, 8, 8)
    encoder 2 (8, 4, 4)
    decoder 0 (16, 8, 8)
    tail (1, 16, 16)
    """
    parts = [("first", network.first), ("tail", network.tail)]
    parts += [(f"{name} {i}", part) for name in ("encoder", "decoder") for i, part in enumerate(getattr(network, name))]
    found: list[tuple[str, tuple[int, ...]]] = []

    def note(name: str) -> Callable:
        return lambda module, shown, answer: found.append((name, tuple(answer.shape[1:])))

    with ExitStack() as hooks, torch.no_grad():
        for name, part in parts:
            hooks.enter_context(part.register_forward_hook(note(name)))
        network(image)
    return found


def unet(network: UNet, image: Tensor) -> Figure:
    """A U-Net as a U: a bar for what each part answers with, as high as its images, arrows for what is handed over.

    image: [N, C, H, W], what it is shown.
    """
    found = [("image", tuple(image.shape[1:])), *shapes(network, image)]
    sides = [shape[1] for _, shape in found]
    levels = [round(np.log2(max(sides) / side)) for side in sides]
    fig, ax = plots.figure(width=9.5, height=3.6)
    ax.set(xlim=(-0.7, len(found) - 0.3), ylim=(-max(levels) - 0.75, 1.3))
    ax.set_axis_off()
    for x, ((name, shape), level) in enumerate(zip(found, levels, strict=True)):
        colour = plots.GRAY if name in ("image", "tail") else plots.BLUE if "decoder" not in name else plots.ORANGE
        ax.plot([x], [-level], "s", markersize=9, color=colour)
        ax.text(x, 0.22 - level, f"{shape[0]}", ha="center", fontsize=8, color=INK)
        ax.text(x, -0.48 - level, f"{shape[1]}×{shape[2]}", ha="center", fontsize=7, color=INK)
        if x:
            arrow = {"arrowstyle": "-|>", "color": INK, "shrinkA": 6, "shrinkB": 6}
            ax.annotate("", (x, -level), (x - 1, -levels[x - 1]), arrowprops=arrow)
    for start, end in _skips(found):
        arrow = {"arrowstyle": "-|>", "color": plots.GREEN, "linestyle": ":", "shrinkA": 8, "shrinkB": 8}
        arrow |= {} if start else {"connectionstyle": "arc3,rad=-0.12"}
        ax.annotate("", (end, -levels[end]), (start, -levels[start]), arrowprops=arrow)
    return fig


def _skips(found: list[tuple[str, tuple[int, ...]]]) -> list[tuple[int, int]]:
    """From which part to which features are handed over: those that meet at one size, the image to the tail first."""
    sizes = [shape[1:] for _, shape in found]
    ends = [place for place, (name, _) in enumerate(found) if "decoder" in name or name == "tail"]
    return [(max(p for p in range(min(ends)) if sizes[p] == sizes[end]) if end != ends[-1] else 0, end) for end in ends]


def fields(views: Mapping[str, Callable[[Tensor], Tensor]], image: Tensor) -> list[Panel]:
    """What functions of an image see from its middle, measured by gradients: bright where much, red where nothing.

    Parameters
    ----------
    views : mapping of str to callable
        Titles, and functions of images [N, C, H, W] of the same height and width.
    image : Tensor [1, C, H, W]
        Where the gradient is taken.

    Examples
    --------
    >>> (panel,) = fields({"a row": nn.AvgPool2d((1, 3), 1, (0, 1))}, torch.rand(1, 1, 5, 5))
    >>> panel.hidden.sum(), panel.ring
    (np.int64(22), (2, 2))
    """
    place = tuple(n // 2 for n in image.shape[2:])
    panels = []
    for title, function in views.items():
        values = sees(function, image, place)
        bright = 0.15 + 0.85 * (1 + np.log10(np.maximum(values / values.max(), 10.0**-DECADES)) / DECADES)
        panels.append(Panel(np.where(values > 0, bright, 0), title, hidden=values == 0, ring=place))
    return panels


def half_planes(network: BlindSpotUNet, image: Tensor) -> Figure:
    """The four branches of a blind-spot network, and what they see together.

    image: [1, C, H, W], where the gradients are taken.
    """
    names = ("above", "to the left", "below", "to the right")

    branch, image = copy.deepcopy(network.branch).double(), image.double()

    def looking(turns: int) -> Callable[[Tensor], Tensor]:
        return lambda x: torch.rot90(branch(torch.rot90(x, -turns, (2, 3))), turns, (2, 3))

    panels = fields({name: looking(turns) for turns, name in enumerate(names)}, image)
    joined = fields({"all four: all\nbut the hole": network}, image)
    return draw([*panels, Box("1×1\nconvolutions"), *joined], height=1.7, note=SCALE)


def branches(network: BlindPatch, image: Tensor) -> Figure:
    """LG-BPN's two branches: what each sees of the image, what both see, and what that is compared with.

    network: with both branches. image: [1, C, H, W], noisy, where the gradients are taken.
    """
    views = {
        "local branch": nn.Sequential(network.head, network.local),
        "global branch": nn.Sequential(network.head, network.global_),
    }
    panels, (both,) = fields(views, image), fields({"both": network}, image)
    ring = both.ring
    return draw(
        [
            Panel(to_image(image), "what goes in", ring=ring),
            *panels,
            Box(label(network)),
            both,
            "compared\nwith",
            Panel(to_image(image), "the noisy image itself", ring=ring),
        ],
        height=1.8,
    )
