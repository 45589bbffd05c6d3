"""Raw frames denoised by a method that learned from their packed planes."""

from torch import Tensor

from dnlib.methods.base import Method
from dnlib.noise import pack, unpack


def denoise_raw(
    method: Method,
    raw: Tensor,
    pattern: str = "RGGB",
    *,
    parameter: Tensor | float | None = None,
    tile: int | None = None,
) -> Tensor:
    """A mosaic, denoised by a method that learned from packed planes.

    Parameters
    ----------
    method : Method
        Made for 4 channels.
    raw : Tensor [N, 1, H, W]
        Light in [0, 1], of even height and width.
    pattern : str
        Of the colours in the first two rows: one of `dnlib.noise.PATTERNS`.
    parameter, tile
        As `Method.denoise` takes them; tiles are counted in pixels of the planes, half as many as in the mosaic.

    Returns
    -------
    Tensor [N, 1, H, W]
        Still a mosaic, to be developed.

    Raises
    ------
    ValueError
        As `dnlib.noise.pack` and `Method.denoise`.

    Examples
    --------
    >>> import torch
    >>> from dnlib.methods import Noise2Noise
    >>> from dnlib.networks import DnCNN
    >>> denoise_raw(Noise2Noise(DnCNN(4, 3, 8)), torch.rand(1, 1, 12, 16)).shape
    torch.Size([1, 1, 12, 16])
    """
    return unpack(method.denoise(pack(raw, pattern), parameter, tile=tile).mean, pattern)
