"""The pictures of an interactive view, drawn beforehand for pages that have no kernel.

A folder named as the function that draws holds states.json and the pictures that it lists, as WebP.
"""

import base64
import inspect
import io
import itertools
import json
import operator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnlib.course import pictures
from dnlib.images import atomic

if TYPE_CHECKING:
    from ipywidgets import Widget, interactive

LISTED = "states.json"
POSITIONS = 9  # of a slider that are drawn, at most
EVERY = 48  # settings are all drawn; of more, those in which one knob is moved and the others stand as at first
QUALITY = 70  # of WebP: noise compresses badly, and a page carries a dozen of them


def positions(knob: "Widget") -> list:
    """The values of a knob (a choice, a checkbox or a slider) that are drawn.

    All of a choice, both of a checkbox; of a slider at most nine, evenly spread, among them its ends and its value.

    Examples
    --------
    >>> from ipywidgets import Dropdown, FloatSlider, IntSlider
    >>> positions(Dropdown(options=["mean", "median"])), positions(IntSlider(3, min=1, max=6))
    (['mean', 'median'], [1, 2, 3, 4, 5, 6])
    >>> positions(FloatSlider(0.3, min=0, max=1, step=0.05))
    [0.0, 0.1, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0]
    >>> positions(FloatSlider(0.1, min=0.1, max=0.4, step=0.2))  # the last step would end beyond
    [0.1, 0.3, 0.4]
    """
    if hasattr(knob, "options"):
        return list(knob.options)
    if isinstance(knob.value, bool):
        return [False, True]
    last = round((knob.max - knob.min) / knob.step)
    count = min(POSITIONS, last + 1)
    steps = (round(last * k / (count - 1)) for k in range(count))
    found = [round(type(knob.value)(min(knob.min + knob.step * step, knob.max)), 10) for step in steps]
    found[min(range(count), key=lambda k: abs(found[k] - knob.value))] = knob.value
    return found


def settings(counts: list[int], start: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Which settings of several knobs are drawn, each as the positions of all knobs.

    counts: of the positions of each knob. start: where the knobs stand at first.

    Examples
    --------
    >>> settings([2, 3], (0, 1))
    [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    >>> found = settings([9, 9], (0, 4))
    >>> len(found), (8, 4) in found, (0, 8) in found, (8, 8) in found
    (17, True, True, False)
    """
    every = list(itertools.product(*map(range, counts)))
    return [at for at in every if len(every) <= EVERY or sum(map(operator.ne, at, start)) <= 1]


def write(view: "interactive", folder: Path) -> None:
    """Draw a view in the settings that `settings` names.

    view: what `draw` and its knobs are joined in; it need not be shown. folder: gets a folder with the name of the
    function that draws; pictures of an earlier time go. Raises ValueError if a setting has no picture.
    """
    draw, knobs = view.f, view.children[:-1]
    folder = folder / draw.__name__
    folder.mkdir(parents=True, exist_ok=True)
    values = {knob._kwarg: positions(knob) for knob in knobs}
    start = tuple(positions(knob).index(knob.value) for knob in knobs)
    shown = []
    for at in settings([len(drawn) for drawn in values.values()], start):
        setting = {name: drawn[k] for (name, drawn), k in zip(values.items(), at, strict=True)}
        shown.append({"at": at, **_picture(view, setting, folder / f"{'-'.join(map(str, at))}.webp")})
    listed = [
        {"name": knob._kwarg, "kind": "slider" if hasattr(knob, "min") else "choice", "values": values[knob._kwarg]}
        for knob in knobs
    ]
    document = {"source": inspect.getsource(draw), "knobs": listed, "start": start, "pictures": shown}
    with atomic(folder / LISTED) as temporary:
        temporary.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for old in {path.name for path in folder.glob("*.webp")} - {picture["file"] for picture in shown}:
        (folder / old).unlink()


def _picture(view: "interactive", setting: dict[str, Any], path: Path) -> dict[str, Any]:
    """Draw one setting into a file: its name, its size and what it shows in words."""
    from IPython.utils.capture import capture_output
    from PIL import Image

    with capture_output() as captured:
        view.f(**setting)
    bundles = [output.data for output in captured.outputs if pictures.kind_of(output.data)]
    if not bundles:
        said = captured.stdout.strip()[:80]
        raise ValueError(f"{view.f.__name__} drew no picture at {setting}" + (f"; it printed {said!r}" if said else ""))
    shown = bundles[-1]
    picture = Image.open(io.BytesIO(base64.b64decode(shown[pictures.kind_of(shown)]))).convert("RGB")
    with atomic(path) as temporary:
        picture.save(temporary, "WEBP", quality=QUALITY, method=6)
    return {"file": path.name, "width": picture.width, "height": picture.height, "alt": shown["text/plain"]}
