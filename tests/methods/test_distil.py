"""Distillation: where the loss is smallest, by hand and by a table that learns; holes; stages."""

import pytest
import torch
from torch import nn

from dnlib.images import to_image
from dnlib.methods import Batch, BlindTeacher, Distilled, Student
from dnlib.methods.distil import HOLES, recharged
from dnlib.networks import BlindSpotUNet, DilatedBlindSpot, Noise2CleanUNet
from dnlib.noise import CorrelatedGaussian
from dnlib.training import Crops, fit


def small(channels=1, *, shift=5, holes=(1, 3, 5), mean=True, **options):
    torch.manual_seed(0)
    teacher = BlindSpotUNet(channels, 8, outputs=channels, depth=2, shift=shift, mean=mean)
    return Distilled(Noise2CleanUNet(channels, 8, depth=2, pointwise=0), teacher=teacher, holes=holes, **options)


class Table(nn.Module):
    """A student that may say anything anywhere: one free number for each pixel."""

    def __init__(self, shape):
        super().__init__()
        self.channels, self.said = shape[1], nn.Parameter(torch.full(shape, 0.5, dtype=torch.float64))

    def forward(self, image):
        return self.said


def taught(count, recharge=False, size=(7, 9)):
    """Targets of a teacher with so many holes, a noisy image, and a student that is a table."""
    generator = torch.Generator().manual_seed(count)
    targets = torch.rand(count, 1, 2, *size, generator=generator, dtype=torch.float64)
    noisy = torch.rand(1, 2, *size, generator=generator, dtype=torch.float64)
    teacher = BlindTeacher(BlindSpotUNet(2, 4, outputs=2, depth=2, shift=5), HOLES[:count])
    student = Student(teacher, Table(noisy.shape), recharge=recharge)
    teacher.take_as_trained()
    teacher.teach = lambda image, learner: targets
    return targets, noisy, student


def weighted_median(values, weights):
    """The value at which half of the weight is reached: [k, ...] to [...]."""
    values, order = values.sort(dim=0)
    share = weights.view(-1, *[1] * (values.ndim - 1)).expand_as(values).gather(0, order).cumsum(dim=0)
    first = (share < weights.sum() / 2 - 1e-9).sum(dim=0, keepdim=True)
    return values.gather(0, first)[0]


@pytest.mark.parametrize("count", [1, 3, 5, 7])
def test_the_loss_is_smallest_at_the_median_of_the_targets(count):
    targets, noisy, student = taught(count)
    median = targets.median(dim=0).values

    def loss(answer):
        return (answer - targets).abs().sum(dim=0)  # pixel by pixel

    batch = Batch(torch.Generator(), noisy=noisy)
    assert student.compare(median, batch, targets).item() == pytest.approx(loss(median).mean().item())
    for step in (1e-3, 0.01, 0.3):
        assert (loss(median) < loss(median + step)).all() and (loss(median) < loss(median - step)).all()


@pytest.mark.parametrize("count", [3, 5, 7])
def test_recharged_the_expected_loss_is_smallest_where_the_pixel_has_one_vote_and_holes_the_others(count):
    targets, noisy, _ = taught(count)
    candidates = torch.cat([targets, noisy[None]])  # sums of absolute differences are smallest at one of these
    expected = torch.zeros_like(candidates)
    for number in range(count):  # every lot is as likely
        drawn = recharged(targets, noisy, torch.full((1, 1, *noisy.shape[2:]), number))
        expected += (candidates[:, None] - drawn[None]).abs().sum(dim=1) / count
    by_hand = (1 - 1 / count) * (candidates[:, None] - targets).abs().sum(dim=1) + (candidates - noisy).abs()
    assert torch.allclose(expected, by_hand)
    best = candidates.gather(0, expected.argmin(dim=0, keepdim=True))[0]
    weights = torch.tensor([*[1 - 1 / count] * count, 1.0], dtype=torch.float64)  # together m: m - 1 holes, one pixel
    assert weights.sum() == pytest.approx(count)
    assert torch.allclose(best, weighted_median(candidates, weights))
    assert (best != targets.median(dim=0).values).any()  # the vote counts


