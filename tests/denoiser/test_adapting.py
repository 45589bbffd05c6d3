"""`dnlib.denoise(adapt=...)`: a small network stands in for the shipped ones, and mostly a number of steps for time."""

import copy
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import dnlib
from dnlib.cli import main
from dnlib.denoiser import UNCHANGED, adapting, learned, lessons
from dnlib.denoiser.adapting import HELD_OUT
from dnlib.denoiser.candidates import CANDIDATES
from dnlib.denoiser.detail import Detail
from dnlib.denoiser.judging import Judge, falls
from dnlib.denoiser.lessons import SMALLEST, Pairs, drawn_by
from dnlib.denoiser.sampling import MARGIN, between, sample_places, sample_tiles, tiles_at
from dnlib.denoiser.strength import WhiteNoise
from dnlib.images import photo
from dnlib.methods import Batch, Noise2Clean
from dnlib.training import Crops, fit, psnr

NETWORK = "photographs_network"
CLEAN = photo("astronaut")[:232, 100:332]
NOISY = CLEAN + 25 / 255 * np.random.default_rng(0).standard_normal(CLEAN.shape).astype(np.float32)
EVERYWHERE = np.ones(NOISY.shape[:2], bool)


class Filter(nn.Module):
    """Weighted means of 5x5 pixels, at first of a single one: what a network of one layer can learn."""

    channels, reach, multiple = 3, 2, 1

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 5, padding=2, groups=3, bias=False, padding_mode="reflect")
        nn.init.dirac_(self.layer.weight, groups=3)

    def forward(self, image):
        return self.layer(image)


@pytest.fixture
def network(monkeypatch):
    """The filter is all networks."""
    method = Noise2Clean(Filter()).eval()
    monkeypatch.setattr(learned, "method_of", lambda name, device: method)
    monkeypatch.setattr(learned, "is_there", lambda name: True)
    monkeypatch.setattr(lessons, "LEARNING_RATE", 1e-2)
    return method


@pytest.fixture
def stand_in(network, monkeypatch):
    """The filter is all networks, and 40 steps with four looks are all times."""
    monkeypatch.setattr(adapting, "_fitting", lambda seconds, per_step, per_look: (40, 4))
    return network


def watch(monkeypatch, begun):
    """Call `begun(step)` as each step draws its noise. No trial comes before: half a second a step, and one a look."""
    steps = itertools.count(1)

    def watched(strength):
        def draw(light, generator):
            begun(next(steps))
            return drawn_by(strength)(light, generator)

        return draw

    monkeypatch.setattr(lessons, "drawn_by", watched)
    monkeypatch.setattr(adapting.Adaptation, "_try", lambda self, crops: (0.5, 1.0))


def adapted(image=NOISY, **options):
    return dnlib.denoise(image, **{"filter": NETWORK, "adapt": 1e6, "device": "cpu", "return_choice": True} | options)


def test_what_is_learnt_from_lies_apart_from_what_is_judged_and_from_what_does_not_count():
    inside = EVERYWHERE.copy()
    inside[:3, 50:60] = False
    marked = np.where(inside, 0.0, 1.0)
    (place,) = sample_places([NOISY], [inside], HELD_OUT)
    grown = tuple(slice(one.start - MARGIN + 1, one.stop + MARGIN - 1) for one in place[1:])
    marked[grown] = 1
    found = between([marked[..., None]], [inside], [place], SMALLEST)
    assert found and all(one.max() == 0 and min(one.shape[:2]) >= SMALLEST for one in found)
    assert sum(one.size for one in found) > 0.5 * (marked == 0).sum()


def test_what_it_learns_does_not_depend_on_the_pixels_that_judge_it(stand_in):
    (place,) = sample_places([NOISY], [EVERYWHERE], HELD_OUT)
    other, weights = NOISY.copy(), []
    other[place.rows, place.columns] += 1
    for image in (NOISY, other):
        method = Detail(copy.deepcopy(stand_in.network), drawn_by(WhiteNoise(0.1)), 0.5)
        crops = between([image], [EVERYWHERE], [place], SMALLEST)
        fit(method, Crops(crops, size=SMALLEST), steps=3, device="cpu", progress=False)
        weights.append(method.network.layer.weight.detach())
    assert torch.equal(*weights) and not torch.equal(weights[0], stand_in.network.layer.weight)


