import pytest
import torch
from torch import nn

from dnlib.images.arrays import photo
from dnlib.methods import APBSN, Batch, BlindSpotBayes, Method, Noise2Noise, Noise2Self, Noise2Void, Perceptual
from dnlib.methods.perceptual import Features
from dnlib.networks import BabyUNet, DilatedBlindSpot, Noise2CleanUNet, Noise2VoidUNet, TwoWayBlindSpotUNet
from dnlib.noise import Gaussian
from dnlib.training import Crops, loop
from dnlib.zoo import cards


@pytest.fixture
def features():
    torch.manual_seed(0)
    return Features(Noise2CleanUNet(3, 4, depth=3))


def pair(**parts):
    generator = torch.Generator().manual_seed(0)
    images = {name: torch.rand(2, 3, 16, 16, generator=generator) for name in ("noisy", "second_noisy")}
    return Batch(generator, 0.5, **images | parts)


def blind(**options):
    torch.manual_seed(0)
    return APBSN(DilatedBlindSpot(3, 8, blocks=1), train_stride=2, border=None, refinements=0, **options)


def n2n():
    torch.manual_seed(0)
    return Noise2Noise(BabyUNet(3, 4))


@pytest.mark.parametrize("make", [blind, n2n])
@pytest.mark.parametrize("target", ["noisy", "second_noisy"])
def test_weight_0_is_the_plain_loss_exactly(features, make, target):
    method = make()
    wrapped = Perceptual(method, features, 0, target=target)
    assert wrapped.needs == method.needs
    assert torch.equal(wrapped.loss(pair()), method.loss(pair()))


def test_weight_0_trains_to_the_very_same_weights(features):
    found = []
    for wrap in (lambda method: method, lambda method: Perceptual(method, features, 0)):
        method = blind()
        crops = Crops([photo("astronaut")[:40, :40]], Gaussian(25), size=16, count=2)
        loop.fit(wrap(method), crops, steps=3, device="cpu", progress=False)
        found.append(method.state_dict())
    assert all(torch.equal(found[0][name], tensor) for name, tensor in found[1].items())


def test_the_loss_is_the_method_s_plus_weight_times_the_distance(features):
    method, batch = n2n(), pair()
    plain, far = method.loss(batch), features.distance(method.network(batch.noisy), batch.second_noisy)
    assert Perceptual(method, features, 0.7).loss(batch).item() == pytest.approx((plain + 0.7 * far).item(), rel=1e-6)
    batch = pair(clean=torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1)))
    far = features.distance(method.network(batch.noisy), batch.clean)
    told = Perceptual(method, features, 0.7, target="clean").loss(batch).item()
    assert told == pytest.approx((plain + 0.7 * far).item(), rel=1e-6)


def test_the_distance_is_the_mean_over_levels_of_relative_squares(features):
    a, b = torch.rand(2, 1, 3, 24, 16)
    by_hand = [((f - w) ** 2).sum() / (w**2).sum() for f, w in zip(features(a), features(b), strict=True)]
    assert features.distance(a, b).item() == pytest.approx(torch.stack(by_hand).mean().item(), rel=1e-4)
    assert features.distance(a, a) == 0


def test_the_features_are_those_that_the_network_hands_to_its_decoder():
    torch.manual_seed(0)
    network, image = Noise2CleanUNet(3, 4, depth=3), torch.rand(1, 3, 24, 16)
    found = Features(network, levels=(1, 3))(image)
    assert [list(part.shape) for part in found] == [[1, 4, 12, 8], [1, 4, 3, 2]]
    first = network.pool(network.encoder[0](network.first(image)))
    assert torch.equal(found[0], first)


def test_the_term_s_gradient_is_right_and_goes_to_the_answer_alone():
    torch.manual_seed(0)
    features = Features(Noise2CleanUNet(1, 3, depth=2).double())
    answer = torch.rand(1, 1, 8, 8, dtype=torch.float64, requires_grad=True)
    target = torch.rand(1, 1, 8, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a: features.distance(a, target), (answer,), eps=1e-7, atol=1e-5)
    features.distance(answer, target).backward()
    assert answer.grad.abs().sum() > 0 and target.grad is None


def test_the_features_do_not_learn_and_are_no_part_of_the_method(features):
    method = n2n()
    wrapped = Perceptual(method, features, 1.0)
    assert {id(p) for p in wrapped.parameters()} == {id(p) for p in method.parameters()}
    wrapped.loss(pair()).backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in method.parameters())
    assert all(not p.requires_grad and p.grad is None for p in features._network[0].parameters())


def test_a_network_whose_features_are_used_can_still_learn():
    network = Noise2CleanUNet(3, 4, depth=2)
    Features(network)
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_what_is_needed_is_what_is_used(features):
    assert Perceptual(blind(), features, 1.0).needs == {"noisy", "second_noisy"}
    assert Perceptual(blind(), features, 1.0, target="noisy").needs == {"noisy"}
    assert Perceptual(blind(), features, 1.0, target="clean").needs == {"noisy", "clean"}
    assert Perceptual(blind(), features, 1.0, target=n2n()).needs == {"noisy"}
    alone = Batch(torch.Generator(), noisy=torch.rand(1, 3, 16, 16))
    assert Perceptual(blind(), features, 1.0, target=n2n()).loss(alone).isfinite()
    with pytest.raises(AttributeError, match="second_noisy"):
        Perceptual(blind(), features, 1.0).loss(alone)


