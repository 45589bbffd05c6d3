"""What an inspection found, in words for whoever took the picture, and as numbers for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from dnlib.noise.traces import CLIPPED

if TYPE_CHECKING:
    from dnlib.noise.inspection import Inspection

CORRELATED = 0.1  # a correlation above this counts
SURE = 0.15  # the same for an estimate, which texture pulls away from zero
VISIBLE = 0.05 / 255  # of the range: what is brighter by less is not worth one
IMPOSSIBLE = 0.02  # share of the power below zero that is worth a sentence
HALF = 0.5  # share of the pixels; where more are black or white, the others tell too little of the picture
UNEVEN = 0.8  # of the strength that equal noise would have where it is weakest, below which the level is a rough one
TURNS, DEEPEST = 50, 1  # of the search for what was clipped, and how many deviations below black it is looked for


def sentence_of(found: Inspection) -> str:
    """Level, dependence on brightness and reach of the noise in one sentence."""
    how = "measured against the clean image" if found.exact else "estimated from this one image"
    how = "measured between two shots" if found.shots else how
    level = f"{as_read(found.level)} {found.unit}"
    return f"Noise of standard deviation {level} ({how}), {_dependence_of(found)}; {_reach_of(found)}."


def paragraph_of(found: Inspection) -> str:
    """The sentence, then range, colours, clipping and what the file went through, and what of this course fits."""
    low, high = found.range.low, found.range.high
    said = [
        found.sentence,
        f"Black is {low:g} and white {high:g}; {found.saturated:.1%} of the pixels are at one of these.",
    ]
    said += [
        *_colours(found),
        *_clipping(found),
        *_history(found),
        *_unevenness(found),
        *_impossible(found),
        _fitting(found),
    ]
    if found.saturated > HALF:
        said.append(
            "All of this is of the pixels that are neither black nor white: what the others were is not in the "
            "picture, and no method brings it back."
        )
    return " ".join(said)


def record_of(found: Inspection) -> dict:
    """The same as plain numbers and lists, which can be written as JSON; what is not known is None."""
    record = {
        "level": found.level,
        "unit": found.unit,
        "black": found.range.low,
        "white": found.range.high,
        "measured": found.exact,
        "brightness": found.brightness.tolist(),
        "deviation": found.deviation.tolist(),
        "colours": [
            {"brightness": brightness.tolist(), "deviation": deviation.tolist()}
            for brightness, deviation in found.curves
        ],
        "covariance": found.covariance.tolist(),
        "correlation_map": found.map.tolist(),
        "lag_1": {"right": found.lag_1[0], "down": found.lag_1[1]},
        "radius": found.radius,
        "direction": direction_of(found),
        "saturated": found.saturated,
        "black_share": found.black,
        "white_share": found.bright,
        "jpeg_blocks": found.blocks,
        "enlarged": found.enlarged,
        "weakest_share": found.weakest,
        "text": paragraph_of(found),
    }
    return _without_nan(record)


def _without_nan(value: object) -> object:
    """None for numbers that JSON has no word for, also in lists and dicts."""
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def direction_of(found: Inspection) -> str:
    """Along what neighbours share the noise: "none", "rows", "columns", "all directions", or "unknown"."""
    if np.isnan(found.lag_1).all():
        return "unknown"
    right, down = np.nan_to_num(found.lag_1)
    if found.radius == 0:
        return "none"
    if max(right, down) > 3 * max(min(right, down), 0) + CORRELATED:
        return "rows" if right > down else "columns"
    return "all directions"


def as_read(level: float) -> str:
    """A level with one digit after the point, or with four where that says little."""
    return f"{level:.1f}" if 1 <= level < 1e5 else f"{level:.4g}"


def _dependence_of(found: Inspection) -> str:
    """How the noise depends on brightness."""
    darkest, brightest = found.deviation[[0, -1]]
    if darkest == 0:
        return f"with none in the darkest {'and brightest ' if brightest == 0 else ''}areas"
    if not 0.8 < (ratio := brightest / darkest) < 1.25:
        return f"{ratio:.1f} times as strong in the brightest as in the darkest areas"
    return "about as strong in dark as in bright areas"


def _reach_of(found: Inspection) -> str:
    """How far neighbours share the noise, and what follows."""
    right, down = ("unknown" if np.isnan(value) else f"{value:.2f}" for value in found.lag_1)
    along = direction_of(found)
    if along == "unknown":
        return "too few pixels tell whether neighbours share it"
    if along == "none":
        where = " where it is not clipped" if found.saturated > HALF else ""
        return f"neighbours do not share it: filters and blind spots will work{where}"
    if along in ("rows", "columns"):
        return (
            f"it runs along {along} (correlation {right} to the right, {down} down): filters take it for "
            f"picture; `methods.Noise2Void(network, struct=...)` with a kernel along {along} does not"
        )
    pixels = "1 pixel" if found.radius == 1 else f"{found.radius} pixels"
    return (
        f"neighbours share it (correlation {np.nanmax(found.lag_1):.2f}) up to {pixels} away: "
        f"a blind spot must be {2 * found.radius + 1} pixels wide"
    )


def _colours(found: Inspection) -> list[str]:
    """Level of each colour, and what colours share."""
    colours = len(found.curves)
    if colours == 1:
        return []
    levels = ", ".join(as_read(float(np.sqrt((deviation**2).mean()))) for _, deviation in found.curves)
    shared = found.covariance[np.triu_indices(colours, 1)]
    what = "the colours of a pixel have noise of their own"
    if np.abs(shared).max() > CORRELATED:
        what = f"the colours of a pixel share noise (correlation {shared.min():.2f} to {shared.max():.2f})"
    return [f"Channel by channel its level is {levels}; {what}."]


def _clipping(found: Inspection) -> list[str]:
    """How much clipping changes the mean of the darkest and brightest areas, in the channel where it does most."""
    said, white = [], found.range.white
    distances, deviations = white * found.curves[:, 0], found.curves[:, 1]
    for share, end, away, spread, adds, areas, too in (
        (found.black, "black", distances[:, 0], deviations[:, 0], "brighten", "darkest", "bright"),
        (found.bright, "white", white - distances[:, -1], deviations[:, -1], "darken", "brightest", "dark"),
    ):
        lift = max(lift_of(mean, deviation, clean=found.exact) for mean, deviation in zip(away, spread, strict=True))
        if share >= CLIPPED and lift >= VISIBLE * white:
            said.append(
                f"{share:.0%} of the values were clipped at {end}, where noise can only {adds}: the {areas} areas look "
                f"{as_read(lift)} {found.unit} too {too}, and averaging does not undo it."
            )
    return said


def lift_of(mean: float, deviation: float, clean: bool = False) -> float:
    """By how much clipping at 0 has raised the mean of Gaussian noise that now has this mean and deviation.

    clean: the mean is that before clipping.

    Both are known as functions of the mean and deviation before (a censored Gaussian; Tobin, Econometrica 1958), which
    are found by taking turns.
    """
    if deviation <= 0:
        return 0.0
    before, spread = mean, deviation
    for _ in range(TURNS):
        z = before / spread
        share, density = norm.cdf(z), norm.pdf(z)
        clipped = before * share + spread * density
        variance = (before**2 + spread**2) * share + before * spread * density - clipped**2
        spread = min(spread * deviation / np.sqrt(max(variance, 1e-12)), 10 * deviation)
        if not clean:
            before = max(before + mean - clipped, -DEEPEST * spread)
    return float((clipped if clean else mean) - before)


def _history(found: Inspection) -> list[str]:
    """JPEG and enlarging."""
    said = []
    if found.blocks:
        said.append(
            "Blocks of 8x8 pixels show that it was a JPEG file, which removed part of the noise and spread the rest."
        )
    if found.enlarged:
        said.append("Fine detail is missing, as after enlarging: reduce it to its former size first.")
    return said


def _unevenness(found: Inspection) -> list[str]:
    """Whether the smooth places differ by more than chance, so that one level does not describe them."""
    if not found.rough:
        return []
    return [
        f"Smooth places differ: in the tenth of them where it is weakest, the noise has {found.weakest:.0%} of the "
        "strength that equal noise would have. Some were smoothed when the file was made, or hold fine texture: the "
        "level is a rough one."
    ]


def _impossible(found: Inspection) -> list[str]:
    """Whether no noise has exactly this correlation."""
    if (share := found.impossible) <= IMPOSSIBLE:
        return []
    return [
        f"No noise has exactly this correlation, of which {share:.0%} of the power is below zero: fresh noise is drawn "
        "with the nearest that is possible."
    ]


def _fitting(found: Inspection) -> str:
    """Which chapters have what this noise needs."""
    along = direction_of(found)
    if along == "unknown":
        return "What fits depends on whether neighbours share the noise."
    if along == "none":
        return (
            "What fits: masks and blind spots (chapters 03a and 04), and `dnlib denoise`. Pixel shuffle (07) is made "
            "for other noise and would only cost detail."
        )
    if along in ("rows", "columns"):
        return (
            f"What fits: a mask along {along} (chapter 03b), or Patch-Craft (06) if there is a burst. Blind spots of "
            "one pixel (04) and pixel shuffle (07) do not."
        )
    return (
        "What fits: pixel shuffle, LG-BPN and SSID (chapters 07 to 09), or Patch-Craft (06) if there is a burst. Masks "
        "and blind spots of one pixel (03a and 04) would learn the noise."
    )