def test_local_brightness_is_not_learnt():
    """For answers and targets off by a constant: the first costs its square, and the second nothing."""

    class Shifted(nn.Module):
        shift = 0.0

        def forward(self, image):
            return image + self.shift

    noisy, losses = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)), {}
    for off in (0.0, 0.3):

        def draw(light, generator, off=off):
            return off + 0.1 * torch.randn(light.shape, generator=generator)

        for shift in (0.0, 0.2):
            method = Detail(Shifted(), draw, 0.5)
            method.network.shift = shift
            losses[off, shift] = float(method.loss(Batch(torch.Generator().manual_seed(1), noisy=noisy)))
    assert losses[0.3, 0.0] == pytest.approx(losses[0.0, 0.0], abs=1e-5)
    for off in (0.0, 0.3):
        assert losses[off, 0.2] - losses[off, 0.0] == pytest.approx(0.04, abs=1e-5)


def test_noise_is_drawn_as_the_strength_has_it_and_from_the_generator_alone():
    draw, light = drawn_by(WhiteNoise(0.2)), torch.zeros(2, 3, 64, 64)
    first, again, other = (draw(light, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other) and first.shape == light.shape
    assert first.std() == pytest.approx(0.2, rel=0.02) and not torch.equal(first[0], first[1])


def test_a_risk_falls_only_for_certain(stand_in):
    judge = Judge(sample_tiles([NOISY], [EVERYWHERE], HELD_OUT), WhiteNoise(25 / 255), harmless=False, device="cpu")

    def judged(share):
        candidate = adapting.replace(CANDIDATES[NETWORK], filter=lambda image, device: (1 - share) * image + share / 2)
        return judge.one(candidate)

    assert falls(judged(0), judged(0.05)) and not falls(judged(0.05), judged(0))
    assert not falls(judged(0.05), judged(0.05)) and not falls(judged(0), judged(1))


def test_where_neighbours_share_the_noise_a_risk_has_to_fall_by_more_than_its_estimate_may_be_off(stand_in):
    class Shared(WhiteNoise):
        white = False

    tiles = [0.5 + 25 / 255 * np.random.default_rng(0).standard_normal((128, 128, 3))]
    for strength, small_is_enough in ((WhiteNoise(25 / 255), True), (Shared(25 / 255), False)):
        judge = Judge(tiles, strength, harmless=False, device="cpu")

        def judged(share, judge=judge):
            filter = lambda image, device: (1 - share) * image + share / 2  # noqa: E731
            return judge.one(adapting.replace(CANDIDATES[NETWORK], filter=filter))

        assert judge.is_worse(judged(0), judged(0.02)) is small_is_enough
        assert judge.is_worse(judged(0), judged(0.1))


def test_a_network_that_learns_is_one_more_candidate_and_better(stand_in):
    result, choice = adapted()
    assert choice.filter == f"{NETWORK}_adapted" and choice.risks[choice.filter] < choice.risks[NETWORK]
    assert any("trained further on this picture for 40 steps" in note and "fell from" in note for note in choice.notes)
    assert psnr(result, CLEAN) > psnr(dnlib.denoise(NOISY, filter=NETWORK, device="cpu"), CLEAN) + 0.8
    assert torch.equal(stand_in.network.layer.weight, Filter().layer.weight)  # what is shipped stays as it was


def test_among_all_candidates_it_is_taken_only_if_it_is_the_best(stand_in):
    result, choice = adapted(filter="auto")
    assert choice.risk == min(choice.risks.values()) and not CANDIDATES[choice.filter].weights
    assert any(name.endswith("_adapted") for name in choice.risks) and UNCHANGED in choice.risks
    assert psnr(result, CLEAN) == pytest.approx(psnr(dnlib.denoise(NOISY, filter=choice.filter), CLEAN), abs=0.3)


def test_in_a_mean_the_trained_network_takes_the_place_of_the_network(stand_in):
    places = sample_places([NOISY], [EVERYWHERE], HELD_OUT)
    judge = Judge(tiles_at([NOISY], places), WhiteNoise(25 / 255), harmless=True, device="cpu")
    judged = {name: judge.one(CANDIDATES[name]) for name in ("median", NETWORK)}
    judged |= judge.mean(judged)
    crops = Pairs(between([NOISY], [EVERYWHERE], places, SMALLEST))
    found, _ = adapting.adapted_best(judged, crops, judge, 1e6, 1.0, progress=False)
    alone, mean = f"{NETWORK}_adapted", f"median and {NETWORK}_adapted"
    assert list(found) == [alone, mean]
    assert found[mean].change < judged[f"median and {NETWORK}"].change


def test_what_makes_it_worse_is_not_kept(stand_in, monkeypatch):
    monkeypatch.setattr(lessons, "LEARNING_RATE", 3.0)
    result, choice = adapted()
    assert set(choice.risks) == {NETWORK, UNCHANGED} and any("it stays as it was" in note for note in choice.notes)
    np.testing.assert_array_equal(result, dnlib.denoise(NOISY, filter=NETWORK, device="cpu"))


def test_interrupted_it_goes_on_with_what_it_has_learnt(stand_in, monkeypatch):
    def interrupt(step):
        if step > 20:
            raise KeyboardInterrupt

    watch(monkeypatch, interrupt)
    result, choice = adapted()
    assert any("for 20 steps" in note for note in choice.notes)
    assert psnr(result, CLEAN) > psnr(NOISY, CLEAN) + 0.3


def test_when_its_time_is_up_it_goes_on_with_what_it_has_learnt(network, monkeypatch):
    """Of the 36 steps for which there seemed to be time, when each then takes a second and not half of one."""
    clock = SimpleNamespace(now=0.0)
    watch(monkeypatch, lambda step: setattr(clock, "now", float(step)))
    monkeypatch.setattr(adapting, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    result, choice = adapted(adapt=24)
    assert any("for 24 steps" in note for note in choice.notes)
    assert psnr(result, CLEAN) > psnr(NOISY, CLEAN) + 0.3


def test_of_a_stack_it_learns_from_the_frames_that_are_samples(stand_in):
    frames = np.stack([NOISY, NOISY[::-1]])
    result, choice = adapted(frames)
    assert result.shape == frames.shape and choice.filter == f"{NETWORK}_adapted"
    assert min(psnr(one, clean) for one, clean in zip(result, (CLEAN, CLEAN[::-1]), strict=True)) > 21


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (NOISY, {"filter": "median"}, r"trains a network further: .*photographs_network, .*; --filter median was"),
        (NOISY, {"filter": "blind_spot"}, "--filter blind_spot was given"),
        (NOISY, {"adapt": 0}, r"takes a time above 0, as 5m \(300, in seconds\); 0 was given"),
        (NOISY, {"adapt": float("nan")}, "nan was given"),
        (NOISY, {"adapt": "5m"}, "'5m' was given"),
        (NOISY, {"patience": "10m"}, r"a time above 0, as 10m \(600, in seconds\); '10m' was given"),
        (NOISY[..., 0], {"filter": "auto"}, r"take pictures of 3 colours; this one has 1 channel"),
        (np.random.default_rng(0).poisson(0.5, (240, 240)), {"filter": "auto", "dtype": "float32"}, "photon counts"),
        (NOISY[:170, :170], {}, "no room of 40x40 pixels, none of them missing: it takes pictures of about 176 pixels"),
        (NOISY, {"filter": "auto", "patience": 1e-9}, "none is tried here"),
    ],
)
def test_what_cannot_be_adapted_is_refused_before_the_work(image, options, message, stand_in, monkeypatch):
    monkeypatch.setattr(adapting, "adapt", None)
    with pytest.raises(ValueError, match=message):
        adapted(image, **options)


