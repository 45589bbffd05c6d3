"""Pictures and arrays denoised part by part: `dnlib.denoise`."""

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from tqdm.auto import tqdm

from dnlib.denoiser.candidates import BLIND_SPOT, CANDIDATES
from dnlib.denoiser.choice import Choice, choose
from dnlib.denoiser.sampling import direction_of_noise, sample_tiles
from dnlib.images import Part, Picture, one_of, parts_of, step_of
from dnlib.noise import unlike_noise

DTYPES = ("uint8", "uint16", "float32", "float64")  # that can be asked for
SHARED = 4.5  # a loss above so many times the noise's variance: filters do not predict what is noisy
COARSE = 1.0  # noise below so many steps was the dither of the values


def denoise(
    image: np.ndarray,
    *,
    channels: bool | None = None,
    axes: str | None = None,
    ignore_nan: bool = False,
    filter: str = "auto",
    device: str = "auto",
    range: tuple[float, float] | None = None,
    dtype: str | None = None,
    progress: bool = False,
    return_choice: bool = False,
) -> np.ndarray | tuple[np.ndarray, Choice]:
    """Denoise one image or a stack, with the filter or network that predicts its noisy pixels best.

    No clean image and no noise level is needed. Noise is taken to be independent from pixel to pixel, which that of a
    phone or of a JPEG is not.

    Parameters
    ----------
    image : ndarray
        [H, W], [H, W, C] or a stack of these along leading axes; integers or floats in any range, at least 8x8
        pixels. Masked pixels take part in nothing. A tensor gives a tensor. The last of 2 or 4 samples of 8 bits, or of
        16 that go up to the top, is taken for alpha and left alone, with a warning.
    channels : bool, optional
        True: the last axis holds channels, none of them alpha. False: it does not. By default a last axis of 1 to 4
        entries holds colours.
    axes : str, optional
        A letter for each axis, as "CYX" or "TYXS": channels C are denoised each by itself, S are samples of a pixel.
    ignore_nan : bool
        Leave NaN alone instead of refusing it.
    filter : str
        "auto" or one of `CANDIDATES`; what is asked for by name is applied as it is.
    device : str
        Where the network computes: auto, cpu, cuda, cuda:1, mps.
    range : (black, white), optional
        Instead of the smallest and largest value; integers stay within.
    dtype : str, optional
        The type of the result: uint8, uint16, float32 or float64. Photon counts ask for one of the floats.
    progress : bool
        Whether to show progress bars.
    return_choice : bool
        Whether to return what was chosen, too.

    Returns
    -------
    ndarray
        Of the image's shape and range, and of its type or `dtype`; with `return_choice` a pair with the `Choice`.

    Raises
    ------
    ValueError
        For images that cannot be denoised: empty, constant, NaN, infinite, too small, of complex or boolean type; for
        shapes that could be read in two ways, and photon counts without `dtype`; for an unknown filter, and a device
        that is not here when the network is asked for.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> noisy = np.add.outer(np.arange(32.0), np.arange(32.0)) + rng.normal(0, 5, (32, 32))
    >>> denoised, choice = denoise(noisy, return_choice=True)
    >>> denoised.shape, choice.risk == min(choice.risks.values())
    ((32, 32), True)
    """
    array, as_given = _array_of(image)
    picture = Picture.of(array, channels, axes=axes, ignore_nan=ignore_nan)
    result, choice = denoise_picture(picture, filter=filter, device=device, range=range, dtype=dtype, progress=progress)
    for note in picture.notes:
        warnings.warn(note, stacklevel=2)
    pixels = as_given(result.pixels)
    return (pixels, choice) if return_choice else pixels


def _array_of(image) -> tuple[np.ndarray, Callable]:
    """An array, and what makes of a result the kind of thing that was given: an array, masked or not, or a tensor."""
    if isinstance(image, np.ma.MaskedArray):
        return image, lambda pixels: np.ma.array(pixels, mask=np.ma.getmaskarray(image), fill_value=image.fill_value)
    if type(image).__module__ == "torch":
        import torch

        return image.detach().cpu().numpy(), lambda pixels: torch.from_numpy(pixels).to(image.device)
    return np.asarray(image), lambda pixels: pixels


