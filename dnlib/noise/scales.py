"""A noisy and a clean image brought to one scale, or refused."""

import numpy as np

from dnlib.images import Range, range_in_use


def ranges_of_pair(noisy: np.ndarray, clean: np.ndarray) -> tuple[Range, Range]:
    """The range of each; floats beyond [0, 1] are in the units of their partner."""
    if noisy.dtype == clean.dtype:
        common = range_in_use(np.concatenate([noisy.ravel(), clean.ravel()]))
        return common, common
    whole = {kind: Range(0.0, float(np.iinfo(kind).max), float(np.iinfo(kind).max)) for kind in ("uint8", "uint16")}
    first, second = (whole.get(str(image.dtype)) or range_in_use(image) for image in (noisy, clean))
    if clean.dtype.kind == "f" and second.high != 1:
        second = first
    elif noisy.dtype.kind == "f" and first.high != 1:
        first = second
    return first, second


def check_scales(noisy: np.ndarray, clean: np.ndarray) -> None:
    """Refuse two images of which one is a multiple of the other."""
    if clean.std() > 0.02:
        gain = float(np.cov(noisy.ravel(), clean.ravel())[0, 1] / clean.var(dtype=float))
        if not 0.5 < gain < 2:
            raise ValueError(
                f"where the clean image changes by 1, the noisy one changes by {gain:.2g}: they show different "
                "scenes or have different scales; give both in the same one"
            )
