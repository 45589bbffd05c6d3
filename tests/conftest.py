"""Tests run headless, without a network, and without whatever data this machine happens to have."""

import os
from pathlib import Path

import numpy as np
import pytest

os.environ["MPLBACKEND"] = "Agg"
os.environ["DNLIB_HEADLESS"] = "1"
os.environ.pop("DNLIB_PROFILE", None)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def no_local_data(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("DNLIB_DATA", str(tmp_path_factory.mktemp("data")))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def noisy(rng):
    """A small photograph-like image [48, 40] with noise of standard deviation 0.1."""
    from dnlib.images import photo

    clean = photo("camera")[100:148, 200:240]
    return (clean + 0.1 * rng.standard_normal(clean.shape)).astype(np.float32)