def test_a_time_too_short_for_one_step_is_refused_and_nothing_is_written(network, monkeypatch, tmp_path):
    monkeypatch.setattr(adapting.Adaptation, "_try", lambda self, crops: (7.0, 5.0))
    np.save(tmp_path / "in.npy", NOISY)
    for time, message in (("3s", "no time for a single step here"), ("0s", "a time above 0"), ("5", "5m")):
        out = tmp_path / "out.npy"
        arguments = ["denoise", tmp_path / "in.npy", "-o", out, "--adapt", time, "--filter", NETWORK]
        said = CliRunner().invoke(main, list(map(str, arguments)))
        assert said.exit_code == 2 and message in " ".join(said.output.split()), said.output
        assert not out.exists()


@pytest.mark.parametrize(
    ("seconds", "per_step", "per_look", "expected"),
    [(60, 0.5, 1, (108, 6)), (10, 0.5, 2, (16, 1)), (2.6, 0.5, 2, (1, 1)), (2.4, 0.5, 2, (0, 1)), (-1, 0.5, 2, (0, 1))],
)
def test_steps_and_looks_fit_into_the_time(seconds, per_step, per_look, expected):
    assert adapting._fitting(seconds, per_step, per_look) == expected


def test_the_command_adapts(stand_in, tmp_path):
    np.save(tmp_path / "in.npy", NOISY)
    arguments = ["denoise", tmp_path / "in.npy", "-o", tmp_path / "out.npy", "--adapt", "5h", "--filter", NETWORK]
    said = CliRunner().invoke(main, list(map(str, arguments)))
    assert said.exit_code == 0 and f"{NETWORK}_adapted" in said.output and "for 40 steps" in said.output, said.output
    assert psnr(np.load(tmp_path / "out.npy"), CLEAN) > psnr(NOISY, CLEAN) + 0.8
