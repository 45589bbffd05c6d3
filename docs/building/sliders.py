"""Interactive views as plain HTML: pictures drawn beforehand (`dnlib.course.states`), a control for each knob.

`sliders.js` exchanges the picture when a control is moved; without it the first picture stands there.
"""

import html
import json
import shutil
from pathlib import Path


def copied(states: Path, pictures: Path) -> str:
    """Copy the pictures of one view beside a page, and return the markup that shows them.

    Parameters
    ----------
    states : pathlib.Path
        The folder of the view, with its states.json.
    pictures : pathlib.Path
        Where the pictures of the page lie.
    """
    knobs = json.loads((states / "states.json").read_text(encoding="utf-8"))["knobs"]
    pictures.mkdir(parents=True, exist_ok=True)
    for knob in knobs:
        for picture in knob["pictures"]:
            shutil.copy(states / picture["file"], pictures / f"{states.name}-{picture['file']}")
    return markup(states.name, knobs)


def markup(name: str, knobs: list[dict]) -> str:
    """A figure with a picture and the controls of all knobs; each control carries its pictures as data."""
    first = knobs[0]["pictures"][knobs[0]["start"]]
    alt, width = html.escape(first["alt"]), first["width"]
    picture = f'<img src="{_source(name, first)}" alt="{alt}" width="{width}" loading="lazy">'
    controls = "\n".join(_control(name, knob) for knob in knobs)
    note = "One knob at a time; in JupyterLab all of them move at once." if len(knobs) > 1 else ""
    below = f'<div class="knobs">{controls}</div>\n<figcaption>{note}</figcaption>'
    return f'<figure class="states">{picture}\n{below}</figure>'


def _control(name: str, knob: dict) -> str:
    pictures = [
        {"src": _source(name, one), "alt": one["alt"], "width": one["width"], "said": _said(one["value"])}
        for one in knob["pictures"]
    ]
    data = html.escape(json.dumps(pictures, ensure_ascii=False))
    ident, start, said = f"{name}-{knob['name']}", knob["start"], pictures[knob["start"]]["said"]
    if knob["kind"] == "choice":
        options = "".join(
            f'<option value="{k}"{" selected" * (k == start)}>{html.escape(p["said"])}</option>'
            for k, p in enumerate(pictures)
        )
        control = f'<select id="{ident}" data-start="{start}" data-pictures="{data}">{options}</select>'
    else:
        control = (
            f'<input id="{ident}" type="range" min="0" max="{len(pictures) - 1}" value="{start}" '
            f'aria-valuetext="{said}" data-start="{start}" data-pictures="{data}"><output for="{ident}">{said}</output>'
        )
    return f'<label for="{ident}">{knob["name"].replace("_", " ")}</label>{control}'


def _source(name: str, picture: dict) -> str:
    return f"pictures/{name}-{picture['file']}"


def _said(value) -> str:
    """A value of a knob in words."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
