"""Candidates for photon counts are judged by what half of the photons says of the other half."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from dnlib.denoiser.candidates import CANDIDATES
from dnlib.denoiser.choosing import FOR_COUNTS
from dnlib.denoiser.judging import SEED, judge_counts
from dnlib.filters import thin, total_variation


@pytest.mark.parametrize(("filter", "setting"), [(uniform_filter, {"size": 3}), (total_variation, {"weight": 0.5})])
@pytest.mark.parametrize(("low", "span"), [(0, 1), (2, 40)])
def test_the_risk_is_the_true_one_of_what_is_made_of_half_of_the_photons(rng, monkeypatch, filter, setting, low, span):
    """By known rates, over many images; their scatter says how close it has to be. One setting: nothing is chosen."""
    candidate = replace(CANDIDATES[FOR_COUNTS], filter=filter, settings=lambda _: [setting])
    monkeypatch.setitem(CANDIDATES, FOR_COUNTS, candidate)
    rates = np.tile(4 + 3 * np.sin(np.arange(64) / 9), (64, 1))
    found, true = [], []
    for _ in range(60):
        counts = rng.poisson(rates).astype(float)
        found.append(judge_counts(FOR_COUNTS, [(counts - low) / span], low, span)[FOR_COUNTS].risk.at(1))
        half, _ = thin(counts, 0.5, np.random.default_rng(SEED))
        true.append(np.mean((2 * filter(half, **setting) - rates) ** 2) / span**2)
    off = np.subtract(found, true)
    assert abs(off.mean()) < 4 * off.std() / np.sqrt(len(off)) < 0.2 * np.mean(true)
