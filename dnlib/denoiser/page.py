"""The page of `dnlib denoise --report`: the noise, the candidates, before and after, and when not to believe it."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader

from dnlib.denoiser.candidates import CANDIDATES, TOGETHER, UNCHANGED, candidates_in
from dnlib.denoiser.caveats import caveats_of
from dnlib.denoiser.choice import Choice
from dnlib.denoiser.panels import Frame, address_of, in_colour, panels_of
from dnlib.images import Picture, atomic
from dnlib.noise import Inspection, as_svg, draw_curves, draw_map

SHOWN = 4  # channels whose pictures are drawn
EXPLAINED = 8  # parts whose noise and candidates are drawn
WORST = 1.5  # times the noise: bars of candidates that leave more are cut off
SHADES = 12  # of a bar of colours


def write_picture_page(path: Path, name: str, before: Picture, after: Picture, choice: Choice) -> None:
    """Write a page that shows what noise was found, what was chosen, and the first frame with content before and after.

    The page is one file: it needs no network and no library.

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
    pages = Environment(loader=PackageLoader("dnlib.denoiser"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    pages.filters["number"] = _number
    parts = choice.parts or {"": choice}
    drawn = list(_frames(before, after, choice))
    shades = np.rint(255 * in_colour(np.linspace(0, 1, SHADES))).astype(np.uint8)
    page = pages.get_template("picture.html").render(
        name=name.encode(errors="replace").decode(),
        choice=choice,
        notes=(*before.notes, *choice.notes),
        parts={name: _explained(part) for name, part in list(parts.items())[:EXPLAINED]},
        overview={name: _row(part.filter, part) for name, part in parts.items()},
        pictures={name: panels_of(frame) for name, frame in drawn},
        changed=not all(np.array_equal(frame.before, frame.after, equal_nan=True) for _, frame in drawn),
        missing=1 - before.first_inside.mean(),
        channels=before.colours.shape[-1],
        shades=["#" + bytes(colour).hex() for colour in shades],
    )
    with atomic(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _frames(before: Picture, after: Picture, choice: Choice) -> Iterator[tuple[str, Frame]]:
    """What is drawn of the first frame with content: its colours together, or channels one by one, with their names."""
    number, inside = before.shown, before.first_inside
    noisy, clean = (one.colours.reshape(-1, *before.colours.shape[-3:])[number] for one in (before, after))
    deviation = None
    if choice.uncertainty is not None:
        deviation = choice.uncertainty.reshape(-1, *before.colours.shape[-3:])[number]
    if before.separate:
        chosen = [(f"channel {channel}", slice(channel, channel + 1)) for channel in range(noisy.shape[-1])]
    else:
        chosen = [("", slice(None))]
    for name, channels in chosen[:SHOWN]:
        pixels = [image[..., channels] for image in (noisy, clean)]
        pixels = [image[..., 0] if image.shape[-1] == 1 else image for image in pixels]
        parts = [choice.parts[name]] if name in choice.parts else choice.parts.values() or [choice]
        noise = max(part.noise for part in parts)
        uncertainty = None if deviation is None else np.sqrt(np.square(deviation[..., channels]).mean(axis=-1))
        yield name, Frame(*pixels, inside, noise, uncertainty)


def _explained(part: Choice) -> dict:
    """What the page says of one part: its candidates, its noise, and what to beware of."""
    said = {
        "choice": part,
        "rows": [_row(name, part) for name in sorted(part.risks, key=part.risks.get)],
        "untried": {_words(name): why for name, why in part.untried.items()},
        "caveats": caveats_of(part),
    }
    if isinstance(found := part.noise_found, Inspection):
        drawn = {"curves": as_svg(draw_curves, found, 4.6, 3.5), "map": as_svg(draw_map, found, 4.4, 3.5)}
        said |= {"found": found} | {name: address_of("svg+xml", svg.encode()) for name, svg in drawn.items()}
    return said


def _row(name: str, part: Choice) -> dict:
    """A candidate in words, the standard deviation of the error it leaves, its gain over the noisy picture in dB.

    doubt: how far off the gain of the one that was chosen may be.
    """
    risk, noisy = part.risks.get(name, part.risk), part.noise**2
    left = math.sqrt(max(risk, 0))
    return {
        "name": name,
        "words": _words(name),
        "noise": part.noise,
        "left": left,
        "share": min(left / part.noise, WORST) / WORST,
        "gain": round(10 * math.log10(noisy / risk), 1) + 0.0 if risk > 0 else None,
        "chosen": name == part.filter,
        "doubt": part.doubt_of_gain if name == part.filter != UNCHANGED else None,
    }


def _number(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def _words(name: str) -> str:
    """What a candidate is."""
    if name == UNCHANGED:
        return "the picture as it is"
    words = TOGETHER.join(one.words for one in candidates_in(name))
    if TOGETHER in name:
        learned = any(one.weights for one in candidates_in(name))
        how = ", in which a network counts the more the stronger the noise" if learned else ""
        return f"the weighted mean of several{how}: {words}"
    return words if name in CANDIDATES else f"{words}, trained further on this picture"
