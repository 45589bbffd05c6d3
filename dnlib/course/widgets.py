"""Interactive views. Every one repeats a picture that the chapter has already shown without it."""

from collections.abc import Callable


def explore(draw: Callable[..., None], **controls) -> None:
    """Let the reader turn the knobs of `draw(**controls)`.

    Where nobody reads (the environment variable DNLIB_HEADLESS is set) it prints one line and shows no widget, so
    that no file ever holds a widget's state.

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
        return
    from IPython.display import display
    from ipywidgets import interactive

    view = interactive(draw, **controls)
    for control in view.children[:-1]:
        if hasattr(control, "continuous_update"):
            control.continuous_update = False  # redraw when the knob is let go
    display(view)
