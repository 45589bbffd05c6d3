"""What an inspection found, in words for whoever took the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dnlib.noise.inspection import Inspection

CORRELATED = 0.1  # a correlation above this counts


def sentence_of(found: Inspection) -> str:
    """Level, dependence on brightness and reach of the noise in one sentence."""
    how = "measured against the clean image" if found.exact else "estimated from this one image"
    ratio = found.deviation[-1] / found.deviation[0] if found.deviation[0] > 0 else np.inf
    depends = "about as strong in dark as in bright areas"
    if not 0.8 < ratio < 1.25:
        depends = f"{ratio:.1f} times as strong in the brightest as in the darkest areas"
    return f"Noise of standard deviation {number(found.level)} {found.unit} ({how}), {depends}; {_reach_of(found)}."


def number(level: float) -> str:
    """One digit after the point, or four where that says little."""
    return f"{level:.1f}" if 1 <= level < 1e5 else f"{level:.4g}"


def _reach_of(found: Inspection) -> str:
    """How far neighbours share the noise, and what follows."""
    right, down = found.lag_1
    if found.radius == 0:
        return "neighbours do not share it: filters and blind spots will work"
    if max(right, down) > 3 * max(min(right, down), 0) + CORRELATED:
        along = "rows" if right > down else "columns"
        return (
            f"it runs along {along} (correlation {right:.2f} to the right, {down:.2f} down): filters take it for "
            f"picture; `methods.Noise2Void(network, struct=...)` with a kernel along {along} does not"
        )
    return (
        f"neighbours share it (correlation {max(found.lag_1):.2f}) up to {found.radius} pixels away: "
        f"a blind spot must be {2 * found.radius + 1} pixels wide"
    )
