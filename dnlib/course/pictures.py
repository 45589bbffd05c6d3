"""Pictures as notebooks store them: in true colour, and small."""

import base64
import io
from collections.abc import Mapping

import numpy as np

PNG, JPEG = "image/png", "image/jpeg"
LARGE = 100_000  # bytes of a PNG
QUALITY = 92  # of a JPEG; white noise of 25 gray levels comes back to 7 levels


def encoded(pixels: np.ndarray) -> tuple[str, str]:
    """The kind and the text under which a notebook keeps a picture.

    Noise does not compress without loss: a picture that is large as a PNG is kept as a JPEG, with all colours, if that
    is smaller; it is not where each pixel is enlarged to several.

    Parameters
    ----------
    pixels : ndarray
        [H, W, 3], uint8.

    Returns
    -------
    kind : str
        image/png or image/jpeg.
    text : str
        The file in base 64.

    Examples
    --------
    >>> encoded(np.zeros((9, 9, 3), np.uint8))[0]
    'image/png'
    >>> noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    >>> encoded(noise)[0]
    'image/jpeg'
    """
    from PIL import Image

    picture = Image.fromarray(pixels)
    exact, small = io.BytesIO(), io.BytesIO()
    picture.save(exact, "PNG", optimize=True)
    if exact.tell() > LARGE:
        picture.save(small, "JPEG", quality=QUALITY, subsampling=0)
    kind, content = (JPEG, small) if 0 < small.tell() < exact.tell() else (PNG, exact)
    return kind, base64.b64encode(content.getvalue()).decode()


def kind_of(data: Mapping[str, str]) -> str | None:
    """The kind of the picture that an output's data hold, None if they hold none.

    Examples
    --------
    >>> kind_of({"image/png": "", "text/plain": "a cat"}), kind_of({"text/plain": "no cat"})
    ('image/png', None)
    """
    return next((kind for kind in (PNG, JPEG) if kind in data), None)
