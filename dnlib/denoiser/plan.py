"""How a picture is denoised, step by step; frames come one after the other, large ones in tiles, to save memory.

1. `glances`: a first look at every piece finds which hold something, and chooses samples. `images.parts_of` takes the
   samples apart into parts that are denoised separately. `limits`: black and white of a part, from then on 0 and 1.
2. `before`: rows or columns with offsets are levelled, impulses replaced.
3. `sampling`, `strength`: sample tiles and their noise. `drawn`: whether the picture was drawn, and has none.
4. `candidates`: classical filters and networks (`learned`), each in a few settings for such noise.
5. `judging`: each candidate is shown the tiles with a little more noise. How it answers gives its risk (Stein), and the
   share of what it removes that does good. `adapting`, `detail`: the best network is trained further, on the rest of
   the picture or on shots of one scene (`lessons`, `burst`).
6. `choosing`: the candidate of least risk, or the picture as it is. `tasks`: every piece is blended with what the
   chosen candidate makes of it.
7. `uncertainty`: how far off the result may be, if that is asked for.
8. `caveats`: what a user should know of the result. `choice` tells all of it in numbers.
9. `whole`: arrays in and out. `files`, `written`, `destinations`, `shots`: files. `page`, `panels`: a page to see it.
"""

from dataclasses import replace
from numbers import Real

import numpy as np

from dnlib.denoiser.adapting import check_adaptable, check_parts
from dnlib.denoiser.before import NOTHING, before_of
from dnlib.denoiser.burst import Burst
from dnlib.denoiser.candidates import CANDIDATES, TOGETHER
from dnlib.denoiser.caveats import with_notes
from dnlib.denoiser.choosing import choose
from dnlib.denoiser.glances import Glance, limits_of, look_at, samples_of, together
from dnlib.denoiser.limits import (
    check_counts,
    check_kept,
    check_type,
    check_values,
    fitting,
    told_range,
    without_hot_pixels,
)
from dnlib.denoiser.tasks import Plan, Task
from dnlib.images import Part, Picture, Range, one_of, parts_of
from dnlib.noise import unlike_noise

PATIENCE, FOR_A_MEGAPIXEL = 60.0, 1.1  # seconds, and for every million values: enough for any network


def plan(
    picture: Picture,
    *,
    filter: str = "auto",
    device: str = "auto",
    range: tuple[float, float] | None = None,
    dtype: str | None = None,
    patience: float | None = None,
    uncertainty: bool = False,
    adapt: float | None = None,
    burst: bool = False,
    progress: bool = False,
) -> Plan:
    """Look at a picture and choose how to denoise it; arguments as of `denoise`."""
    check_request(filter=filter, device=device, range=range, dtype=dtype, patience=patience, adapt=adapt, burst=burst)
    kind = picture.pixels.dtype if dtype is None else np.dtype(dtype)
    told = None if range is None else told_range(range)
    glances, missing, kept = look_at(picture, progress)
    check_kept(kept, missing, kind)
    holding = [one for one in glances if one.varying.any()] or glances  # what varies may do so between pieces
    samples = samples_of(holding)
    shots = Burst(picture, samples, sorted({one.number for one in holding})) if burst else None
    in_colour = any(CANDIDATES[name].channels == 3 for name in filter.split(TOGETHER) if name in CANDIDATES)
    unlike = None if in_colour else unlike_noise
    parts, notes = parts_of(together(picture, samples), unlike=unlike, samples=True)
    check_counts(parts, kind)
    if adapt is not None:
        check_parts(parts)
    asked = {"filter": filter, "device": device, "progress": progress, "adapt": adapt, "burst": shots}
    tasks = []
    for part, values in zip(parts, limits_of(picture, parts, holding, samples), strict=True):
        task, said = _task_for(part, values, told, kind, picture, samples, len(glances), patience, **asked)
        tasks.append(task)
        notes += said
    black = picture.count - len({one.number for one in holding})
    notes += [f"{black} of {picture.count} frames are constant and left alone"] if black else []
    return Plan(picture, kind, tasks, tuple(dict.fromkeys(notes)), holding[0].number, uncertainty)


def _task_for(
    part: Part,
    values: tuple[float, float, int],
    told: Range | None,
    kind: np.dtype,
    picture: Picture,
    samples: list[Glance],
    pieces: int,
    patience: float | None,
    *,
    filter: str,
    **asked,
) -> tuple[Task, list[str]]:
    """What is to be done to a part of a picture, and what is to be said of it.

    values: the smallest and the largest, and the step between them. told: black and white, if a user named them.
    pieces: how many the whole picture has. asked: device, progress, adapt and burst, as `choose` takes them.
    """
    low, high, step = values
    check_values(part, kind, low, high)
    limits = without_hot_pixels(part, low, high) if told is None else fitting(told, part)
    prepares = filter == "auto" and not part.counts
    size = pieces * part.pixels[0].size
    chosen = choose(
        part,
        limits,
        filter,
        told=told is not None,
        written=step if np.issubdtype(kind, np.integer) else 0,
        before=before_of(part, picture, [one.number for one in samples], limits) if prepares else NOTHING,
        size=size,
        patience=patience_for(size) if patience is None else patience,
        in_tiles=pieces > picture.count,
        **asked,
    )
    choice, said = with_notes(part, chosen, kind, step)
    return Task(part, replace(chosen, choice=choice), min(low, limits.low), max(high, limits.high), step, size), said


def patience_for(size: int) -> float:
    """The seconds that a candidate may take for so many values, if nobody says."""
    return max(PATIENCE, FOR_A_MEGAPIXEL * size / 1e6)


def check_request(
    *,
    filter: str = "auto",
    device: str = "auto",
    range: tuple[float, float] | None = None,
    dtype: str | None = None,
    patience: float | None = None,
    adapt: float | None = None,
    burst: bool = False,
    here: bool = True,
    **_,
) -> None:
    """Raises ValueError for options that suit no picture. here: see `training.choose_device`."""
    for name in (names := str(filter).split(TOGETHER)):
        one_of(name, CANDIDATES if names[1:] else ("auto", *CANDIDATES), "the filter")
    if str(device) not in ("auto", "cpu"):  # which are everywhere
        from dnlib.training import choose_device  # and with it torch, which takes seconds

        choose_device(device, here=here)
    if burst and adapt is None:
        raise ValueError("--burst (burst=) says from what --adapt TIME (adapt=) learns, and goes with it")
    if adapt is not None:
        check_adaptable(filter, adapt)
    if patience is not None and not (isinstance(patience, Real) and patience > 0):
        raise ValueError(
            f"--patience (patience=) takes a time above 0, as 10m (600, in seconds); {patience!r} was given"
        )
    check_type(dtype)
    if range is not None:
        told_range(range)
