"""Files denoised, one or many, each written whole or not at all: what `dnlib denoise` does."""

import contextlib
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tqdm import tqdm

from dnlib.denoiser.destinations import check_beside, destinations
from dnlib.denoiser.shots import RUN, brightness_of, note_on
from dnlib.images import Picture, Stack, check_destination, opened, read, refused, without_values, write

if TYPE_CHECKING:
    import numpy as np

    from dnlib.denoiser.plan import Plan


class Done(NamedTuple):
    """What came of a file: lines to print and what a user should know of it, or why it was refused.

    brightness: of places all over the picture, by which shots of one scene are known.
    """

    image: Path
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refusal: str = ""
    brightness: "np.ndarray | None" = None


def denoise_files(
    images: Sequence[Path],
    output: Path,
    *,
    report: Path | None = None,
    uncertainty: Path | None = None,
    overwrite: bool = False,
    progress: bool = False,
    cluster: str | None = None,
    burst: bool = False,
    **options,
) -> Iterator[Done]:
    """Denoise files one after the other, or side by side on a cluster; one that is refused stops no other.

    Parameters
    ----------
    images : sequence of Path
        Files, folders and patterns such as shots/*.png.
    output : Path
        A file for one file, a folder for several or for a folder; there they keep their names.
    report, uncertainty : Path, optional
        A page, and the standard deviation of every value, of one file.
    overwrite : bool
        Whether existing files may be replaced.
    progress : bool
        Whether to show bars, on stderr.
    cluster : str, optional
        As `zoo.cluster.spread` takes it. Its workers must see the same files.
    burst : bool
        Whether the files, or the frames of the one that there is, are shots of one scene: they are denoised alike, and
        `adapt` learns from all of them.
    **options
        As of `denoise_file`.

    Yields
    ------
    Done
        For every file, in natural order within a folder; on a cluster as they end.

    Raises
    ------
    ValueError, OSError
        Before any work, for requests that cannot be met; of a single file whatever `denoise_file` raises.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/a.npy", np.random.default_rng(0).normal(0, 1, (16, 16)))
    ...     [done.image.name for done in denoise_files([Path(folder, "a.npy")], Path(folder, "b.npy"), filter="median")]
    ['a.npy']
    """
    pairs, many = destinations(images, output)
    if many and (report or uncertainty):
        raise ValueError("--report and --uncertainty go with one picture; several files were given")
    if many and burst and cluster:
        raise ValueError("--burst makes one work of all files, which --cluster has nothing to share of")
    with tqdm(total=len(pairs), desc="files", unit="file", disable=not progress, leave=False) as bar, _ending_cleanly():
        if many or cluster:
            from dnlib.denoiser.plan import check_request  # and with it scikit-image, which takes seconds

            check_request(**options, burst=burst, here=cluster is None)
        if many:
            output.mkdir(exist_ok=True)
        beside = {"report": report, "uncertainty": uncertainty}
        if cluster:  # whose workers may work in another folder
            beside = {what: path and path.resolve() for what, path in beside.items()}
        options |= beside | {"overwrite": overwrite}
        if many and burst:
            done = denoise_shots(pairs, progress=progress, **options)
        else:
            work = partial(_denoise_pair, many=many, progress=progress and not cluster, burst=burst, **options)
            done = _spread(work, pairs, cluster) if cluster else _with_a_note_on_shots(map(work, pairs))
        for one in done:
            bar.clear()
            yield one
            bar.update()


def _with_a_note_on_shots(done: Iterator[Done]) -> Iterator[Done]:
    """The same; where for the first time some in a row seem to be shots of one scene, that is said."""
    last, note = deque(maxlen=RUN), ""
    for one in done:
        last.append(one)
        if not note and (note := note_on([each.image.name for each in last], [each.brightness for each in last])):
            one = one._replace(notes=(*one.notes, note))
        yield one


def _denoise_pair(pair: tuple[Path, Path], many: bool, **options) -> Done:
    """Denoise a file; of several, one that is refused is a refusal and no exception."""
    image, target = pair
    try:
        return denoise_file(image, target, **options)
    except (ValueError, OSError, FloatingPointError) as error:
        if not many or not refused(error):
            raise
        return Done(image, refusal=str(error) if str(image) in str(error) else f"{image}: {error}")


def _spread(work: Callable[[tuple], Done], pairs: Sequence[tuple[Path, Path]], address: str) -> Iterator[Done]:
    from dnlib.zoo import cluster  # and with it torch

    for _, done in cluster.spread(work, [(image.resolve(), target.resolve()) for image, target in pairs], address):
        if isinstance(done, Exception):
            raise done
        yield done


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
    try:
        with opened(image, axes=axes, channels=channels, ignore_nan=ignore_nan) as before:
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
    except MemoryError as error:
        raise ValueError(f"{image}: there is not enough memory for it; cut it into smaller pictures") from error


def denoise_shots(
    pairs: Sequence[tuple[Path, Path]],
    *,
    overwrite: bool = False,
    progress: bool = False,
    axes: str | None = None,
    channels: bool | None = None,
    ignore_nan: bool = False,
    report: None = None,
    uncertainty: None = None,
    **options,
) -> Iterator[Done]:
    """Denoise files that are shots of one scene as the frames of one stack, each into a file of its own.

    Parameters
    ----------
    pairs : sequence of (Path, Path)
        Where each is read from, and written to.
    overwrite, progress, axes, channels, ignore_nan, **options
        As `denoise_file` has them.
    report, uncertainty
        None: these are of single pictures.

    Raises
    ------
    ValueError, OSError
        Before any work, for files that are no pictures of one size and type, or cannot be written.
    """
    started = time.perf_counter()
    reading = {"axes": axes, "channels": channels, "ignore_nan": ignore_nan}
    first, kinds = None, {}
    for image, output in pairs:
        with opened(image, **reading) as picture:
            check_destination(output, picture, dtype=options.get("dtype"), overwrite=overwrite)
            kinds.setdefault((picture.pixels.shape, picture.pixels.dtype, picture.axes, picture.alpha), image)
            first = first or picture
    if len(kinds) > 1 or first.count > 1:
        given = "; ".join(f"{image.name} has {list(shape)} of {kind}" for (shape, kind, *_), image in kinds.items())
        raise ValueError(
            f"--burst takes pictures of one size and type, shots of one scene, or one stack of them; {given}"
        )
    from dnlib.denoiser.plan import plan  # and with it scikit-image, which takes a second

    layout = without_values((len(pairs), *first.pixels.shape), first.pixels.dtype)
    stack = Stack(layout, "T" + first.axes, first.alpha, read_frame=lambda number: read(pairs[number][0], **reading))
    made = plan(stack, progress=progress, burst=True, **options)
    for (image, output), (after, _) in zip(pairs, made.frames(progress), strict=True):
        lost = write(output, after, overwrite=overwrite)
        line = f"{output}: {made.choice.summary} ({time.perf_counter() - started:.1f} s)"
        notes = [f"{output.name}: {note}" for note in (*made.choice.notes, *_changed(after, output, lost))]
        yield Done(image, (line,), tuple(notes if image == pairs[0][0] else notes[len(made.choice.notes) :]))
        started = time.perf_counter()


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


@contextlib.contextmanager
def _ending_cleanly() -> Iterator[None]:
    """A signal to terminate ends the work as Ctrl-C does: what is half written is taken away."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
