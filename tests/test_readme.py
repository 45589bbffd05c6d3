"""The README's Python runs as it stands there (with fewer steps)."""

import re

import numpy as np
import pytest
from conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("code", SNIPPETS, ids=lambda code: code.strip().splitlines()[-1][:30])
def test_a_snippet_runs(code, rng):
    noisy = rng.random((64, 70), dtype=np.float32)
    space = {"image": noisy, "noisy": noisy}
    exec(code.replace("steps=1000", "steps=2"), space)
    for name in {"denoised"} & space.keys():
        assert space[name].shape == noisy.shape and np.isfinite(space[name]).all()
    assert "method" not in space or len(list(space["method"].parameters()))
