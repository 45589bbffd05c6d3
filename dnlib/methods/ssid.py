"""SSID (Li et al. 2023): flat areas are learnt from far pixels, textures from near ones, and a U-Net from both.

Correlated noise needs a hole larger than a pixel, and what a large hole hides is texture. Three trainings, one after
the other, each on noisy images alone:

1. BNN, the blind-neighbourhood network, estimates the noisy image through its hole.
2. LAN, the locally aware network, sees nothing but a small window and estimates what the BNN says. The noisy image
   itself it must not learn from: it sees it, and would repeat it.
3. A U-Net estimates the mixture of both, by how flat the image is around the pixel.

    bnn = BNN(BlindSpotUNet(3, 48, outputs=3, shift=5))
    lan = LAN(bnn, LocallyAware(3, 64))
    unet = DenoisingUNet(bnn, lan, Noise2CleanUNet(3, 48, pointwise=0))
    for stage in (bnn, lan, unet):
        fit(stage, batches, steps=400_000)

`SSID` is the three as one method.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from dnlib.images import one_of
from dnlib.methods.base import Method, channels_of, check_blind, evaluating
from dnlib.methods.batch import Batch
from dnlib.methods.texture import THRESHOLDS, alpha, check_thresholds
from dnlib.networks import BlindSpotUNet, LocallyAware, Noise2CleanUNet

TARGETS = "bnn", "noisy"


class Stage(Method):
    """One of several trainings: its own network learns; the stages before it answer, and stay as they are.

    The stages before are no parts of it: its parameters, weights and checkpoints are those of its own network alone.
    trained: the width in pixels of the hole that it was trained with, 0 before that; stored with the weights.
    """

    needs: ClassVar = frozenset({"noisy"})

    def __init__(self, network: nn.Module, *before: "Stage"):
        super().__init__(network)
        channels = {type(stage).__name__: channels_of(stage.network) for stage in (*before, self)}
        if len(set(channels.values())) > 1:
            words = ", ".join(f"{name} {number}" for name, number in channels.items())
            raise ValueError(f"the networks must be made for images of one number of channels; {words}")
        self._before = before  # in a tuple, where nn.Module does not take them for parts
        self.register_buffer("trained", torch.tensor(0))
        self.register_load_state_dict_pre_hook(_refuse_other_holes)

    @property
    def teachers(self) -> dict[str, nn.Module]:
        return {type(stage).__name__: stage for stage in self._before}

    @property
    def side(self) -> int:
        """The width of the BNN's hole as it is now, in pixels; 1 if there is no BNN."""
        return self._before[0].side if self._before else 1

    def compare(self, answer: Tensor, batch: Batch, *earlier: Tensor) -> Tensor:
        """The loss of what the network says to the noisy images, given what the stages before it say."""
        raise NotImplementedError

    def loss(self, batch: Batch) -> Tensor:
        earlier = [stage.teach(batch.noisy, self) for stage in self._before]
        if self.training:
            self.take_as_trained()
        return self.compare(self.network(batch.noisy), batch, *earlier)

    @torch.no_grad()
    def teach(self, noisy: Tensor, learner: "Stage") -> Tensor:
        """What it says to those that learn from it, as a constant. Raises ValueError before it is trained."""
        if not self.trained:
            name, order = type(self).__name__, [type(stage).__name__ for stage in (*learner._before, learner)]
            raise ValueError(
                f"{order[-1]} learns from {name}, which is not trained yet; the order is {', '.join(order)}: train "
                f"{name} or load its weights first, or call take_as_trained() if its network learnt elsewhere"
            )
        self.network.to(noisy.device)
        with evaluating(self):
            return self.lesson(noisy).to(noisy.dtype)

    def lesson(self, noisy: Tensor) -> Tensor:
        """What it teaches: the answer of its network."""
        return self.network(noisy)

    def take_as_trained(self) -> None:
        """Mark it as trained, so that the stages after it may learn from it."""
        self.trained.fill_(self.side)


