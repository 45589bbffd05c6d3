"""A file, or shots of one scene, denoised; each is written whole or not at all."""

import contextlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dnlib.denoiser.destinations import check_beside
from dnlib.denoiser.limits import check_type
from dnlib.denoiser.shots import brightness_of
from dnlib.images import Picture, Stack, check_destination, opened, read, without_values, write

if TYPE_CHECKING:
    import numpy as np

    from dnlib.denoiser.tasks import Plan


class Done(NamedTuple):
    """What came of a file: lines to print and what a user should know of it, or why it was refused.

    brightness: of places all over the picture, by which shots of one scene are known; None where nothing can be learnt.
    """

    image: Path
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refusal: str = ""
    brightness: "np.ndarray | None" = None


def denoise_file(
    image: Path,
    output: Path,
    *,
    report: Path | None = None,
    uncertainty: Path | None = None,
    overwrite: bool = False,
    progress: bool = False,
    axes: str | None = None,
    channels: bool | None = None,
    ignore_nan: bool = False,
    **options,
) -> Done:
    """Denoise a file; a stack is read, denoised and written frame by frame.

    Parameters
    ----------
    image, output : Path
        Where it is read from and written to.
    report, uncertainty : Path, optional
        A page, and the standard deviation of every value.
    overwrite, progress : bool
        As `denoise_files` has them.
    axes, channels, ignore_nan
        As `read` has them.
    **options
        filter, device, range, dtype, patience, adapt and burst, as of `denoise`.

    Raises
    ------
    ValueError, OSError
        In one line, for what cannot be read, denoised or written; nothing is written then, unless it is the
        uncertainty or the page that fails: the result is there before them.
    """
    started = time.perf_counter()
    check_type(options.get("dtype"))
    reading = {"axes": axes, "channels": channels, "ignore_nan": ignore_nan}
    with _told_if_too_large(image), opened(image, **reading) as before:
        check_destination(output, before, dtype=options.get("dtype"), overwrite=overwrite)
        check_beside(image, output, report, uncertainty, overwrite)
        from dnlib.denoiser.plan import plan  # and with it scikit-image, which takes a second

        made = plan(before, progress=progress, uncertainty=uncertainty is not None, **options)
        after, deviations, lost = _written(made, output, overwrite, progress)
        choice = made.choice
        lines = [f"{output}: {choice.summary} ({time.perf_counter() - started:.1f} s)"]
        if uncertainty:
            given = before.as_given(deviations.reshape(before.colours.shape))
            write(uncertainty, Picture.of(given, axes=before.axes), overwrite=overwrite)
            what = f"standard deviation of every value, in the units of {image.name}"
            lines.append(f"{uncertainty}: {what}: {choice.doubt}")
        if report:
            from dnlib.denoiser.page import write_picture_page

            if deviations is not None:
                choice = replace(choice, uncertainty=deviations[made.shown])
            shown = before.frame(made.shown).told(*before.notes)
            write_picture_page(report, image.name, shown, after, choice)
            lines.append(f"{report}: the noise, the candidates, before and after")
        notes = [f"{image.name}: {note}" for note in before.notes]
        notes += [f"{output.name}: {note}" for note in (*choice.notes, *_changed(before, output, lost))]
        return Done(image, tuple(lines), tuple(notes), brightness=brightness_of(before))


