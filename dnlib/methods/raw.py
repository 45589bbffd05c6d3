"""Raw frames denoised by a method that learned from their packed planes."""

from torch import Tensor

from dnlib.methods.base import Method
from dnlib.noise import pack, unpack


def denoise_raw(method: Method, raw: Tensor, pattern: str = "RGGB") -> Tensor:
    """A mosaic [N, 1, H, W] denoised by a method that learned from packed planes; still a mosaic, to be developed.

    Raises ValueError as `pack`, and for a method whose network was not made for 4 channels.
    """
    return unpack(method.denoise(pack(raw, pattern)).mean, pattern)
