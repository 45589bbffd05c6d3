import pytest
import torch

from dnlib.noise import Gaussian, noisy_burst


def test_noise_is_independent_or_correlated_in_time():
    burst, generator = torch.full((5, 1, 200, 200), 0.5), torch.Generator().manual_seed(0)
    for temporal in (0.0, 0.6):
        noise = noisy_burst(burst, Gaussian(25), generator, temporal=temporal).image - burst
        assert torch.allclose(noise.std(dim=(1, 2, 3)), torch.tensor(25 / 255), rtol=0.03)
        for lag in (1, 2):
            found = (noise[lag:] * noise[:-lag]).mean() / noise.var()
            assert found.item() == pytest.approx(temporal**lag if temporal else 0, abs=0.02)


def test_a_correlation_of_one_is_refused():
    with pytest.raises(ValueError, match=r"\[0, 1\); 1 was given"):
        noisy_burst(torch.rand(3, 1, 8, 8), Gaussian(5), torch.Generator(), temporal=1)
