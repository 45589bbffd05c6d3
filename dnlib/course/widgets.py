"""What a reader moves: views of pictures that a chapter has shown already, and a picture of one's own."""

import html
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from dnlib.course import states
from dnlib.images import refused

_FRAME = (  # IPython warns of what begins with a frame
    '<p><iframe srcdoc="{}" title="Before and after" width="100%" height="640" sandbox="allow-scripts"></iframe></p>'
)


def explore(draw: Callable[..., None], **controls) -> None:
    """Let the reader turn the knobs of `draw(**controls)`.

    Where nobody reads (the environment variable DNLIB_HEADLESS is set) it prints one line and shows no widget, so
    that no file ever holds a widget's state. Where DNLIB_STATES names a folder, its pictures are drawn there
    (`make sliders`), for the site.

    Parameters
    ----------
    draw : callable
        Draws the picture for one setting of the knobs.
    **controls
        What ipywidgets makes a knob of: (low, high) or (low, high, step) a slider, a list a choice, a bool a box.

    Examples
    --------
    >>> import os
    >>> os.environ["DNLIB_HEADLESS"] = "1"
    >>> explore(lambda radius, edges: None, radius=(1, 6), edges=True)
    (interactive: run this cell in JupyterLab to move radius, edges)
    """
    from dnlib.training import headless

    if headless():
        print(f"(interactive: run this cell in JupyterLab to move {', '.join(controls)})")
        if folder := os.environ.get("DNLIB_STATES"):
            states.write(_view(draw, controls), Path(folder))
        return
    from IPython.display import display

    view = _view(draw, controls)
    for control in view.children[:-1]:
        if hasattr(control, "continuous_update"):
            control.continuous_update = False  # redraw when the knob is let go
    display(view)


def _view(draw: Callable[..., None], controls: dict):
    """The knobs and what they draw, not shown yet."""
    from ipywidgets import interactive

    return interactive(draw, **controls)


def own_picture(folder: Path = Path("denoised")) -> None:
    """Offer a button that takes a picture from the reader's disk, denoises it, and shows what came of it.

    folder: made if it is not there. Gets the result, under the picture's name, and its page; earlier ones are replaced.
    """
    from IPython.display import HTML, display
    from ipywidgets import FileUpload, Output

    button, below = FileUpload(description="Choose a noisy picture", layout={"width": "max-content"}), Output()

    def take(change) -> None:
        below.clear_output()
        with below:
            print("denoising ...")
            said, page = denoised(change.new[0]["name"], change.new[0]["content"], folder)
            below.clear_output(wait=True)
            print(said)
            if page:
                display(HTML(_FRAME.format(html.escape(page))))

    button.observe(take, "value")
    display(button, below)


def denoised(name: str, content: bytes, folder: Path) -> tuple[str, str]:
    """Denoise the bytes of a picture's file into a folder.

    Returns what was done, or why the picture was refused, and the HTML page of the result, empty if there is none.
    """
    from dnlib.denoiser import denoise_file

    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{name}.html"
    with tempfile.TemporaryDirectory() as place:
        picture = Path(place, name)
        picture.write_bytes(content)
        try:
            done = denoise_file(picture, folder / name, report=page, overwrite=True)
        except (ValueError, OSError, FloatingPointError) as error:
            if not refused(error):
                raise
            return str(error).replace(f"{place}{os.sep}", ""), ""
    return "\n".join([*done.lines, *done.notes]), page.read_text(encoding="utf-8")
