"""One plain network from many holes: distillation as in AT-BSN (Chen et al. 2024) and TM-BSN (2026).

A blind network is trained with a hole that covers the noise's correlation. Used with a smaller hole it keeps more
detail and more noise. A plain network, which sees every pixel, learns what it says with several holes at once, summed
in L1: for each pixel their median. With "recharging" one of them, drawn pixel by pixel, gives way to the noisy value,
so that the pixel itself has a vote, too.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from dnlib.methods.base import Method
from dnlib.methods.batch import Batch
from dnlib.methods.ssid import BNN, Stage

HOLES = 0, 1, 3, 5, 7, 9, 11  # sides in pixels, AT-BSN's; 0 is no hole


class BlindTeacher(BNN):
    """Stage one: a blind network, trained with the hole that it has, which then teaches through several.

    Loss: the mean of |f(y) - y|, as of `BNN`.

    Parameters
    ----------
    network : nn.Module
        A blind one whose hole can be changed: `BlindSpotUNet(3, 48, outputs=3, shift=5)` is AT-BSN's.
    holes : sequence of int
        Sides of the holes that it teaches with, odd; 0 lets it see the pixel itself, too.

    Raises
    ------
    ValueError
        For a network that is not blind, answers with no image or has one hole for good; for holes that are even,
        repeated or none.

    Examples
    --------
    >>> from dnlib.networks import BlindSpotUNet
    >>> BlindTeacher(BlindSpotUNet(3, 8, outputs=3, depth=2, shift=5), holes=(1, 3, 5)).side
    9
    """

    def __init__(self, network: nn.Module, holes: Sequence[int] = HOLES):
        super().__init__(network)
        if not hasattr(network, "at_shifts"):
            raise ValueError(
                f"the hole of {type(network).__name__} stays as it is; a teacher needs one that changes, with "
                f"`at_shifts`, as BlindSpotUNet has"
            )
        if not holes or len(set(holes)) < len(holes) or any(hole < 0 or (hole and hole % 2 == 0) for hole in holes):
            raise ValueError(
                f"a teacher has one or more holes with odd sides, in pixels, or 0 for none, each once, such as "
                f"{', '.join(map(str, HOLES))}; {', '.join(map(str, holes)) or 'none'} were given"
            )
        self.holes = tuple(holes)

    def lesson(self, noisy: Tensor) -> Tensor:
        """What the network says with each of its holes: [holes, N, C, H, W]."""
        return self.network.at_shifts(noisy, [(hole + 1) // 2 for hole in self.holes])


class Student(Stage):
    """Stage two: a plain network. Loss: the sum over holes h of the mean of |f(y) - t_h|.

    It is smallest at the median of the targets t_h, pixel by pixel and channel by channel. With `recharge` one of the m
    targets of each pixel, in all its channels, is the noisy value y; every draw is smallest at the median of the m - 1
    others and y, and the expectation, (1 - 1/m) sum |f(y) - t_h| + |f(y) - y|, at the median in which y has one vote
    and each target 1 - 1/m.

    Parameters
    ----------
    teacher : BlindTeacher
        What it learns from.
    network : nn.Module
        Any.
    recharge : bool
        As in TM-BSN; AT-BSN does without.

    Examples
    --------
    >>> from dnlib.networks import BlindSpotUNet, Noise2CleanUNet
    >>> teacher = BlindTeacher(BlindSpotUNet(3, 8, outputs=3, depth=2, shift=5))
    >>> Student(teacher, Noise2CleanUNet(3, 8, depth=2)).denoise(torch.rand(1, 3, 21, 30)).mean.shape
    torch.Size([1, 3, 21, 30])
    """

    def __init__(self, teacher: BlindTeacher, network: nn.Module, *, recharge: bool = True):
        super().__init__(network, teacher)
        self.recharge = recharge

    def compare(self, answer: Tensor, batch: Batch, targets: Tensor) -> Tensor:
        if self.recharge:
            shape, generator = batch.noisy[:, :1].shape, batch.generator
            lot = torch.randint(len(targets), shape, generator=generator, device=generator.device)
            targets = recharged(targets, batch.noisy, lot)
        return (answer - targets).abs().mean(dim=(1, 2, 3, 4)).sum()


def recharged(targets: Tensor, noisy: Tensor, lot: Tensor) -> Tensor:
    """Targets [m, N, C, H, W] of which one for each pixel is the noisy value [N, C, H, W] instead.

    lot: [N, 1, H, W], which of the targets gives way, from 0 to m - 1.

    Examples
    --------
    >>> targets, noisy = torch.zeros(3, 1, 1, 1, 2), torch.ones(1, 1, 1, 2)
    >>> recharged(targets, noisy, torch.tensor([[[[2, 0]]]])).squeeze().tolist()
    [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]
    """
    number = torch.arange(len(targets), device=lot.device).view(-1, 1, 1, 1, 1)
    return torch.where(lot == number, noisy, targets)


class Distilled(Method):
    """The two stages in one. `for stage in distilled.stages: fit(stage, batches, ...)` trains one after the other.

    `fit(distilled, ...)` trains them together: its loss is the sum of both, and no gradient passes from student to
    teacher. Only the student denoises, in one pass; `distilled.teacher.denoise` shows what it learnt from.

    Parameters
    ----------
    student, teacher : nn.Module
        A plain network, and a blind one whose hole can be changed.
    holes, recharge
        As of `BlindTeacher` and `Student`.

    Raises
    ------
    ValueError
        For what one of the stages refuses.

    References
    ----------
    Chen et al., Exploring Efficient Asymmetric Blind-Spots for Self-Supervised Denoising in Real-World Scenarios
    (AT-BSN), CVPR 2024. TM-BSN, CVPR 2026.

    Examples
    --------
    >>> from dnlib.networks import BlindSpotUNet, Noise2CleanUNet
    >>> teacher = BlindSpotUNet(3, 8, outputs=3, depth=2, shift=5, mean=True)
    >>> method = Distilled(Noise2CleanUNet(3, 8, depth=2), teacher=teacher)
    >>> [type(stage).__name__ for stage in method.stages]
    ['BlindTeacher', 'Student']
    >>> method.denoise(torch.rand(1, 3, 21, 30)).mean.shape
    torch.Size([1, 3, 21, 30])
    """

    needs: ClassVar = frozenset({"noisy"})

    def __init__(self, student: nn.Module, *, teacher: nn.Module, holes: Sequence[int] = HOLES, recharge: bool = True):
        super().__init__(student)
        self.teacher = BlindTeacher(teacher, holes)
        self._student = (Student(self.teacher, student, recharge=recharge),)  # a view of `network`, which is stored

    @property
    def stages(self) -> tuple[BlindTeacher, Student]:
        return self.teacher, *self._student

    def loss(self, batch: Batch) -> Tensor:
        """Of training both together."""
        return torch.stack([stage.loss(batch) for stage in self.stages]).sum()