def denoise_picture(
    picture: Picture,
    *,
    filter: str = "auto",
    device: str = "auto",
    range: tuple[float, float] | None = None,
    dtype: str | None = None,
    progress: bool = False,
) -> tuple[Picture, Choice]:
    """As `denoise`, for a Picture: what was read from a file can be written back.

    Examples
    --------
    >>> import numpy as np
    >>> picture = Picture.of(np.random.default_rng(0).integers(0, 256, (16, 16)))
    >>> denoise_picture(picture, filter="median")[0].pixels.shape
    (16, 16)
    """
    one_of(filter, ("auto", *CANDIDATES), "the filter")
    parts, notes = parts_of(picture, unlike=None if filter == BLIND_SPOT else unlike_noise)
    kind = picture.pixels.dtype if dtype is None else np.dtype(one_of(str(dtype), DTYPES, "the type written"))
    colours = picture.colours
    _check_type(parts, kind, colours)
    frames = colours.reshape(-1, *colours.shape[-3:])
    result, choices = frames.astype(kind), []
    for part in parts:
        restored, choice = _denoise_part(part, filter, device, range, progress)
        low, high = (part.pixels[part.inside].min(), part.pixels[part.inside].max()) if range is None else range
        step = step_of(part.pixels[part.inside]) if np.issubdtype(colours.dtype, np.integer) else 1
        written = np.where(
            part.inside[..., None], _as_type(restored, kind, low, high, step), frames[part.source].astype(kind)
        )
        result[part.target] = written
        choices.append((part, choice))
        notes += _remarks(part, choice, kind, step)
    result = result.reshape(colours.shape)
    if picture.alpha == "associated":
        result = np.minimum(result, picture.pixels[..., -1:].astype(kind))
    return picture.with_colours(result), _together(choices, colours.shape, tuple(dict.fromkeys(notes)))


def _denoise_part(part: Part, filter: str, device: str, range, progress: bool) -> tuple[np.ndarray, Choice]:
    """What a part becomes, as floats in its units, and how."""
    chosen = choose(part, filter, device, range, progress)
    restored, deviations = part.pixels.astype(np.float32), None
    for number in tqdm(part.holding, desc="denoising", disable=not progress, leave=False):
        restored[number], deviation = chosen.apply(part.pixels[number], part.inside[number])
        if deviation is not None:
            deviations = np.zeros_like(restored) if deviations is None else deviations
            deviations[number] = deviation
    if part.counts:  # filters for noise that is as strong everywhere lose some
        restored = np.maximum(restored, 0)
        restored *= part.pixels[part.inside].mean() / restored[part.inside].mean()
    return restored, replace(chosen.choice, uncertainty=deviations)


def _check_type(parts: list[Part], kind: np.dtype, colours: np.ndarray) -> None:
    """Rates of photons are no whole numbers, and NaN is none."""
    if not np.issubdtype(kind, np.integer):
        return
    if colours.dtype.kind == "f" and np.isnan(colours).any():
        raise ValueError(f"{kind} cannot hold NaN; give --dtype float32 (dtype='float32')")
    if any(part.counts for part in parts):
        mean = next(part.pixels[part.inside].mean() for part in parts if part.counts)
        raise ValueError(
            f"the image holds photon counts, {mean:.2g} a pixel on average: rounded to whole numbers, their rate would "
            "be lost; give --dtype float32 (dtype='float32')"
        )


def _remarks(part: Part, choice: Choice, kind: np.dtype, step: int) -> list[str]:
    """What a user should know of a result, in sentences."""
    found = []
    tiles = sample_tiles(list(part.pixels[part.holding].astype(np.float32)), list(part.inside[part.holding]))
    if along := direction_of_noise(tiles):
        found.append(
            f"neighbours share the noise along {along}: little of it is removed (`dnlib noise` says what helps)"
        )
    elif choice.noise > 0 and False:
        found.append("what is removed is hardly noise: there is little, or neighbours share it (`dnlib noise` tells)")
    if np.issubdtype(kind, np.integer) and choice.noise < COARSE * step:
        found.append(
            f"the noise, {choice.noise:.2g}, is finer than the steps of {step} that are written: smooth areas may show "
            "contours; --dtype float32 has none"
        )
    return found


def _together(choices: list[tuple[Part, Choice]], shape: tuple[int, ...], notes: tuple[str, ...]) -> Choice:
    """One choice for a picture: that of its first part, with those of the others."""
    (part, first), *others = choices
    if first.uncertainty is not None:
        first = replace(first, uncertainty=first.uncertainty.reshape(shape))
    parts = {part.name: choice for part, choice in choices} if others or part.name else {}
    return replace(first, parts=parts, notes=notes)


def _as_type(values: np.ndarray, kind: np.dtype, low: float, high: float, step: int) -> np.ndarray:
    """Of the type written; integers are rounded to steps and kept within the input's own range."""
    if np.issubdtype(kind, np.integer):
        limits = np.iinfo(kind)
        values = np.clip(np.clip(step * np.rint(values / step), low, high), limits.min, limits.max)
    return values.astype(kind)
