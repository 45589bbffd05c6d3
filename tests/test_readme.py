"""The README's Python runs as it stands there (with fewer steps)."""

import re

import numpy as np
import pytest
import torch

from dnlib.course import records
from dnlib.images import ROOT, Picture, arrays, bursts, write
from dnlib.noise import CorrelatedGaussian, noisy_burst

README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_readme_s_phone_images_are_recorded():
    record = records.read(records.COMMITTED / "07_pixel_shuffle-laptop-s0.json")
    table = {name: row["psnr"] for name, row in record.measured["phones"]["table"].items()}
    assert f"from {table['noisy']:.1f} to {table['AP-BSN']:.1f} dB" in README
    assert f"plain blind spot ends at {table['blind spot of chapter 04']:.1f}" in README
    assert f"estimated level at {table['BM3D, estimated level']:.1f}" in README


@pytest.fixture
def shots(tmp_path, monkeypatch):
    """Two folders of noisy frames, where the README has them."""
    monkeypatch.chdir(tmp_path)
    for seed, place in enumerate(("kitchen", "garden")):
        clean = bursts.set_in_motion(arrays.photo("coffee"), shape=(64, 70), seed=seed)
        noisy = noisy_burst(clean, CorrelatedGaussian(20, 3), torch.Generator().manual_seed(seed)).image
        (tmp_path / "shots" / place).mkdir(parents=True)
        for number, frame in enumerate(noisy):
            write(tmp_path / "shots" / place / f"{number}.tif", Picture.of(arrays.to_image(frame[None])))


@pytest.mark.parametrize("code", SNIPPETS, ids=lambda code: code.strip().splitlines()[-1][:30])
def test_a_snippet_runs(code, rng, shots):
    noisy = rng.random((64, 70), dtype=np.float32)
    space = {"image": noisy, "noisy": noisy}
    exec(re.sub(r"steps=\d+", "steps=2", code), space)
    for name in {"denoised"} & space.keys():
        assert space[name].shape == noisy.shape and np.isfinite(space[name]).all()
    assert "method" not in space or len(list(space["method"].parameters()))
