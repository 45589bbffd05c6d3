"""The page of `dnlib denoise --report`: before, after, and what was removed."""

import base64
import io
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader

from dnlib.denoiser.choice import Choice
from dnlib.images import Picture, atomic


def write_picture_page(path: Path, name: str, before: Picture, after: Picture, choice: Choice) -> None:
    """Write a page with an image before and after denoising, and what was removed; the first frame with content.

    Parameters
    ----------
    path : Path
        Of the HTML file; pictures are inside.
    name : str
        What the page calls the image.
    before, after : Picture
        In the same units.
    choice : Choice
        As `denoise_picture` returns it.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from dnlib.denoiser import denoise_picture
    >>> before = Picture.of(np.random.default_rng(0).normal(0, 1, (16, 16)))
    >>> path = Path(mkdtemp()) / "page.html"
    >>> write_picture_page(path, "noise", before, *denoise_picture(before, filter="median"))
    >>> path.is_file()
    True
    """
    noisy, clean = before.view, after.view_of(before.shown)
    low, high = np.percentile(noisy[before.first_inside], (0.1, 99.9))
    span = max(high - low, 1e-12)
    removed = 0.5 + (noisy - clean) / (8 * choice.noise + 1e-12)
    panels = [
        {"alt": "before", "png": _png((noisy - low) / span)},
        {"alt": "after", "png": _png((clean - low) / span)},
        {
            "alt": f"residual: what was removed, gray is nothing, black and white are ±{4 * choice.noise:.3g}",
            "png": _png(removed),
        },
    ]
    pages = Environment(loader=PackageLoader("dnlib.denoiser"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    with atomic(path) as temporary:
        page = pages.get_template("picture.html").render(
            name=name.encode(errors="replace").decode(), choice=choice, panels=panels
        )
        temporary.write_text(page, encoding="utf-8")


def _png(unit: np.ndarray) -> str:
    """[H, W] or [H, W, 3] in [0, 1] as base64 PNG, at most 1000 pixels wide and high."""
    from PIL import Image

    pixels = np.rint(np.clip(unit, 0, 1) * 255).astype(np.uint8)
    picture = Image.fromarray(pixels)
    picture.thumbnail((1000, 1000))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
