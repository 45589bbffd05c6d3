"""A picture in memory, with what must survive a round trip through a file."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Picture:
    """An image in memory: its pixels as stored, and what must survive a round trip through a file.

    Attributes
    ----------
    pixels
        [..., H, W] or [..., H, W, C] with C from 1 to 4; leading axes are a stack. The last of 2 or 4 channels is
        alpha.
    channels
        Whether the last axis holds colours.
    icc_profile
        What the colours mean, as the file had it.

    Examples
    --------
    >>> Picture.of(np.zeros((64, 48, 4), np.uint8)).first.shape  # without alpha
    (64, 48, 3)
    """

    pixels: np.ndarray
    channels: bool
    icc_profile: bytes | None = None

    @classmethod
    def of(cls, pixels: np.ndarray, channels: bool | None = None) -> "Picture":
        """Wrap an array, if it can be denoised.

        Parameters
        ----------
        pixels
            Integers or floats of any width.
        channels
            Whether the last axis holds colours; None takes a last axis of 1 to 4 entries for colours.

        Raises
        ------
        ValueError
            For fewer than two dimensions, less than 8x8 pixels, NaN, infinities, and what are no real numbers.
        """
        pixels = np.asarray(pixels)
        pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
        shape = list(pixels.shape)
        if pixels.dtype.kind not in "iuf":
            raise ValueError(
                f"the image has type {pixels.dtype}; integers and real floating-point numbers are accepted"
            )
        if channels is None:
            channels = pixels.ndim >= 3 and pixels.shape[-1] <= 4
        if pixels.ndim < 2 + channels or (channels and not 1 <= shape[-1] <= 4):
            raise ValueError(
                f"the image has shape {shape}; [H, W], [H, W, C] with C from 1 to 4, and stacks of these are accepted"
            )
        height, width = shape[-3:-1] if channels else shape[-2:]
        if pixels.size == 0 or height < 8 or width < 8:
            raise ValueError(f"the image has shape {shape}; at least 8x8 pixels are needed")
        if not np.isfinite(pixels).all():
            bad = np.size(pixels) - np.count_nonzero(np.isfinite(pixels))
            raise ValueError(f"the image holds {bad} NaN or infinite values; replace them before denoising")
        return cls(pixels, bool(channels))

    @property
    def colours(self) -> np.ndarray:
        """The pixels without alpha, always with a channel axis: [..., H, W, 1 or 3]."""
        if not self.channels:
            return self.pixels[..., None]
        return self.pixels[..., : self.pixels.shape[-1] - self.has_alpha]

    @property
    def first(self) -> np.ndarray:
        """The first frame without alpha: [H, W] or [H, W, 3], of the pixels' type and units."""
        frame = self.colours.reshape(-1, *self.colours.shape[-3:])[0]
        return frame[..., 0] if frame.shape[-1] == 1 else frame

    @property
    def view(self) -> np.ndarray:
        """The same as floats."""
        return self.first.astype(float)

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return self.channels and self.pixels.shape[-1] in (2, 4)

    @property
    def is_stack(self) -> bool:
        """Whether there is more than one frame's worth of axes."""
        return self.pixels.ndim > 2 + self.channels

    def with_colours(self, colours: np.ndarray) -> "Picture":
        """The same picture with new colours; alpha, layout and profile are kept."""
        if not self.channels:
            return replace(self, pixels=colours[..., 0])
        if self.has_alpha:
            colours = np.concatenate([colours, self.pixels[..., -1:]], axis=-1)
        return replace(self, pixels=colours)