def denoise_shots(
    pairs: Sequence[tuple[Path, Path]],
    *,
    overwrite: bool = False,
    progress: bool = False,
    axes: str | None = None,
    channels: bool | None = None,
    ignore_nan: bool = False,
    **options,
) -> Iterator[Done]:
    """Denoise files that are shots of one scene as the frames of one stack, each into a file of its own.

    Parameters
    ----------
    pairs : sequence of (Path, Path)
        Where each is read from, and written to.
    overwrite, progress, axes, channels, ignore_nan, **options
        As `denoise_file` has them.

    Raises
    ------
    ValueError, OSError
        Before any work, for files that are no pictures of one size and type, or cannot be written.
    """
    started = time.perf_counter()
    check_type(options.get("dtype"))
    reading = {"axes": axes, "channels": channels, "ignore_nan": ignore_nan}
    first, kinds = None, {}
    for image, output in pairs:
        with _told_if_too_large(image), opened(image, **reading) as picture:
            check_destination(output, picture, dtype=options.get("dtype"), overwrite=overwrite)
            kinds.setdefault((picture.pixels.shape, picture.pixels.dtype, picture.axes, picture.alpha), image)
            first = first or picture
    if len(kinds) > 1 or first.frame_axes:
        given = "; ".join(
            f"{image.name} has {list(shape)} ({letters}) of {kind}{f' with {alpha} alpha' if alpha else ''}"
            for (shape, kind, letters, alpha), image in kinds.items()
        )
        raise ValueError(
            "--burst takes pictures of one size and type, shots of one scene, or one stack of them, given by its "
            f"name; {given}"
        )
    from dnlib.denoiser.plan import plan  # and with it scikit-image, which takes a second

    layout = without_values((len(pairs), *first.pixels.shape), first.pixels.dtype)
    stack = Stack(
        layout,
        "T" + first.axes,
        first.alpha,
        read_frame=lambda number: read(pairs[number][0], **reading),
        names=tuple(image.name for image, _ in pairs),
    )
    with _told_if_too_large(pairs[0][0]):
        made = plan(stack, progress=progress, burst=True, **options)
        of_all = [f"all shots: {note}" for note in made.choice.notes]
        for (image, output), (after, _) in zip(pairs, made.frames(progress), strict=True):
            lost = write(output, after, overwrite=overwrite)
            how = made.choice.summary if _varies(after) else "left as it is, for it is constant"
            line = f"{output}: {how} ({time.perf_counter() - started:.1f} s)"
            notes = [*of_all, *(f"{image.name}: {note}" for note in after.notes)]
            notes += [f"{output.name}: {note}" for note in _changed(after, output, lost)]
            yield Done(image, (line,), tuple(notes))
            started, of_all = time.perf_counter(), ()


def _varies(picture: Picture) -> bool:
    """Whether any colour does, where it counts."""
    values = picture.colours[picture.inside]
    return bool((values != values[:1]).any())


@contextlib.contextmanager
def _told_if_too_large(what: Path) -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise ValueError(f"{what}: there is not enough memory for it; cut it into smaller pictures") from error


def _written(
    made: "Plan", output: Path, overwrite: bool, progress: bool
) -> "tuple[Picture, np.ndarray | None, list[str]]":
    """The frame for a page, the deviation of every value [N, H, W, C] or None, and what the file does not hold."""
    picture, shape = made.picture, (made.picture.count, *made.picture.colours.shape[-3:])
    if not isinstance(picture, Stack):
        result, deviations = made.whole(progress)
        lost = write(output, result, overwrite=overwrite)
        return result.frame(made.shown), None if deviations is None else deviations.reshape(shape), lost
    layout, shown = replace(picture, pixels=without_values(picture.pixels.shape, made.kind)), []
    deviations = _on_disk(shape) if made.uncertain else None
    lost = write(output, layout, overwrite=overwrite, frames=made.pixels(progress, shown, deviations))
    return shown[0], deviations, lost


def _changed(before: Picture, output: Path, lost: list[str]) -> list[str]:
    """What a file does not hold of the picture, or not exactly."""
    said = [f"left out: {', '.join(lost)}"] if lost else []
    source = before.metadata.jpeg
    if source and output.suffix.lower() in (".jpg", ".jpeg") and output.read_bytes() != source:
        said.append("encoded as JPEG again, which changes it a little; a .png or .tif loses nothing")
    return said


def _on_disk(shape: tuple[int, ...]) -> "np.ndarray":
    """Zeros in float32 in a file that is gone when they are: as large as a stack that is read frame by frame."""
    import numpy as np

    with tempfile.TemporaryFile() as file:
        return np.memmap(file, np.float32, "w+", shape=shape)
