import numpy as np
import pytest
import torch

from dnlib.course import diagrams, method_diagrams, network_diagrams, plots
from dnlib.course.diagrams import Box, Panel, draw, sees
from dnlib.course.method_diagrams import learnt_from
from dnlib.methods import (
    APBSN,
    Batch,
    BlindSpotBayes,
    Noise2Clean,
    Noise2Noise,
    Noise2Self,
    Noise2Void,
    PatchCraft,
    published_ssid,
)
from dnlib.networks import BlindSpotUNet, DilatedBlindSpot, DnCNN, Noise2CleanUNet, Noise2VoidUNet, local_global
from dnlib.noise import Gaussian


@pytest.fixture(autouse=True)
def closed():
    torch.manual_seed(0)
    yield
    plots.plt.close("all")


@pytest.fixture
def batch():
    return Batch(
        torch.Generator().manual_seed(0),
        **{name: torch.rand(1, 1, 16, 16) for name in ("clean", "noisy", "second_noisy")},
    )


@pytest.mark.parametrize(
    ("method", "target"), [(Noise2Clean, "clean"), (Noise2Noise, "second_noisy"), (PatchCraft, "second_noisy")]
)
def test_what_is_learnt_from_a_target_is_all_of_it(batch, method, target):
    shown, compared = learnt_from(method(DnCNN(1, 3, 4)), batch)
    assert torch.equal(shown, batch.noisy) and list(compared) == [target] and compared[target].all()


@pytest.mark.parametrize(
    "method",
    [lambda: Noise2Self(DnCNN(1, 3, 4)), lambda: Noise2Void(Noise2VoidUNet(1, 4), share=1 / 64, manipulator="median")],
)
def test_what_masking_compares_is_what_it_overwrote(batch, method):
    shown, compared = learnt_from(method(), batch)
    assert list(compared) == ["noisy"]
    overwritten = (shown != batch.noisy)[:, 0]
    assert 0 < overwritten.sum() <= 16 and torch.equal(overwritten, compared["noisy"])


def test_a_blind_spot_is_shown_all_and_compares_all(batch):
    method = BlindSpotBayes(BlindSpotUNet(1, 4, outputs=2, depth=2), Gaussian(25))
    shown, compared = learnt_from(method, batch)
    assert torch.equal(shown, batch.noisy) and compared["noisy"].all()
    picture = method_diagrams.training(method, batch).axes[0]
    red = picture.images[-1].get_array()[..., 3] > 0
    assert red.sum() == 1 and red[8, 8]


def test_the_diagram_leaves_the_method_as_it_was(batch):
    method = Noise2Self(DnCNN(1, 3, 4)).train()
    before = {name: value.clone() for name, value in method.state_dict().items()}
    method_diagrams.training(method, batch)
    assert method.training and not method.network._forward_hooks
    assert all(torch.equal(value, before[name]) for name, value in method.state_dict().items())


def test_what_is_not_seen_is_exactly_zero():
    seen = sees(torch.nn.Conv2d(1, 2, 3, padding=1), torch.rand(1, 1, 9, 9), (4, 4))
    assert (seen[3:6, 3:6] > 0).all() and (np.delete(seen, [3, 4, 5], axis=0) == 0).all()


def test_half_planes_are_half_planes_and_join_to_all_but_the_hole():
    figure = network_diagrams.half_planes(BlindSpotUNet(1, 4, outputs=1, depth=2, shift=2), torch.rand(1, 1, 17, 17))
    red = {ax.get_title(): ax.images[-1].get_array()[..., 3] > 0 for ax in figure.axes if ax.images}
    above = red["above"]
    assert above[7:].all() and not above[:6, 8].any()  # the row right above the pixel is left out, too
    for turns, name in enumerate(("above", "to the left", "below", "to the right")):
        assert np.rot90(red[name], -turns)[7:].all()
    assert figure.get_supxlabel() == "brightness: logarithm of the gradient"
    hole = red["all four: all\nbut the hole"]
    assert hole[7:10, 7:10].all() and not hole[[6, 10], 8].any()


def test_a_u_net_is_drawn_with_the_sizes_that_it_has():
    network, image = Noise2CleanUNet(1, 4, depth=3), torch.rand(1, 1, 32, 16)
    found = dict(network_diagrams.shapes(network, image))
    assert [found[f"encoder {i}"][1:] for i in range(4)] == [(32, 16), (16, 8), (8, 4), (4, 2)]
    assert found["decoder 1"] == (8, 16, 8) and found["tail"] == (1, 32, 16)
    words = [text.get_text() for text in network_diagrams.unet(network, image).axes[0].texts]
    assert words.count("4×2") == 1 and words.count("32×16") == 4


def test_the_larger_diagrams_show_what_runs():
    noisy = torch.rand(1, 3, 30, 30)
    shuffled = method_diagrams.shuffled(APBSN(DilatedBlindSpot(3, 4, blocks=1), refinements=2, share=0.25), noisy)
    titles = [ax.get_title() for ax in shuffled.axes]
    assert "R3: 25% of the values\nare noisy again" in titles and "one of 2 mixtures" in titles
    stages = method_diagrams.stages(published_ssid(3, 6, lan_target="noisy"), torch.rand(1, 3, 32, 32))
    assert [ax.get_title() for ax in stages.axes].count("compared with\nthe noisy image") == 1
    branches = network_diagrams.branches(local_global(3, 8, local_blocks=1), torch.rand(1, 3, 45, 45))
    red = branches.axes[1].images[-1].get_array()[..., 3] > 0
    assert red[22, 18:27].all()  # the diamond
    bayes = method_diagrams.bayes(BlindSpotBayes(BlindSpotUNet(3, 4, depth=2), Gaussian(25)), torch.rand(1, 3, 24, 24))
    assert [ax.get_title() for ax in bayes.axes][-1].startswith("posterior: mean,\n±")


def test_a_note_stands_below_the_pictures():
    figure = draw([Panel(np.zeros((4, 4)), "a")], note="brightness: a share")
    plots._pixels(figure)
    assert figure._supxlabel.get_window_extent().y1 < figure.axes[0].get_window_extent().y0


def test_rows_may_differ_in_length():
    figure = draw([Panel(np.zeros((4, 4)), "a"), Box("b"), Panel(np.ones((4, 4)), "c")], [Panel(np.ones((4, 4)), "d")])
    assert [ax.get_title() for ax in figure.axes] == ["a", "", "c", "d", "", ""]
    assert diagrams.label(DnCNN(1, 3, 4)).startswith("DnCNN\n")
