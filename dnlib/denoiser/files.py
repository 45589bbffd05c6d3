"""Many files denoised, one after the other, side by side or as shots of one scene: what `dnlib denoise` does."""

import contextlib
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tqdm import tqdm

from dnlib.denoiser.destinations import beside_of, check_apart, check_folder, destinations
from dnlib.denoiser.shots import RUN, note_on
from dnlib.denoiser.written import Done, denoise_file, denoise_shots
from dnlib.images import refusal


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
        A page, and the standard deviation of every value; of several files a folder of such, NAME.html and
        NAME.tif after the full name of the picture, as shot.png.html.
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
    beside = {"report": report, "uncertainty": uncertainty}
    folders = [path for path in beside.values() if path] if many else []
    for folder in folders:
        check_folder(folder, images)
    if folders:
        check_apart(pairs, beside)
    if many and burst and (cluster or folders):
        raise ValueError(
            "--burst makes one work of several files; --cluster, --report and --uncertainty are of each: leave them "
            "out, or give one stack of the shots"
        )
    with tqdm(total=len(pairs), desc="files", unit="file", disable=not progress, leave=False) as bar, _ending_cleanly():
        if many or cluster:
            from dnlib.denoiser.plan import check_request  # and with it scikit-image, which takes seconds

            check_request(**options, burst=burst, here=cluster is None)
        if cluster:  # whose workers may work in another folder
            beside = {what: path and path.resolve() for what, path in beside.items()}
        options["overwrite"] = overwrite
        if many and burst:
            done = denoise_shots(pairs, progress=progress, **options)
        else:
            options |= {"progress": progress and not cluster, "burst": burst}
            work = partial(_denoise_pair, many=many, beside=beside, **options)
            done = _spread(work, pairs, cluster) if cluster else _with_a_note_on_shots(map(work, pairs))
        with _made([output, *folders] if many else []):
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


def _denoise_pair(pair: tuple[Path, Path], many: bool, beside: dict[str, Path | None], **options) -> Done:
    """Denoise a file; of several, one that is refused is a refusal and no exception."""
    image, target = pair
    try:
        return denoise_file(image, target, **(beside_of(image, beside) if many else beside), **options)
    except (ValueError, OSError, FloatingPointError) as error:
        if not many:
            raise
        return Done(image, refusal=refusal(error, image))


def _spread(work: Callable[[tuple], Done], pairs: Sequence[tuple[Path, Path]], address: str) -> Iterator[Done]:
    from dnlib.zoo import cluster  # and with it torch

    for _, done in cluster.spread(work, [(image.resolve(), target.resolve()) for image, target in pairs], address):
        if isinstance(done, Exception):
            raise done
        yield done


@contextlib.contextmanager
def _made(folders: Sequence[Path]) -> Iterator[None]:
    """Folders are there; those that are new and still empty at the end are taken away."""
    new = [folder for folder in dict.fromkeys(folders) if not folder.exists()]
    try:
        for folder in new:
            folder.mkdir()
        yield
    finally:
        for folder in new:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


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
