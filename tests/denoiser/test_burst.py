"""`dnlib.denoise(burst=True, adapt=...)`: what is learnt from shots of one scene, by a small network and few steps."""

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from test_adapting import NETWORK, network, stand_in  # noqa: F401 - fixtures

import dnlib
from dnlib.cli import main
from dnlib.denoiser import adapting, lessons
from dnlib.denoiser.before import NOTHING
from dnlib.denoiser.burst import SHOTS, Burst, shots_of
from dnlib.denoiser.detail import DetailOfShots
from dnlib.denoiser.glances import look_at, samples_of, together
from dnlib.denoiser.lessons import SIDE, Shots
from dnlib.denoiser.sampling import MARGIN, sample_places
from dnlib.images import Picture, Range, parts_of, photo, read, set_in_motion, to_image, write
from dnlib.methods import Batch
from dnlib.noise import CorrelatedGaussian, noisy_burst
from dnlib.training import psnr

CLEAN = set_in_motion(photo("astronaut"), frames=5, shape=(232, 232))
NOISY = noisy_burst(CLEAN, CorrelatedGaussian(25, 3), torch.Generator().manual_seed(0)).image
SEEN, SCENE = (np.stack([to_image(one[None]) for one in frames]) for frames in (NOISY, CLEAN))


def adapted(image=SEEN, **options):
    asked = {"filter": NETWORK, "adapt": 1e6, "burst": True, "device": "cpu", "return_choice": True}
    return dnlib.denoise(image, **asked | options)


def test_lessons_hold_nothing_of_what_judges_in_any_shot():
    """Shots that are 1 where a sample tile lies in any of them, or near it, and else noise around a half."""
    frames = 0.5 + 0.01 * np.random.default_rng(0).standard_normal((7, 232, 232, 3)).astype(np.float32)
    picture = Picture.of(frames, axes="TYXS")
    samples = samples_of(look_at(picture, progress=False)[0])
    (part,), _ = parts_of(together(picture, samples), samples=True)
    places = sample_places(list(part.pixels), list(part.inside), adapting.HELD_OUT, alike=True)
    for place in places:
        around = tuple(slice(max(0, one.start - MARGIN), one.stop + MARGIN) for one in place[1:])
        frames[(slice(None), *around)] = 1
    found = Burst(picture, samples).lessons(part, NOTHING, Range(0, 1, 1), places)
    assert found and all(one.shape[:2] == (SHOTS, 3) and min(one.shape[2:]) >= SIDE for one in found.bursts)
    assert max(float(one.max()) for one in found.bursts) < 0.6


@pytest.mark.parametrize(
    ("count", "expected"), [(3, [(0, 3)]), (4, [(0, 3), (1, 4)]), (5, [(0, 5)]), (7, [(0, 5), (1, 6), (2, 7)])]
)
def test_shots_are_taken_together_in_odd_numbers(count, expected):
    assert [(one.start, one.stop) for one in shots_of(count)] == expected


def test_patches_grow_with_the_noise():
    sides = [lessons.patch_for(level) for level in np.linspace(0, 0.3, 40)]
    assert sides == sorted(sides) and {side % 2 for side in sides} == {1} and (sides[0], sides[-1]) == (19, 43)


def test_its_loss_is_the_details_of_the_target_and_the_brightness_of_before():
    """Off by a constant the answer costs its square; a target that is brighter by one costs nothing."""

    class Shifted(torch.nn.Module):
        shift = 0.0

        def forward(self, image):
            return image + self.shift

    noisy = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    method = DetailOfShots(Shifted())
    for brighter in (0.0, 0.3):
        batch = Batch(torch.Generator().manual_seed(0), noisy=noisy, second_noisy=noisy + brighter)
        method.network.shift = 0.0
        assert float(method.loss(batch)) == pytest.approx(0, abs=1e-10)
        method.network.shift = 0.2
        assert float(method.loss(batch)) == pytest.approx(0.04, abs=1e-6)


def test_a_network_that_learns_from_shots_is_better_on_each(stand_in, monkeypatch):  # noqa: F811
    monkeypatch.setattr(Shots, "learning_rate", 1e-2)
    result, choice = adapted()
    assert choice.filter == f"{NETWORK}_adapted"
    assert any("trained further on these shots for 40 steps" in note for note in choice.notes)
    before = dnlib.denoise(SEEN, filter=NETWORK, device="cpu")
    gains = [psnr(one, clean) - psnr(was, clean) for one, was, clean in zip(result, before, SCENE, strict=True)]
    assert min(gains) > 0.5


def test_shots_in_another_light_are_named(stand_in):  # noqa: F811
    darker = SEEN.copy()
    darker[4] *= 0.7
    notes = adapted(darker)[1].notes
    assert any("shot 5" in note and "light" in note for note in notes)


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (SEEN, {"adapt": None}, "--burst .* goes with it"),
        (SEEN[:2], {}, "three shots of one scene or more; there are 2"),
        (SEEN[0], {}, "three shots of one scene or more; there are 1"),
        (np.stack([SEEN[0]] * 3), {}, "are equal"),
        (SEEN[:, :180, :180], {}, f"no room of {SIDE}x{SIDE} pixels"),
    ],
)
def test_what_is_no_burst_is_refused_before_the_training(image, options, message, stand_in, monkeypatch):  # noqa: F811
    monkeypatch.setattr(adapting, "adapt", None)
    with pytest.raises(ValueError, match=message):
        adapted(image, **options)


def run(*arguments):
    return CliRunner().invoke(main, ["denoise", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path):
    shots = tmp_path / "shots"
    shots.mkdir()
    for number, shot in enumerate(SEEN):
        write(shots / f"shot_{number}.png", Picture.of((255 * shot.clip(0, 1)).round().astype(np.uint8)))
    return shots


def test_the_command_learns_once_from_all_files(stand_in, folder, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(Shots, "learning_rate", 1e-2)
    said = run(folder, "-o", tmp_path / "out", "--burst", "--adapt", "5h", "--filter", NETWORK)
    assert said.exit_code == 0 and said.output.count("trained further on these shots") == 1, said.output
    for number, clean in enumerate(SCENE):
        result = read(tmp_path / "out" / f"shot_{number}.png").pixels
        assert psnr(result / 255, clean) > psnr(SEEN[number], clean) + 0.5


def test_files_that_are_no_burst_are_refused_before_any_work(stand_in, folder, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(adapting, "adapt", None)
    asked = ("-o", tmp_path / "out", "--burst", "--adapt", "5h")
    assert "--cluster, --report and --uncertainty are of each" in run(folder, *asked, "--cluster", "local:2").output
    assert "goes with it" in run(folder, *asked[:3]).output
    write(folder / "shot_9.png", Picture.of((255 * SEEN[0, :200].clip(0, 1)).astype(np.uint8)))
    said = run(folder, *asked)
    assert said.exit_code == 2 and "one size and type" in said.output and "shot_9.png has [200, 232, 3]" in said.output
    assert not list((tmp_path / "out").glob("*"))
