"""The noise of image files, part by part: each channel, and each colour of a mosaic, has noise of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dnlib.images import Part, Picture, Range, Stack, filled, middle, opened, parts_of, read, step_between
from dnlib.noise.impulses import MIDDLE
from dnlib.noise.inspection import Inspection
from dnlib.noise.measure import check_shapes, inspect_image, inspect_pair, ranges_of_pair
from dnlib.noise.others import first_told, other_noise
from dnlib.noise.sentences import as_read

UNLIKE = 4.0  # colours whose noise differs more are taken each by itself; those of cameras differ up to threefold
DITHERED = 0.55  # steps between values: rounding and a dither before it leave up to 0.5
FRAMES = 8  # that are looked at besides the one that is inspected
LARGE = 64  # pixels to a side, from which on every third is enough
AS_NOISY = 0.7  # times the noise of the noisier of two shots, which the other has at least
EXPLAINED = 0.8  # times the noise of both together, which their difference has at least
APART = 3  # pixels, from which on a camera's neighbours hardly share noise


def inspect_files(
    noisy: str | Path, clean: str | Path | None = None, *, range: tuple[float, float] | None = None, **reading
) -> tuple[dict[str, Inspection], list[str]]:
    """`inspect_image` for every part of a file, or `inspect_pair` for two files.

    Of each part the first frame in which most of its colours vary is inspected. Rows and columns, unlike places and
    single pixels are looked for in it and in the middle of 8 later ones, spread evenly. Of two files the first frame is
    measured that varies in both; a file of one frame is compared with the first of the other's that varies.

    Parameters
    ----------
    noisy, clean : path
        Image files.
    range : (black, white), optional
        Instead of what is found.
    **reading
        As `dnlib.images.read` takes it.

    Returns
    -------
    dict of Inspection, list of str
        By the names of the parts, "" for a picture of one part; and what is to be said about them.

    Examples
    --------
    >>> import tempfile
    >>> from dnlib.images import Picture, write
    >>> noise = np.random.default_rng(0).normal(0.5, 0.1, (2, 64, 64)).astype(np.float32)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lost = write(f"{folder}/two.tif", Picture.of(noise, axes="CYX"))
    ...     list(inspect_files(f"{folder}/two.tif", axes="CYX")[0])
    ['channel 0', 'channel 1']
    """
    told = Range.told(*range) if range else None
    if clean is not None:
        found, notes = _inspect_pair_of_files(noisy, clean, told, **reading)
        return {"": found}, notes
    with opened(noisy, **reading) as stack:
        picture, numbers = _showing(stack)
        parts, said = parts_of(picture, unlike=unlike_noise)
        _check_no_counts(parts)
        found, others, inspected = {}, [], set()
        for part in parts:
            k = max(part.holding, key=lambda k: _varying(part.pixels[k], part.inside[k]).sum())
            frame, inside, number = part.pixels[k], part.inside[k], numbers[k]
            found[part.name] = known = inspect_image(frame, inside=inside, range=told)
            more = [("", _others(frame, inside, known)), *_later(stack, number, part, known)]
            notes = [*_rounding(frame, known), *first_told(more)]
            others += [f"{part.name}: {note}" if part.name else note for note in notes]
            inspected.add(number)
        if stack.count > 1:
            said = [*said, *(f"frame {number} of {stack.count} is inspected" for number in sorted(inspected))]
        return found, [*stack.notes, *said, *others]


def _inspect_pair_of_files(noisy: Path, clean: Path, told: Range | None, **reading) -> tuple[Inspection, list[str]]:
    """The noise of a file, measured with a file of its clean version or of another shot; and what is to be said."""
    first, second, inside, notes = read_pair(noisy, clean, **reading)
    found = inspect_pair(first, second, inside=inside, range=told)
    ranges = (told, told) if told else ranges_of_pair(first[inside], second[inside])
    if _another_shot((first, second), ranges, inside, found.level / found.white):
        notes.append(
            "the second picture is about as noisy as the first: it is not clean, and their "
            f"difference, {as_read(found.level)} {found.unit}, holds the noise of both; what is stated is of one, "
            "1.4 times less"
        )
        found = _of_one_shot(found)
    image, truth = (one.to_unit(frame) for one, frame in zip(ranges, (first, second), strict=True))
    return found, [*notes, *_shifted(image, truth), *_others(first, inside, found, truth).values()]


def _check_no_counts(parts: list[Part]) -> None:
    if any(part.counts for part in parts):
        mean = np.mean([part.pixels[part.inside].mean() for part in parts])
        raise ValueError(
            f"the image holds photon counts, {mean:.2g} a pixel on average: their noise needs no estimate: its "
            "variance is the rate of each pixel; `dnlib denoise --dtype float32` finds the rates"
        )


def _another_shot(
    pair: tuple[np.ndarray, np.ndarray], ranges: tuple[Range, Range], inside: np.ndarray, level: float
) -> bool:
    """Whether two images are about equally noisy, so that their difference, of this level in [0, 1], is noise of both.

    An estimate may take fine texture for noise; but texture is in both images, and so not in their difference.
    """
    try:
        found = [inspect_image(image, inside=inside, range=used) for image, used in zip(pair, ranges, strict=True)]
    except ValueError:  # too small, or nothing in one of them is noise
        return False
    levels = [one.level / one.white for one in found]
    return min(levels) > AS_NOISY * max(levels) and level > EXPLAINED * float(np.hypot(*levels))


def _of_one_shot(found: Inspection) -> Inspection:
    """The noise of one of two shots that have as much, from that of their difference."""
    curves = found.curves / np.array([1, np.sqrt(2)])[:, None]
    level, deviation = found.level / np.sqrt(2), found.deviation / np.sqrt(2)
    return replace(found, level=level, deviation=deviation, curves=curves, shots=True)


def read_pair(noisy: Path, clean: Path, **reading) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Two images [H, W] or [H, W, C], where both count [H, W], and notes; what does not count is filled.

    Of two stacks the same frame is taken, the first that varies in both.
    """
    pictures = [read(path, **reading) for path in (noisy, clean)]
    numbers = _compared(*pictures)
    frames = [picture.frame(number) for picture, number in zip(pictures, numbers, strict=True)]
    first, second = (frame.first for frame in frames)
    check_shapes(first, second)
    inside = frames[0].first_inside & frames[1].first_inside
    if not inside.any():
        raise ValueError("no pixel counts in both images: there is no noise to measure")
    first, second = (filled(image[None], inside[None])[0] for image in (first, second))
    notes = [note for picture in pictures for note in picture.notes]
    if number := max(numbers):
        notes.append(f"frame {number} of {max(picture.count for picture in pictures)} is measured")
    return first, second, inside, notes