def _refuse_other_holes(stage: Stage, weights: dict[str, Tensor], prefix: str, *_) -> None:
    side = int(weights.get(f"{prefix}trained", 0))
    if side not in (0, stage.side):
        raise ValueError(
            f"these weights of {type(stage).__name__} were trained with a hole of {side}x{side} pixels, and here it is "
            f"{stage.side}x{stage.side}; make the blind network with shift={(side + 1) // 2}. Once they are loaded, "
            f"the shift may be changed"
        )


class BNN(Stage):
    """Stage one, the blind-neighbourhood network. Loss: the mean of |f(y) - y|.

    Parameters
    ----------
    network : nn.Module
        A blind one, whose hole covers the noise's correlation: `BlindSpotUNet(3, 48, outputs=3, shift=5)` with 9x9
        pixels as published. Its shift may be changed at any time.

    Raises
    ------
    ValueError
        For a network that is not blind, or whose answer is not an image.

    Examples
    --------
    >>> BNN(BlindSpotUNet(3, 8, outputs=3, depth=2, shift=5)).side
    9
    """

    def __init__(self, network: nn.Module):
        check_blind(network, channels_of(network))
        super().__init__(network)

    @property
    def side(self) -> int:
        return len(self.network.hole)

    def compare(self, answer: Tensor, batch: Batch) -> Tensor:
        return (answer - batch.noisy).abs().mean()


class LAN(Stage):
    """Stage two, the locally aware network. Loss: the mean of |BNN(y) - f(y)|.

    Parameters
    ----------
    bnn : BNN
        What it learns from.
    network : nn.Module
        Sees a small window: LocallyAware.
    target : {"bnn", "noisy"}
        With "noisy" the loss is |y - f(y)| (the report's S-2), whose minimum is to change nothing.
    weigh : bool
        Times 1 - alpha, so that it learns where the BNN can be trusted. The paper has it; the authors' code has not,
        and its numbers are the published ones.
    thresholds : (float, float)
        Of alpha, where it is used.

    Raises
    ------
    ValueError
        For another target, for thresholds in the wrong order or unit.

    Examples
    --------
    >>> bnn = BNN(BlindSpotUNet(3, 8, outputs=3, depth=2, shift=5))
    >>> sorted(LAN(bnn, LocallyAware(3, 16)).teachers)
    ['BNN']
    """

    def __init__(
        self,
        bnn: BNN,
        network: nn.Module,
        *,
        target: Literal["bnn", "noisy"] = "bnn",
        weigh: bool = False,
        thresholds: tuple[float, float] = THRESHOLDS,
    ):
        one_of(target, TARGETS, "what LAN learns from")
        super().__init__(network, bnn)
        self.target, self.weigh, self.thresholds = target, weigh, check_thresholds(thresholds)

    def compare(self, answer: Tensor, batch: Batch, blind: Tensor) -> Tensor:
        difference = (answer - (batch.noisy if self.target == "noisy" else blind)).abs()
        return (difference * (1 - alpha(blind, self.thresholds)) if self.weigh else difference).mean()


class DenoisingUNet(Stage):
    """Stage three. Loss: the mean of (1 - alpha) |BNN(y) - f(y)| + alpha |LAN(y) - f(y)|.

    Parameters
    ----------
    bnn, lan : BNN, LAN
        What it learns from.
    network : nn.Module
        Any; a U-Net as published.
    thresholds : (float, float)
        Of `alpha`.

    Raises
    ------
    ValueError
        For a LAN that learnt from another BNN, for thresholds in the wrong order or unit.

    Examples
    --------
    >>> bnn = BNN(BlindSpotUNet(3, 8, outputs=3, depth=2, shift=5))
    >>> unet = DenoisingUNet(bnn, LAN(bnn, LocallyAware(3, 16)), Noise2CleanUNet(3, 8, depth=2))
    >>> unet.denoise(torch.rand(1, 3, 21, 30)).mean.shape
    torch.Size([1, 3, 21, 30])
    """

    def __init__(self, bnn: BNN, lan: LAN, network: nn.Module, *, thresholds: tuple[float, float] = THRESHOLDS):
        if lan._before != (bnn,):
            raise ValueError(
                "this LAN belongs to another BNN; make both with the same: LAN(bnn, ...), DenoisingUNet(bnn, ...)"
            )
        super().__init__(network, bnn, lan)
        self.thresholds = check_thresholds(thresholds)

    def compare(self, answer: Tensor, batch: Batch, blind: Tensor, local: Tensor) -> Tensor:
        share = alpha(blind, self.thresholds)
        return torch.lerp((blind - answer).abs(), (local - answer).abs(), share).mean()


