"""A picture in memory, with what must survive a round trip through a file."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from dnlib.images.axes import axes_of, channel_axis, frames_back, frames_last, in_order, too_small
from dnlib.images.metadata import Metadata

NO_DATA = (-9999, -32768, -32767, -99999, -3.4028234663852886e38, 3.4028234663852886e38, 1e20, 9.969209968386869e36)
"""Values that programs write where nothing was measured."""


@dataclass(frozen=True)
class Picture:
    """An image in memory: its pixels as stored, and what must survive a round trip through a file.

    Attributes
    ----------
    pixels
        As in the file or array.
    axes
        A letter for each axis (`axes_of`).
    alpha
        "unassociated" or "associated" if the last sample is alpha, the latter with colours multiplied by it; else "".
    valid
        [..., H, W], False where nothing was measured; None: everywhere.
    metadata
        What the file says about the pixels.
    notes
        What a user should know about how it was read, in sentences.

    Examples
    --------
    >>> Picture.of(np.zeros((64, 48, 4), np.uint8)).first.shape  # without alpha
    (64, 48, 3)
    """

    pixels: np.ndarray
    axes: str
    alpha: str = ""
    valid: np.ndarray | None = None
    metadata: Metadata = field(default_factory=Metadata)
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        pixels: np.ndarray,
        channels: bool | None = None,
        *,
        axes: str | None = None,
        alpha: str | None = None,
        ignore_nan: bool = False,
    ) -> "Picture":
        """Wrap an array, if it can be denoised.

        Parameters
        ----------
        pixels
            Integers or floats of any width. What a masked array masks takes part in nothing; of other arrays, pixels of
            a usual no-data value that lies far from all others.
        channels
            Whether the last axis holds channels, none of them alpha; None: a last axis of 1 to 4 entries holds samples.
        axes
            A letter for each axis, instead of `channels`.
        alpha
            Which kind of alpha the last sample is; "": none. None takes the last of 2 or 4 samples for alpha if they
            are of 8 bits, or of 16 bits and it goes up to the top.
        ignore_nan
            Leave NaN alone instead of refusing it.

        Raises
        ------
        ValueError
            For fewer than two dimensions, less than 8x8 pixels, NaN, infinities, what are no real numbers, and shapes
            that could be read in two ways.
        """
        mask = np.ma.getmaskarray(pixels) if isinstance(pixels, np.ma.MaskedArray) else None
        return cls.laid_out(pixels, channels, axes=axes, alpha=alpha).masked(None, ignore_nan, mask)

    @classmethod
    def laid_out(
        cls, pixels: np.ndarray, channels: bool | None = None, *, axes: str | None = None, alpha: str | None = None
    ) -> "Picture":
        """As `of`, its values not yet looked at."""
        pixels = np.asarray(pixels)
        pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
        if pixels.dtype.kind not in "iuf":
            raise ValueError(
                f"the image has type {pixels.dtype}; integers and real floating-point numbers are accepted"
            )
        told, axes = axes is not None, axes_of(pixels.shape, axes, channels)
        if pixels.size == 0 or min(pixels.shape[axes.index(letter)] for letter in "YX") < 8:
            raise ValueError(f"the image has shape {list(pixels.shape)}{too_small(pixels.shape, axes, told)}")
        notes = []
        if alpha is None:
            alpha = _guessed_alpha(pixels, axes) if channels is None else ""
            if alpha:
                notes.append(f"the last of {pixels.shape[-1]} samples is taken for alpha (--channels: it is a channel)")
        return cls(pixels, axes, alpha, notes=tuple(notes))

    def masked(
        self, no_data: float | None, ignore_nan: bool, mask: np.ndarray | None = None, *, name: str = "the image"
    ) -> "Picture":
        """With `valid`, or refused by its name; no_data: the value of pixels where nothing was measured, or found."""
        if mask is None and no_data is None and self.pixels.dtype.kind == "u":
            return self
        left_out, notes = np.zeros(self.pixels.shape, bool) if mask is None else mask, list(self.notes)
        if ignore_nan and self.pixels.dtype.kind == "f":
            left_out = left_out | np.isnan(self.pixels)
        if no_data is None and mask is None:
            no_data = _evident_no_data(self.pixels[~left_out] if left_out.any() else self.pixels.ravel())
            if no_data is not None:
                notes.append(f"pixels of the value {no_data:g} are taken for missing and left alone")
        if no_data is not None:
            if _can_hold(self.pixels.dtype, no_data):
                left_out = left_out | (np.isnan(self.pixels) if np.isnan(no_data) else self.pixels == no_data)
            else:
                notes.append(f"{name} says that {no_data:g} stands for no data, which {self.pixels.dtype} cannot hold")
        if bad := np.count_nonzero(~np.isfinite(self.pixels) & ~left_out):
            raise ValueError(
                f"{name} holds {bad} NaN or infinite values; replace them, or leave NaN alone with --ignore-nan "
                "(ignore_nan=True)"
            )
        if not left_out.any():
            return replace(self, notes=tuple(notes))
        if left_out.all() and name == "the image":
            raise ValueError("no pixel of the image was measured: all are NaN, masked or of the no-data value")
        return replace(self, valid=~frames_last(left_out, self.axes).any(axis=-1), notes=tuple(notes))

    @property
    def channels(self) -> bool:
        """Whether an axis holds samples or channels."""
        return bool(channel_axis(self.axes))

    @property
    def colours(self) -> np.ndarray:
        """The pixels without alpha, axes in one order: [..., H, W, C]."""
        moved = frames_last(self.pixels, self.axes)
        return moved[..., : moved.shape[-1] - bool(self.alpha)]

    @property
    def separate(self) -> bool:
        """Whether the channels are no colours of one picture: each has range and noise of its own."""
        return self.channels and ("S" not in self.axes or self.colours.shape[-1] not in (1, 3))

    @property
    def inside(self) -> np.ndarray:
        """[..., H, W], False where nothing was measured or alpha hides it."""
        moved = frames_last(self.pixels, self.axes)
        seen = moved[..., -1] > 0 if self.alpha else np.ones(moved.shape[:-1], bool)
        return seen if self.valid is None else seen & self.valid

    @property
    def first(self) -> np.ndarray:
        """The frame `shown` without alpha: [H, W] or [H, W, C], of the pixels' type and units."""
        colours = self.frame(self.shown).colours
        return colours[..., 0] if colours.shape[-1] == 1 else colours

    @property
    def shown(self) -> int:
        """The number of the first frame that is not constant where it counts; 0 if all are."""
        if self.count == 1:
            return 0
        frames = map(self.frame, range(self.count))
        seen = enumerate(frame.colours[frame.inside] for frame in frames)
        return next((number for number, values in seen if values.size and values.min() < values.max()), 0)

    @property
    def first_inside(self) -> np.ndarray:
        """Where the frame of `first` counts: [H, W]."""
        return self.frame(self.shown).inside

    @property
    def view(self) -> np.ndarray:
        """The frame of `first` as floats: gray, or three colours; of other channels the first alone."""
        frame = self.first.astype(float)
        return frame if frame.ndim == 2 or frame.shape[-1] == 3 else frame[..., 0]

    @property
    def frame_axes(self) -> str:
        """The letters of the axes that count frames."""
        return in_order(self.axes)[: -2 - self.channels]

    @property
    def axes_of_frame(self) -> str:
        """The letters of all other axes, in their order."""
        return "".join(letter for letter in self.axes if letter not in self.frame_axes)

    @property
    def count(self) -> int:
        """How many frames there are."""
        return math.prod(self.pixels.shape[self.axes.index(letter)] for letter in self.frame_axes)

    def place(self, number: int) -> tuple[int | slice, ...]:
        """Where in the pixels a frame lies."""
        lengths = [self.pixels.shape[self.axes.index(letter)] for letter in self.frame_axes]
        numbers = dict(zip(self.frame_axes, map(int, np.unravel_index(number, lengths)), strict=True))
        return tuple(numbers.get(letter, slice(None)) for letter in self.axes)

    def frame(self, number: int) -> "Picture":
        """One of the frames as a picture, a view; counted as in `colours`."""
        pixels = self.pixels[self.place(number)]
        valid = None if self.valid is None else self.valid.reshape(-1, *self.valid.shape[-2:])[number]
        return replace(self, pixels=pixels, axes=self.axes_of_frame, valid=valid, notes=())

    @property
    def is_stack(self) -> bool:
        """Whether there is more than one frame's worth of axes, or channels that are no colours."""
        return self.pixels.ndim > 2 + ("S" in self.axes)

    def with_colours(self, colours: np.ndarray) -> "Picture":
        """The same picture with new colours; alpha, layout and metadata are kept."""
        if self.alpha:
            old = frames_last(self.pixels, self.axes)[..., -1:]
            colours = np.concatenate([colours, old.astype(colours.dtype)], axis=-1)
        return replace(self, pixels=self.as_given(colours))

    def as_given(self, values: np.ndarray) -> np.ndarray:
        """Values [..., H, W, C], one for each of the colours, with the picture's own axes in their order."""
        return np.ascontiguousarray(frames_back(values, self.axes))

    def told(self, *notes: str) -> "Picture":
        """The same picture with more notes."""
        return replace(self, notes=(*self.notes, *notes))


