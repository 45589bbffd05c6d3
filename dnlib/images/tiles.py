"""Large images worked through tile by tile, so that memory stays bounded."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def by_tiles(
    function: Callable[["Tensor"], tuple["Tensor", ...]], image: "Tensor", *, side: int = 512, margin: int = 64
) -> tuple["Tensor", ...]:
    """What `function` answers for [N, C, H, W], worked out tile by tile, so that memory stays bounded.

    function: gives images of its argument's height and width. It sees `margin` more pixels on each side of a tile of
    side x side than are kept; both are multiples of 32, so that poolings fall as in the whole image.
    """
    height, width = image.shape[2:]
    if max(height, width) <= side + 2 * margin:
        return function(image)
    parts = None
    for top in range(0, height, side):
        for left in range(0, width, side):
            above, before = min(top, margin), min(left, margin)
            answers = function(image[:, :, top - above : top + side + margin, left - before : left + side + margin])
            if parts is None:
                parts = tuple(answer.new_empty((*answer.shape[:2], height, width)) for answer in answers)
            for part, answer in zip(parts, answers, strict=True):
                kept = answer[:, :, above : above + side, before : before + side]
                part[:, :, top : top + side, left : left + side] = kept
    return parts
