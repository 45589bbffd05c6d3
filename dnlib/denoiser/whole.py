"""Pictures and arrays denoised part by part: `dnlib.denoise`."""

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dnlib.denoiser.choice import Choice
from dnlib.denoiser.plan import plan
from dnlib.images import Picture


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
    patience: float | None = None,
    uncertainty: bool = False,
    adapt: float | None = None,
    burst: bool = False,
    progress: bool = False,
    return_choice: bool = False,
) -> np.ndarray | tuple[np.ndarray, Choice]:
    """Denoise one image or a stack, with the filter or network that lowers its error most, and never at all costs.

    No clean image and no noise level is needed: noise is estimated from the image itself; neighbours may share it, and
    it may depend on brightness. How much of it a candidate removes, and what else, follows from that
    (`filters.stein_risk`). No more is taken off than does good; where nothing does, the image comes back as it is.

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
        "auto", one of `CANDIDATES`, or several whose mean is taken, as "ridge and white_noise_network"; what is asked
        for by name is applied as it is.
    device : str
        Where the network computes: auto, cpu, cuda, cuda:1, mps.
    range : (black, white), optional
        Instead of the smallest and largest value. At least half of the values lie between; those beyond stay there.
    dtype : str, optional
        The type of the result: uint8, uint16, float32 or float64. Values are not rescaled to fit it. Photon counts ask
        for one of the floats.
    patience : float, optional
        Seconds: candidates that would take longer on two cores of a laptop are not tried. By default a minute, or
        1.1 seconds for every million values where that is longer: 1.3 minutes for 24 megapixels in colour.
    uncertainty : bool
        Whether to estimate the standard deviation of every value, `Choice.uncertainty`, which takes five times as long:
        noise of the same kind is added to the result and taken off again, four times (`Choice.uncertainty_kind`).
    adapt : float, optional
        Seconds in which the best network, or the one asked for, is trained further on this very image, of 3 colours.
        It learns from recorrupted pairs between the sample tiles on which candidates are judged, and is one more of
        these where its error falls there for certain. Ctrl-C ends the training, not the work.
    burst : bool
        The frames of the stack are shots of one scene, one after the other: `adapt` learns from these, by Patch-Craft.
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
        shapes that could be read in two ways, and photon counts without `dtype`; for a range or type that many values
        do not fit; for an unknown filter, and a device that is not here. For `adapt`, if no network fits, or the time
        or the image is too small; for `burst` without it, or with fewer than three frames.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> noisy = np.add.outer(np.arange(32.0), np.arange(32.0)) + rng.normal(0, 5, (32, 32))
    >>> denoised, choice = denoise(noisy, return_choice=True)
    >>> denoised.shape, choice.risk < choice.noise**2
    ((32, 32), True)
    """
    array, as_given = _array_of(image, dtype)
    picture = Picture.of(array, channels, axes=axes, ignore_nan=ignore_nan)
    result, choice = denoise_picture(
        picture,
        filter=filter,
        device=device,
        range=range,
        dtype=dtype,
        patience=patience,
        uncertainty=uncertainty,
        adapt=adapt,
        burst=burst,
        progress=progress,
    )
    for note in picture.notes:
        warnings.warn(note, stacklevel=2)
    if choice.uncertainty is not None:
        choice = replace(choice, uncertainty=picture.as_given(choice.uncertainty))
    pixels = as_given(result.pixels)
    return (pixels, choice) if return_choice else pixels


def _array_of(image, dtype: str | None) -> tuple[np.ndarray, Callable]:
    """An array, and what makes of a result the kind of thing that was given: an array, masked or not, or a tensor."""
    if isinstance(image, np.ma.MaskedArray):
        return image, lambda pixels: np.ma.array(pixels, mask=np.ma.getmaskarray(image), fill_value=image.fill_value)
    if hasattr(image, "detach"):  # a tensor of torch, or a parameter
        import torch

        half = image.dtype == torch.bfloat16  # which NumPy does not have
        array = (image.float() if half else image).detach().cpu().numpy()
        return array, lambda pixels: torch.from_numpy(pixels).to(
            image.device, image.dtype if half and not dtype else None
        )
    return np.asarray(image), lambda pixels: pixels


def denoise_picture(picture: Picture, *, progress: bool = False, **options) -> tuple[Picture, Choice]:
    """As `denoise`, for a Picture: what was read from a file can be written back.

    Parameters
    ----------
    picture : Picture
        Of any kind.
    progress : bool
        Whether to show progress bars.
    **options
        filter, device, range, dtype, patience, uncertainty, adapt and burst, as of `denoise`.

    Examples
    --------
    >>> import numpy as np
    >>> picture = Picture.of(np.random.default_rng(0).integers(0, 256, (16, 16)))
    >>> denoise_picture(picture, filter="median")[0].pixels.shape
    (16, 16)
    """
    made = plan(picture, progress=progress, **options)
    result, uncertainty = made.whole(progress)
    return result, replace(made.choice, uncertainty=uncertainty)