def _compared(noisy: Picture, clean: Picture) -> tuple[int, int]:
    """Which frame of each picture is compared with that of the other."""
    if 1 in (noisy.count, clean.count):
        return noisy.shown, clean.shown
    if noisy.count != clean.count:
        raise ValueError(
            f"two stacks are compared frame by frame; one of {noisy.count} frames and one of {clean.count} were given"
        )
    for number in range(noisy.count):
        frames = noisy.frame(number), clean.frame(number)
        if all(_varying(frame.colours, frame.inside).any() for frame in frames):
            return number, number
    return noisy.shown, noisy.shown


def _others(
    frame: np.ndarray, inside: np.ndarray, found: Inspection, clean: np.ndarray | None = None
) -> dict[str, str]:
    """Sentences on the noise that an inspection does not describe, in its units. clean: in [0, 1]."""
    used = found.range
    variance = found.variance(frame) / (used.high - used.low) ** 2
    image = used.to_unit(frame)
    return other_noise(image, variance, inside, lambda level: f"{as_read(used.white * level)} {used}", clean=clean)


def _rounding(frame: np.ndarray, found: Inspection) -> list[str]:
    """Whether the noise of a frame [H, W, C] may be no more than rounding and dither, in a sentence."""
    used, step = found.range, step_between(frame)
    share = found.level / used.white * (used.high - used.low) / (step or np.inf)
    if not 0 < share <= DITHERED:
        return []
    return [f"values lie in steps of {step:.3g}, this noise is {share:.2g} of one: it may be rounding or dither alone"]


