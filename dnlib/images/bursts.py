"""Short sequences of one scene, as float32 tensors [M, C, H, W] in [0, 1]: read from files, or made of one photograph.

The middle frame is the one to be denoised, so their number is odd.
"""

import math
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from skimage.transform import AffineTransform, warp
from torch import Tensor
from torch.nn import functional

from dnlib.images.arrays import to_tensor, to_unit
from dnlib.images.files import image_files
from dnlib.images.reading import read
from dnlib.images.zarrs import is_zarr

CLIPPED = 0.1  # share of black and white values beyond which to warn
PLACE = 16  # pixels to a side of the places whose brightness is compared
SAME = 0.9  # correlation of the places of two frames, above which these show the same view
LIGHT = 0.05  # share by which a place may be brighter or darker than in the middle frame


def read_burst(folder: Path, *, frames: int = 7, first: int = 0, step: int = 1) -> Tensor:
    """A burst from the images of a folder, in natural order of their names.

    Parameters
    ----------
    folder
        Where they lie; all have one size. A single file there, or its own name, is a stack of them.
    frames
        How many are taken: an odd number, at least 3.
    first, step
        Every `step`-th image, from number `first` on.

    Returns
    -------
    torch.Tensor
        float32 [M, C, H, W], integers scaled to [0, 1]; the middle frame is the one to be denoised.

    Raises
    ------
    FileNotFoundError
        Without enough images.
    ValueError
        For an even number of frames, impossible numbers, differing sizes, or what `check_burst` refuses.

    Examples
    --------
    >>> import tempfile
    >>> from dnlib.images import Picture, write
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for number in range(8, 11):
    ...         pixels = np.random.default_rng(number).random((16, 24, 3), np.float32)
    ...         lost = write(f"{folder}/frame_{number}.tif", Picture.of(pixels))
    ...     read_burst(folder, frames=3).shape
    torch.Size([3, 3, 16, 24])
    """
    _odd(frames)
    if step < 1 or first < 0:
        raise ValueError(f"frames are taken from number 0 or later, every 1st or more; {first} and {step} were given")
    found = _frames(Path(folder))
    chosen = found[first::step][:frames]
    if len(chosen) < frames:
        raise FileNotFoundError(
            f"{frames} frames, every {step}th from number {first} on, need {first + (frames - 1) * step + 1} images; "
            f"{folder} has {len(found)}"
        )
    images = [to_tensor(frame()) for _, frame in chosen]
    names = [name for name, _ in chosen]
    shapes = {tuple(image.shape[1:]): name for image, name in zip(images, names, strict=True)}
    if len(shapes) > 1:
        words = ", ".join(f"{name} has {list(shape)}" for shape, name in shapes.items())
        raise ValueError(f"the frames of a burst have one shape [C, H, W]; {words}")
    return check_burst(torch.cat(images), names=names)


def set_in_motion(
    photograph: np.ndarray,
    *,
    frames: int = 7,
    shape: tuple[int, int] = (240, 320),
    shift: float = 2.0,
    rotation: float = 0.4,
    zoom: float = 0.004,
    moving: bool = True,
    seed: int = 0,
) -> Tensor:
    """A burst of one photograph: a camera that moves, turns, and comes nearer or goes.

    Parameters
    ----------
    photograph
        [H, W] or [H, W, C]: floats in [0, 1], or integers, which `to_unit` scales.
    frames
        An odd number, at least 3.
    shape
        Height and width of the frames, in pixels.
    shift, rotation, zoom
        How far the camera goes from frame to frame, in pixels, degrees and shares, in a direction that `seed` draws.
    moving
        Let a disc of another part of the picture cross it on a path of its own.
    seed
        Of the directions.

    Returns
    -------
    torch.Tensor
        float32 [M, C, h, w] in [0, 1].

    Raises
    ------
    ValueError
        For an even number of frames, or a photograph too small for them.

    Examples
    --------
    >>> from dnlib.images import photo
    >>> set_in_motion(photo("astronaut"), frames=3, shape=(64, 80)).shape
    torch.Size([3, 3, 64, 80])
    """
    _odd(frames)
    rng, times = np.random.default_rng(seed), np.arange(frames) - frames // 2
    photograph = to_unit(photograph)
    picture = photograph[..., None] if photograph.ndim == 2 else photograph
    turn, signs = rng.uniform(0, 2 * math.pi), rng.choice([-1, 1], 2)
    reach = abs(times).max() * shift + 0.5 * math.hypot(*shape) * abs(times).max() * (math.radians(rotation) + zoom) + 2
    if any(side < wanted + 2 * reach for side, wanted in zip(picture.shape[:2], shape, strict=True)):
        raise ValueError(
            f"frames of {shape[0]}x{shape[1]} that move by up to {reach:.0f} pixels do not fit into a photograph of "
            f"{picture.shape[0]}x{picture.shape[1]}; make them smaller, or move less"
        )
    made = []
    for t in times:
        path = t * shift * np.array([math.cos(turn), math.sin(turn)])
        frame = _view(picture, shape, path, math.radians(t * rotation * signs[0]), 1 + t * zoom * signs[1])
        if moving:
            frame = _with_disc(frame, picture, t * shift)
        made.append(to_tensor(np.clip(frame, 0, 1).astype(np.float32)))
    return torch.cat(made)