def test_a_teacher_is_a_constant(features):
    teacher, learner = n2n().train(), blind()
    Perceptual(learner, features, 1.0, target=teacher).loss(pair()).backward()
    assert all(parameter.grad is None for parameter in teacher.parameters()) and teacher.training


def test_it_denoises_as_the_method_that_learned(features):
    method, noisy = blind(), torch.rand(1, 3, 17, 20)
    assert torch.equal(Perceptual(method, features, 1.0).denoise(noisy).mean, method.denoise(noisy).mean)


@pytest.mark.parametrize(
    "make",
    [
        blind,
        lambda: Noise2Void(Noise2VoidUNet(3, 4), mean=0.5),
        lambda: Noise2Self(BabyUNet(3, 4), inference="invariant"),
        lambda: BlindSpotBayes(TwoWayBlindSpotUNet(3, 4), Gaussian((5, 50))),
    ],
)
def test_the_term_looks_at_what_the_method_says_when_it_denoises(features, make):
    torch.manual_seed(0)
    method, batch = make().eval(), pair(parameter=torch.tensor([25 / 255] * 2))
    told = {"parameter": 25} if "parameter" in method.needs else {}
    said = Perceptual(method, features, 1.0).denoise(batch.noisy, **told).mean
    plain, far = method.loss(pair(parameter=batch.parameter)), features.distance(said, batch.noisy)
    loss = Perceptual(method, features, 1.0, target="noisy").loss(pair(parameter=batch.parameter))
    assert loss.item() == pytest.approx((plain + far).item(), rel=1e-5)


def test_teachers_teach_in_evaluation_mode_and_are_left_in_theirs(features):
    teacher = Noise2Noise(nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Dropout(0.9))).train()
    wrapped = Perceptual(n2n(), features, 1.0, target=teacher).train()
    before = {name: tensor.clone() for name, tensor in teacher.state_dict().items()}
    losses = [wrapped.loss(pair()).item() for _ in range(2)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)  # no dropout
    assert all(torch.equal(before[name], tensor) for name, tensor in teacher.state_dict().items())
    assert all(part.training for part in teacher.modules())
    assert wrapped.teachers == {"features": features._network[0], "target": teacher}


@pytest.fixture
def on_flat_gray():
    """Distances, on a flat image, of answers that carry a share of the noise of the pixel to the left."""
    torch.manual_seed(0)
    features = Features(Noise2CleanUNet(3, 8, depth=3), levels=(2, 3))
    draws = [Gaussian(25).sample(torch.full((4, 3, 64, 64), 0.5)).image for _ in range(3)]

    def distance(noise_of, target, share=0.3):
        blind_answer = 0.5 + share * (draws[noise_of] - 0.5).roll(1, dims=3)  # never the pixel's own noise
        return features.distance(blind_answer, draws[target]).item()

    return distance


def test_the_noisy_image_as_target_rewards_a_blind_answer_for_its_neighbours_noise(on_flat_gray):
    """The noise that is seen is worth more than other noise as strong; a second image does not know it."""
    seen, target, other = 0, 1, 2
    assert on_flat_gray(seen, seen) < 0.97 * on_flat_gray(other, seen)
    assert on_flat_gray(seen, target) == pytest.approx(on_flat_gray(other, target), rel=0.03)


def test_noisy_targets_of_either_kind_ask_for_grain(on_flat_gray):
    """Features are not linear: noisy images have others, on average, than the clean one."""
    assert on_flat_gray(0, 1, share=0.3) < on_flat_gray(0, 1, share=0.0)


def test_shipped_features_see_blur_and_grain_and_never_saw_a_clean_image():
    card = cards.read_card("noise2noise_rgb_sigma25")
    assert "clean" not in card["needs"]
    features = Features(cards.load_method("noise2noise_rgb_sigma25").network, levels=(1, 2))
    clean = torch.from_numpy(photo("astronaut")[:128, :128].transpose(2, 0, 1))[None]
    blurred = nn.functional.avg_pool2d(nn.functional.pad(clean, (1, 1, 1, 1), mode="reflect"), 3, 1)
    error = (blurred - clean).square().mean().sqrt()
    grain = clean + error * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    assert features.distance(blurred, clean) > 1e-4 and features.distance(grain, clean) > 1e-4
    assert features.distance(0.5 * (blurred + clean), clean) < features.distance(blurred, clean)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: Perceptual(n2n(), f, -0.1), "a number >= 0; -0.1 was given. 0 leaves the loss"),
        (lambda f: Perceptual(n2n(), f, float("nan")), "nan was given"),
        (lambda f: Perceptual(n2n(), f, float("inf")), "inf was given"),
        (lambda f: Perceptual(n2n(), f, 1.0, target="sharp"), "noisy, clean, or a trained method; 'sharp'"),
        (lambda f: Features(BabyUNet(3, 4)), "a U-Net's encoder; BabyUNet was given"),
        (lambda f: Features(Noise2CleanUNet(3, 4, depth=3), levels=(0, 4)), r"levels 1 to 3; \(0, 4\)"),
        (lambda f: Features(Noise2CleanUNet(3, 4, depth=3), levels=()), "levels 1 to 3"),
        (lambda f: f(torch.rand(1, 4, 8, 8)), "an image with 4 was given"),
    ],
)
def test_bad_input_is_told(features, call, message):
    with pytest.raises(ValueError, match=message):
        call(features)


def test_any_method_can_be_wrapped(features):
    assert isinstance(Perceptual(n2n(), features, 1.0), Method)
