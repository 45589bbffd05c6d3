"""Whether and how progress is shown."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dnlib.training.checkpoints import History


def headless() -> bool:
    """Whether nobody is looking: run by papermill, nbval or a test, which set DNLIB_HEADLESS."""
    return bool(os.environ.get("DNLIB_HEADLESS"))


def progress_bar(steps: range, history: "History", shown: bool) -> Iterator[int]:
    """The steps, with a bar that says the latest loss and PSNR of the history."""
    from tqdm.auto import tqdm

    with tqdm(steps, initial=steps.start, total=steps.stop, unit="step", disable=not shown, mininterval=1) as bar:
        for step in bar:
            yield step
            if history.last_step == step + 1:
                psnr = {"PSNR": f"{history.psnr[-1][1]:.2f} dB"} if history.psnr else {}
                bar.set_postfix({"loss": f"{history.losses[-1]:.3g}"} | psnr, refresh=False)