def check_burst(burst: Tensor, *, names: list[str] | None = None) -> Tensor:
    """The burst itself, if one can learn from it.

    It warns of a cut, a frame that differs far more from the one before than the others do; of frames in another light
    than the middle one; and of clipped frames.

    Parameters
    ----------
    burst
        Floats [M, C, H, W].
    names
        What messages call the frames.

    Raises
    ------
    ValueError
        For what is no burst, an even number of frames, NaN, or a frame equal to the middle one.

    Examples
    --------
    >>> check_burst(torch.rand(3, 1, 8, 8)).shape
    torch.Size([3, 1, 8, 8])
    """
    if burst.ndim != 4 or not burst.is_floating_point():
        raise ValueError(
            f"a burst is a float tensor [M, C, H, W]; {burst.dtype} of shape {list(burst.shape)} was given"
        )
    _odd(len(burst))
    names, middle = names or [f"frame {t}" for t in range(len(burst))], len(burst) // 2
    for t, frame in enumerate(burst):
        if not torch.isfinite(frame).all():
            raise ValueError(f"{names[t]} has pixels that are NaN or infinite")
        if t != middle and torch.equal(frame, burst[middle]):
            raise ValueError(
                f"{names[t]} and {names[middle]}, the middle one, are equal: a target made of it would hold the noise "
                "of the input, and the network would learn to keep it; leave one of them out"
            )
    for doubt in _doubts(burst, names):
        warnings.warn(doubt, stacklevel=2)
    return burst


def _doubts(burst: Tensor, names: list[str]) -> Iterator[str]:
    """What may spoil learning from a burst, in sentences."""
    steps = (burst[1:] - burst[:-1]).abs().mean(dim=(1, 2, 3))
    cut = int(steps.argmax())
    if len(steps) > 2 and steps[cut] > 3 * steps.median():
        yield (
            f"there seems to be a cut before {names[cut + 1]}: it differs {steps[cut] / steps.median():.1f} times as "
            "much from the frame before as is usual in this burst"
        )
    if unlike := _in_other_light(burst):
        told = ", ".join(f"{names[t]} {factor:.2f} times" for t, factor in unlike.items())
        yield (
            f"frames have more or less light than {names[len(burst) // 2]}, the middle one: {told}; what is learnt "
            "from them is as bright: take frames of one exposure, or bring them to one brightness"
        )
    clipped = float(((burst <= 0) | (burst >= 1)).float().mean())
    if clipped > CLIPPED and burst.min() >= 0 and burst.max() <= 1:
        yield (
            f"{clipped:.0%} of the burst's values are black or white: where noise is cut off it has a mean, and that "
            "will be learnt"
        )


def _in_other_light(burst: Tensor) -> dict[int, float]:
    """The frames that show the middle one's view, but brighter or darker in three places of four; and how much."""
    places = functional.avg_pool2d(burst.mean(dim=1, keepdim=True), min(PLACE, *burst.shape[2:])).flatten(1)
    apart = places - places.mean(dim=1, keepdim=True)
    same_view = functional.cosine_similarity(apart, apart[len(burst) // 2][None]) > SAME
    factors = places / places[len(burst) // 2].clamp(min=1e-6)
    brighter = factors.quantile(0.25, dim=1) > 1 + LIGHT
    darker = factors.quantile(0.75, dim=1) < 1 - LIGHT
    unlike = (same_view & (brighter | darker)).nonzero()[:, 0].tolist()
    return {t: float(factors[t].median()) for t in unlike}


def _frames(place: Path) -> list[tuple[str, Callable[[], np.ndarray]]]:
    """The names of all frames, and what reads each."""
    paths = [place] if place.is_file() or is_zarr(place) else image_files(place)
    if len(paths) != 1:
        return [(path.name, lambda path=path: read(path).first) for path in paths]
    stack = read(paths[0])
    numbers = range(stack.count)
    return [(f"frame {n} of {paths[0].name}", lambda n=n: stack.frame(n).first) for n in numbers]


def _odd(frames: int) -> None:
    if frames < 3 or frames % 2 == 0:
        raise ValueError(
            f"a burst has an odd number of frames, at least 3, so that one is in the middle; {frames} were given"
        )


def _view(picture: np.ndarray, shape: tuple[int, int], shift: np.ndarray, angle: float, scale: float) -> np.ndarray:
    """What a camera sees that looks at the middle of the picture, moved by `shift` (rows, columns)."""
    centre, middle = (np.array(picture.shape[:2]) - 1) / 2 + shift, (np.array(shape) - 1) / 2
    around = AffineTransform(translation=-middle[::-1]) + AffineTransform(rotation=angle, scale=(scale, scale))
    return warp(picture, around + AffineTransform(translation=centre[::-1]), output_shape=shape, order=3, clip=False)


def _with_disc(frame: np.ndarray, picture: np.ndarray, position: float) -> np.ndarray:
    """A disc showing the upper left of the picture, on its way through the frame from left to right."""
    height, width = frame.shape[:2]
    radius = min(height, width) // 8
    centre = np.array([0.35 * height, 0.5 * width + 1.5 * position])
    y, x = np.indices((height, width)) - centre[:, None, None]
    cover = np.clip(radius + 0.5 - np.hypot(y, x), 0, 1)[..., None]
    carried = AffineTransform(translation=(radius + 4 - centre)[::-1])  # the disc shows the same wherever it is
    shown = warp(picture, carried, output_shape=(height, width), order=3)
    return (1 - cover) * frame + cover * shown