def _guessed_alpha(pixels: np.ndarray, axes: str) -> str:
    """Whether the last sample can be alpha: 8 bits, or 16 that are used up to the top."""
    if not axes.endswith("S") or pixels.shape[-1] not in (2, 4) or pixels.dtype not in ("uint8", "uint16"):
        return ""
    return "unassociated" if pixels.dtype == np.uint8 or pixels[..., -1].max() > 0.9 * 65535 else ""


def _can_hold(kind: np.dtype, value: float) -> bool:
    """Whether a value that a file names is one of its type: -9999 and NaN are none of uint8."""
    if kind.kind == "f":
        return True
    limits = np.iinfo(kind)
    return float(value).is_integer() and limits.min <= value <= limits.max


def _evident_no_data(values: np.ndarray) -> float | None:
    """A usual no-data value that lies farther from all others than they spread, three times over."""
    if values.dtype.kind == "u" or values.size == 0:
        return None
    for value in (values.min(), values.max()):
        if np.isfinite(value) and np.isclose(np.float64(value), NO_DATA, rtol=1e-6, atol=0).any():
            rest = values[values != value].astype(np.float64)
            if rest.size and np.abs(rest - float(value)).min() > 3 * max(np.ptp(rest), 1e-300):
                return float(value)
    return None
