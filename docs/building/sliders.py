"""Interactive views as plain HTML: pictures drawn beforehand (`dnlib.course.states`), a control for each knob.

`sliders.js` exchanges the picture when a control is moved; without it the first picture stands there.
"""

import html
import json
import math
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
    view = json.loads((states / "states.json").read_text(encoding="utf-8"))
    pictures.mkdir(parents=True, exist_ok=True)
    for picture in view["pictures"]:
        shutil.copy(states / picture["file"], pictures / f"{states.name}-{picture['file']}")
    return markup(states.name, view)


def markup(name: str, view: dict) -> str:
    """A figure with a picture and the controls of all knobs; its pictures, by the knobs' positions, are its data."""
    pictures = {
        "-".join(map(str, one["at"])): {
            "src": f"pictures/{name}-{one['file']}",
            "alt": one["alt"],
            "width": one["width"],
        }
        for one in view["pictures"]
    }
    first = pictures["-".join(map(str, view["start"]))]
    picture = f'<img src="{first["src"]}" alt="{html.escape(first["alt"])}" width="{first["width"]}" loading="lazy">'
    controls = "\n".join(_control(name, knob, k) for knob, k in zip(view["knobs"], view["start"], strict=True))
    some = len(pictures) < math.prod(len(knob["values"]) for knob in view["knobs"])
    note = "<figcaption>One knob at a time; in JupyterLab all of them move at once.</figcaption>" if some else ""
    data = html.escape(json.dumps(pictures, ensure_ascii=False))
    return (
        f'<figure class="states" data-pictures="{data}">{picture}\n<div class="knobs">{controls}</div>\n{note}</figure>'
    )


def _control(name: str, knob: dict, start: int) -> str:
    said = [_said(value) for value in knob["values"]]
    ident = f"{name}-{knob['name']}"
    if knob["kind"] == "choice":
        options = "".join(
            f'<option value="{k}"{" selected" * (k == start)}>{html.escape(one)}</option>' for k, one in enumerate(said)
        )
        control = f'<select id="{ident}" data-start="{start}">{options}</select>'
    else:
        control = (
            f'<input id="{ident}" type="range" min="0" max="{len(said) - 1}" value="{start}" data-start="{start}" '
            f'aria-valuetext="{said[start]}" data-said="{" ".join(said)}">'
            f'<output for="{ident}">{said[start]}</output>'
        )
    return f'<label for="{ident}">{knob["name"].replace("_", " ")}</label>{control}'


def _said(value) -> str:
    """A value of a knob in words."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
