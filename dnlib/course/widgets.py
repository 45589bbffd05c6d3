"""Interactive views. Every one repeats a picture that the chapter has already shown without it."""

import os
from collections.abc import Callable
from pathlib import Path

from dnlib.course import states


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
