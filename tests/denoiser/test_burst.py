"""`dnlib.denoise(burst=True, adapt=...)`: what is learnt from shots of one scene, by a small network and few steps."""

import re

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from test_adapting import NETWORK, network, stand_in  # noqa: F401 - fixtures

import dnlib
from dnlib.cli import main
from dnlib.denoiser import adapting, choosing, lessons, plan
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
    found = Burst(picture, samples, range(7)).lessons(part, NOTHING, Range(0, 1, 1), places)
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


def learnt_from(image, monkeypatch):
    """The bursts that a picture gives, and the frames as they come out."""
    taught = []
    monkeypatch.setattr(choosing, "adapted_best", lambda judged, lessons, *_: (taught.append(lessons), ({}, ""))[1])
    return adapted(image)[0], taught[0].bursts


def test_dark_shots_are_left_out_and_stay_dark(stand_in, monkeypatch):  # noqa: F811
    """Two in the middle of six: the four others are shots of the scene."""
    shots = np.stack([*SEEN[:2], *np.zeros_like(SEEN[:2]), *SEEN[2:4]])
    result, bursts = learnt_from(shots, monkeypatch)
    assert not result[2:4].any() and bursts
    assert all(len(one) == 3 and float(one.std(dim=(1, 2, 3)).min()) > 0 for one in bursts)


def test_areas_that_are_white_in_all_shots_are_not_learnt_from(stand_in, monkeypatch):  # noqa: F811
    shots = SEEN.clip(0, 1)
    shots[:, :100] = 1
    _, bursts = learnt_from(shots, monkeypatch)
    assert bursts and all(float((one == 1).all(dim=(0, 1)).float().mean()) < 0.1 for one in bursts)


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (SEEN, {"adapt": None}, "--burst .* goes with it"),
        (SEEN[:2], {}, "three shots of one scene or more, which are not constant; 2 were given"),
        (SEEN[0], {}, "three shots of one scene .*; 1 was given"),
        (SEEN * np.array([1, 0, 1, 0, 0])[:, None, None, None], {}, "not constant; 2 were given"),
        (np.stack([SEEN[0]] * 3), {}, "are equal: .*; leave one of them out"),
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
    assert not (tmp_path / "out").exists()


def test_what_is_told_of_all_shots_is_no_ones_and_names_files(stand_in, folder, tmp_path):  # noqa: F811
    """Of six, one is white, and one is darker: both are named once, and of the white one no gain is told."""
    write(folder / "shot_2.png", Picture.of(np.full((232, 232, 3), 255, np.uint8)), overwrite=True)
    write(folder / "shot_5.png", Picture.of((140 * SEEN[4].clip(0, 1)).astype(np.uint8)))
    said = run(folder, "-o", tmp_path / "out", "--burst", "--adapt", "5h", "--filter", NETWORK)
    assert said.exit_code == 0, said.output
    for note in ("all shots: 1 of 6 frames are constant", f"all shots: {NETWORK} was trained further"):
        assert said.output.count(note) == 1, said.output
    assert re.search(
        "all shots: frames have more or less light than shot_3.png.*: shot_5.png 0.[0-9]+ times", said.output
    )
    assert re.search("shot_2.png: left as it is, for it is constant", said.output)
    assert said.output.count("give or take") == 5


def test_what_is_told_of_a_file_when_it_is_read_is_told_of_each(stand_in, tmp_path):  # noqa: F811
    files = [tmp_path / f"{number}.npy" for number in range(3)]
    for file, shot in zip(files, SEEN, strict=False):
        shot = shot.copy()
        shot[:4] = -9999
        np.save(file, shot)
    said = run(*files, "-o", tmp_path / "out", "--burst", "--adapt", "5h", "--filter", NETWORK)
    assert said.exit_code == 0, said.output
    for file in files:
        assert f"{file.name}: pixels of the value -9999 are taken for missing" in said.output


@pytest.mark.parametrize(
    ("shape", "alpha", "told"),
    [
        ((1, 32, 32, 3), "", r"given by its name; a\.tif has \[1, 32, 32, 3\] \(TYXS\)"),
        ((32, 32, 4), "associated", r"a\.tif has .* with unassociated alpha; b\.tif has .* with associated alpha"),
    ],
)
def test_what_differs_is_told(tmp_path, shape, alpha, told):
    pixels = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    axes = "TYXS" if len(shape) == 4 else "YXS"
    kinds = {"a": "unassociated" if alpha else "", "b": alpha, "c": alpha}
    for name, kind in kinds.items():
        write(tmp_path / f"{name}.tif", Picture.of(pixels, axes=axes, alpha=kind))
    said = run(*(tmp_path / f"{name}.tif" for name in kinds), "-o", tmp_path / "out", "--burst", "--adapt", "5h")
    assert said.exit_code == 2 and re.search(told, said.output), said.output


def test_too_little_memory_is_told_in_a_line(folder, tmp_path, monkeypatch):
    def too_large(*_, **__):
        raise MemoryError

    monkeypatch.setattr(plan, "look_at", too_large)
    said = run(folder, "-o", tmp_path / "out", "--burst", "--adapt", "5h")
    assert said.exit_code == 2 and "shot_0.png: there is not enough memory" in said.output, said.output
