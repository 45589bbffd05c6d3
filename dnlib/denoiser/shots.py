"""Whether pictures that are denoised one by one are shots of one scene, from which a network could learn together."""

import numpy as np

from dnlib.images import Picture

SMALLEST = 186  # pixels to a side: around the tiles on which candidates are judged there is room for one to learn from
PLACES = 16  # rows and columns of places whose brightness is compared
ALIKE, RUN = 0.95, 3  # correlation of these places from one picture to the next, and pictures in a row that are alike


def brightness_of(picture: Picture) -> np.ndarray | None:
    """The mean brightness of 16x16 places of a picture.

    None of what a network could not learn from: a stack, what is no picture of three colours or is too small, and
    where values are missing.

    Examples
    --------
    >>> brightness_of(Picture.of(np.zeros((200, 200, 3)))).shape
    (16, 16)
    """
    if picture.count > 1 or picture.separate or not picture.first_inside.all():
        return None
    if picture.first.shape[2:] != (3,) or min(picture.first.shape[:2]) < SMALLEST:
        return None
    rows, columns = (np.arange(PLACES) * size // PLACES for size in picture.first.shape[:2])
    gray = np.atleast_3d(picture.first).mean(axis=2, dtype=np.float64)
    sums = np.add.reduceat(np.add.reduceat(gray, rows, axis=0), columns, axis=1)
    heights, widths = np.diff(rows, append=gray.shape[0]), np.diff(columns, append=gray.shape[1])
    return sums / np.outer(heights, widths)


def note_on(names: list[str], seen: list[np.ndarray | None]) -> str:
    """A sentence if pictures, by the brightness of their places, seem to be shots of one scene; else "".

    Examples
    --------
    >>> note_on(["a", "b", "c"], 3 * [np.eye(16)])[:39]
    'a, b and c look like shots of one scene'
    """
    if len(seen) < RUN or any(one is None for one in seen):
        return ""
    with np.errstate(invalid="ignore"):  # of a constant picture, which is like no other
        correlation = np.corrcoef([one.ravel() for one in seen])
    if not (np.diagonal(correlation, 1) > ALIKE).all():
        return ""
    return (
        f"{', '.join(names[:-1])} and {names[-1]} look like shots of one scene; each is denoised by itself. With "
        "--burst --adapt TIME they are denoised alike, and a network learns from all of them (Patch-Craft, chapter 06)"
    )
