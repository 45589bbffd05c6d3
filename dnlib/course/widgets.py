"""Interactive views. Every one repeats a picture that the chapter has already shown without it."""

from collections.abc import Callable


def explore(draw: Callable[..., None], **controls) -> None:
    """Let the reader turn the knobs of `draw(**controls)`.

    controls: what ipywidgets makes a widget of: (low, high) or (low, high, step) for a slider, a list
    for a choice, a bool for a box. Without a reader (papermill, nbval) it prints one line and shows no
    widget, so that no widget state is ever saved in a file.
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