class SSID(Method):
    """The three stages in one. `for stage in ssid.stages: fit(stage, batches, ...)` trains them one after the other.

    `fit(ssid, ...)` trains them together: its loss is the sum of the three, and no gradient passes from one stage to
    another. It takes longer and ends lower (published: 37.12 dB in 120 hours, one after the other 37.39 in 54).
    Only the U-Net denoises. `ssid.bnn.denoise` and `ssid.lan.denoise` show what it learnt from.

    Parameters
    ----------
    unet, bnn, lan : nn.Module
        The networks; any blind one can be the BNN. `published_ssid()` makes those of the paper; the report's S-1 is
        `published_ssid(bnn=BlindPatch(local=local_branch(), global_=None))`, its S-2
        `published_ssid(lan_target="noisy")`.
    lan_target, weigh_lan
        `target` and `weigh` of LAN.
    thresholds : (float, float)
        Of `alpha`.

    Raises
    ------
    ValueError
        For what one of the stages refuses.

    References
    ----------
    Li et al., Spatially Adaptive Self-Supervised Learning for Real-World Image Denoising, CVPR 2023.

    Examples
    --------
    >>> ssid = published_ssid(width=6)
    >>> [type(stage).__name__ for stage in ssid.stages]
    ['BNN', 'LAN', 'DenoisingUNet']
    >>> ssid.denoise(torch.rand(1, 3, 21, 30)).mean.shape
    torch.Size([1, 3, 21, 30])
    """

    needs: ClassVar = frozenset({"noisy"})

    def __init__(
        self,
        unet: nn.Module,
        *,
        bnn: nn.Module,
        lan: nn.Module,
        lan_target: Literal["bnn", "noisy"] = "bnn",
        weigh_lan: bool = False,
        thresholds: tuple[float, float] = THRESHOLDS,
    ):
        super().__init__(unet)
        self.bnn = BNN(bnn)
        self.lan = LAN(self.bnn, lan, target=lan_target, weigh=weigh_lan, thresholds=thresholds)
        # a view of `network`, which is stored
        self._unet = (DenoisingUNet(self.bnn, self.lan, unet, thresholds=thresholds),)

    @property
    def stages(self) -> tuple[BNN, LAN, DenoisingUNet]:
        return self.bnn, self.lan, *self._unet

    def loss(self, batch: Batch) -> Tensor:
        """Of training all three together."""
        losses, answers = [], []
        for stage in self.stages:
            answer = stage.network(batch.noisy)
            losses.append(stage.compare(answer, batch, *answers))
            answers.append(answer.detach().to(batch.noisy.dtype))
            if self.training:
                stage.take_as_trained()
        return torch.stack(losses).sum()


def published_ssid(channels: int = 3, width: int = 48, **changes) -> SSID:
    """SSID as published: 1,268,547 + 94,939 + 1,083,747 parameters.

    Parameters
    ----------
    channels, width : int
        Of the images, and of the U-Nets: 48 as published.
    **changes
        What `SSID` takes, instead.

    Examples
    --------
    >>> published_ssid(1, 6, lan_target="noisy").lan.target
    'noisy'
    """
    networks = {
        "bnn": BlindSpotUNet(channels, width, outputs=channels, shift=5),
        "lan": LocallyAware(channels, 4 * width // 3),
        "unet": Noise2CleanUNet(channels, width, pointwise=0),
    }
    return SSID(**networks | changes)