def _later(stack: Picture, first: int, part: Part, known: Inspection) -> Iterator[tuple[str, dict[str, str]]]:
    """The same for the middle of later frames, each with the number of the frame. first: that was inspected."""
    for number in np.unique(np.linspace(first, stack.count - 1, FRAMES + 1, dtype=int))[1:]:
        frame = stack.frame(number)
        later = part.at(frame.colours[None], frame.inside[None])
        for k in later.holding:
            image, inside = (middle(values, MIDDLE) for values in (later.pixels[k], later.inside[k]))
            yield f"frame {number}: ", _others(image, inside, known)


def _showing(stack: Picture) -> tuple[Picture, Sequence[int]]:
    """The frames to inspect, as one picture, and their numbers.

    These are all frames of a picture in memory. Of one that is read frame by frame, they are the first frames in which
    one more of the colours varies.
    """
    if not isinstance(stack, Stack):
        return stack, range(stack.count)
    kept, numbers, seen = [], [], np.zeros(stack.colours.shape[-1], bool)
    for number in range(stack.count):
        frame = stack.frame(number)
        new = ~seen & _varying(frame.colours, frame.inside)
        if new.any():
            kept, numbers, seen = [*kept, frame], [*numbers, number], seen | new
        if seen.all():
            break
    if not kept:
        return stack.frame(0), [0]
    colours, inside = (np.stack(values) for values in zip(*((one.colours, one.inside) for one in kept), strict=True))
    return Picture(colours, "QYXC" if stack.separate else "QYXS", valid=inside), numbers


def _varying(frame: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Which colours [C] of a frame [H, W, C] vary where it counts."""
    values = frame[inside]
    return values.min(axis=0) < values.max(axis=0) if len(values) else np.zeros(frame.shape[-1], bool)


def unlike_noise(frames: np.ndarray, inside: np.ndarray) -> bool:
    """Whether the noise of colours differs by far, so that each should be taken by itself.

    Parameters
    ----------
    frames : array [F, H, W, C]
        Of any real type; constant colours do not count.
    inside : array [F, H, W]
        False where pixels do not count; the rectangle around all others is looked at.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0, (1, 1, 5), (1, 64, 64, 3))
    >>> unlike_noise(noise, np.ones((1, 64, 64), bool)), unlike_noise(noise[..., :2], np.ones((1, 64, 64), bool))
    (True, False)
    """
    from skimage.restoration import estimate_sigma

    rows, columns = (np.flatnonzero(inside.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    number = int(np.argmax(inside.sum(axis=(1, 2))))
    frame = frames[number, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float64)
    colours = [colour for colour in np.moveaxis(frame, -1, 0) if np.ptp(colour) > 0]
    # the finest wavelets of every third pixel: of every one they would compare how smooth demosaicking left the colours
    step = APART if min(frame.shape[:2]) >= LARGE else 1
    levels = [level for colour in colours if (level := estimate_sigma(colour[::step, ::step])) > 0]
    return len(levels) > 1 and bool(max(levels) > UNLIKE * min(levels))


def _shifted(noisy: np.ndarray, clean: np.ndarray) -> list[str]:
    """Whether the two, both in [0, 1], lie a few pixels apart, in a sentence."""
    from skimage.registration import phase_cross_correlation

    first, second = (np.atleast_3d(image).mean(axis=2, dtype=float) for image in (noisy, clean))
    if not (np.ptp(first) and np.ptp(second)):
        return []
    first, second = first - first.mean(), second - second.mean()
    shift = phase_cross_correlation(first, second, normalization=None)[0].astype(int)
    moved = np.roll(second, shift, axis=(0, 1))
    if not shift.any() or np.var(first - moved) > 0.9 * np.var(first - second):
        return []
    return [f"the noisy image lies {shift[0]} pixels below and {shift[1]} right of the clean one: align them first"]