def test_each_draw_is_smallest_at_the_median_of_the_other_holes_and_the_pixel():
    targets, noisy, _ = taught(7)
    for number in range(7):
        drawn = recharged(targets, noisy, torch.full((1, 1, 7, 9), number))
        others = torch.cat([targets[:number], targets[number + 1 :], noisy[None]])
        assert torch.equal(drawn.median(dim=0).values, others.median(dim=0).values)


def learnt(student, noisy, steps=1000):
    """What a table says after plain gradient descent, with steps that become small."""
    optimizer, generator = torch.optim.SGD(student.parameters(), lr=1.0), torch.Generator().manual_seed(0)
    scale, average = noisy.numel(), torch.zeros_like(noisy)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = scale * 0.02 * (1 - step / steps)
        loss = student.loss(Batch(generator, noisy=noisy))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average += student.network.said.detach() * (step >= steps // 2) / (steps - steps // 2)
    return average


def test_a_table_learns_the_median_of_its_teacher():
    targets, noisy, student = taught(5)
    assert (learnt(student, noisy) - targets.median(dim=0).values).abs().max() < 0.02


def test_recharged_a_table_learns_the_median_with_the_pixel_s_vote():
    targets, noisy, student = taught(5, recharge=True)
    found, votes = learnt(student, noisy), torch.tensor([0.8] * 5 + [1.0], dtype=torch.float64)
    wanted, plain = weighted_median(torch.cat([targets, noisy[None]]), votes), targets.median(dim=0).values
    assert (found - wanted).abs().mean() < 0.02 < 0.3 * (found - plain).abs().mean()


def test_a_pixel_gives_way_in_all_its_channels_and_every_target_in_turn():
    targets, noisy = torch.zeros(4, 2, 3, 20, 30), torch.ones(2, 3, 20, 30)
    lot = torch.randint(4, (2, 1, 20, 30), generator=torch.Generator().manual_seed(0))
    drawn = recharged(targets, noisy, lot)
    assert torch.equal(drawn.sum(dim=0), noisy) and torch.equal(drawn[:, :, 0], drawn[:, :, 2])
    assert torch.allclose(drawn.mean(dim=(1, 2, 3, 4)), torch.tensor(0.25), atol=0.05)
    assert (targets == 0).all()


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("size", [(20, 20), (23, 31)])
def test_several_holes_at_once_are_the_same_as_one_after_the_other(mean, size):
    torch.manual_seed(0)
    network, image = BlindSpotUNet(3, 8, outputs=3, depth=2, shift=5, mean=mean), torch.rand(2, 3, *size)
    shifts = 1, 2, 5, 6
    with torch.no_grad():
        together = network.at_shifts(image, shifts)
        assert network.shift == 5
        for answer, shift in zip(together, shifts, strict=True):
            network.shift = shift
            assert torch.allclose(answer, network(image), atol=1e-6)


def test_hole_0_sees_the_pixel_itself_and_no_other_hole_does():
    torch.manual_seed(0)
    network = BlindSpotUNet(1, 8, outputs=1, depth=2, shift=5, mean=True).double()
    image = torch.rand(1, 1, 20, 20, dtype=torch.float64, requires_grad=True)
    answers = network.at_shifts(image, (0, 1))[:, 0, 0, 9, 9]
    seen = [torch.autograd.grad(answer, image, retain_graph=True)[0][0, 0, 9, 9] for answer in answers]
    assert seen[0] != 0 and seen[1] == 0


def test_a_teacher_says_what_it_says_with_each_of_its_holes_and_is_left_as_it_was():
    method = small(holes=(0, 1, 9))
    method.teacher.take_as_trained()
    noisy = torch.rand(1, 1, 20, 24)
    before = {name: weight.clone() for name, weight in method.teacher.state_dict().items()}
    targets = method.teacher.teach(noisy, method.stages[1])
    assert targets.shape == (3, 1, 1, 20, 24) and not targets.requires_grad
    assert torch.allclose(targets[2], method.teacher.denoise(noisy).mean, atol=1e-6)  # as trained
    assert all(torch.equal(before[name], weight) for name, weight in method.teacher.state_dict().items())


def batch():
    generator = torch.Generator().manual_seed(0)
    return Batch(generator, noisy=torch.rand(2, 1, 20, 20, generator=generator))


def test_each_stage_moves_its_own_network_and_no_other():
    method = small()
    for stage in method.stages:
        stage.loss(batch()).backward()
        for other in method.stages:
            moved = [parameter.grad is not None for parameter in other.network.parameters()]
            assert all(moved) if other is stage else not any(moved)
        method.zero_grad()
    assert method.stages[1].teachers == {"BlindTeacher": method.teacher}
    assert {name.split(".")[0] for name in method.state_dict()} == {"network", "teacher"}
    together = small()
    together.loss(batch()).backward()
    assert all(parameter.grad is not None for parameter in together.parameters())


def crops():
    """One noisy image, and the clean one that nobody learns from."""
    rows, columns = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    clean = (0.5 + 0.3 * torch.sin(rows / 9) * torch.cos(columns / 7))[None, None]
    noisy = CorrelatedGaussian(40, 3).sample(clean, torch.Generator().manual_seed(0)).image
    return Crops([to_image(noisy)], size=32, count=4), noisy, clean


def test_a_student_learns_to_denoise_correlated_noise_from_noisy_images_alone():
    method = small(shift=3, holes=(3, 5, 7))
    learnt_from, noisy, clean = crops()
    for stage in method.stages:
        fit(stage, learnt_from, steps=40, learning_rate=5e-3, average=0.9, device="cpu", progress=False)
    errors = [(image - clean).square().mean().item() for image in (method.denoise(noisy).mean, noisy)]
    assert errors[0] < errors[1] / 5


def test_a_resumed_student_ends_at_the_same_weights_and_a_teacher_of_other_weights_is_refused(tmp_path):
    def train(method, steps, **options):
        learnt_from = crops()[0]
        fit(method.teacher, learnt_from, steps=2, device="cpu", progress=False)
        return fit(method.stages[1], learnt_from, steps=steps, device="cpu", progress=False, **options)

    whole, cut = small(), small()
    train(whole, 4)

    def stop(step, loss, method):
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(cut, 4, checkpoint=tmp_path / "student.safetensors", on_step=stop)
    again = small()
    train(again, 4, checkpoint=tmp_path / "student.safetensors")
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in whole.state_dict().items())
    other = small()
    other.teacher.take_as_trained()
    with pytest.raises(ValueError, match="teacher BlindTeacher"):
        fit(other.stages[1], crops()[0], steps=4, device="cpu", checkpoint=tmp_path / "student.safetensors")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: small(holes=()), "one or more holes with odd sides.*none were given"),
        (lambda: small(holes=(1, 2)), "odd sides.*1, 2 were given"),
        (lambda: small(holes=(3, 3)), "each once.*3, 3 were given"),
        (lambda: small(holes=(-1,)), "odd sides.*-1 were given"),
        (lambda: BlindTeacher(DilatedBlindSpot(1, 8, blocks=1)), "hole of DilatedBlindSpot stays as it is"),
        (lambda: BlindTeacher(Noise2CleanUNet(1, 4, depth=2)), "sees the pixel it estimates"),
        (lambda: BlindTeacher(BlindSpotUNet(3, 4, depth=2)), "outputs=3"),
        (lambda: small().stages[1].loss(batch()), "Student learns from BlindTeacher, which is not trained yet"),
        (
            lambda: Student(BlindTeacher(BlindSpotUNet(1, 4, outputs=1, depth=2)), Noise2CleanUNet(3, 4, depth=2)),
            "one number of channels; BlindTeacher 1, Student 3",
        ),
    ],
)
def test_what_cannot_teach_or_learn_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
