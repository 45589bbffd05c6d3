"""Each method in the template of `diagrams`, drawn from one step of its training or from its use."""

import copy

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from dnlib.course.diagrams import Box, Panel, calls, draw, label, sees
from dnlib.images import to_image
from dnlib.methods import APBSN, SSID, Batch, BlindSpotBayes, Method, Noise2Void, alpha

WORDS = {"clean": "the clean image", "second_noisy": "a second noisy image", "noisy": "the noisy image itself"}


def training(method: Method, batch: Batch, *, target: str = "", side: int = 16) -> Figure:
    """What a method's loss shows its network, and with what it compares the answer.

    Parameters
    ----------
    method : Method
        Its `loss` is run once.
    batch : Batch
        What it needs; the middle of the first image is drawn.
    target : str
        What the target is, where its name in the batch does not say it.
    side : int
        Of what is drawn, in pixels.

    Examples
    --------
    >>> from dnlib.methods import Noise2Self
    >>> from dnlib.networks import DnCNN
    >>> batch = Batch(torch.Generator().manual_seed(0), noisy=torch.rand(1, 1, 16, 16))
    >>> fig = training(Noise2Self(DnCNN(1, 3, 8)), batch)
    >>> print(fig.axes[2].get_title())
    compared with
    the noisy image itself
    >>> fig.clear()
    """
    shown, compared = learnt_from(method, batch)
    ((name, where),) = compared.items()
    middle, cut, ring = _middle(shown, side)
    hidden = (shown != batch.noisy).any(dim=1)[0].numpy()
    if hasattr(method.network, "hole"):
        hidden = sees(method.network, shown[:1], middle) == 0
        seen = "what goes in, red:\nnot seen from the ring"
    else:
        ring, seen = None, "what goes in" + (",\nred: overwritten" if hidden.any() else "")
    idle = ~where[0].numpy()
    words = f"compared with\n{target or WORDS[name]}"
    return draw(
        [
            Panel(to_image(shown[:1])[cut], seen, hidden=hidden[cut], ring=ring),
            Box(label(method.network)),
            Panel(to_image(getattr(batch, name)[:1].detach())[cut], words, idle=idle[cut], ring=ring),
        ]
    )


def learnt_from(method: Method, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """What the network is shown in one step, and what its answer is compared with there; the method's `loss` is run.

    Shown are [N, C, H, W], in the units of the batch. Compared are parts of the batch by name, and the pixels [N, H, W]
    on which the loss depends other than through the network.

    Examples
    --------
    >>> from dnlib.methods import Noise2Noise
    >>> from dnlib.networks import DnCNN
    >>> noisy, second = torch.rand(2, 1, 1, 8, 8)
    >>> batch = Batch(torch.Generator(), noisy=noisy, second_noisy=second)
    >>> shown, compared = learnt_from(Noise2Noise(DnCNN(1, 3, 8)), batch)
    >>> torch.equal(shown, noisy), list(compared)
    (True, ['second_noisy'])
    """
    method = copy.deepcopy(method)  # normalising layers keep what they see in training
    names = [name for name in WORDS if name in method.needs]
    parts = {name: getattr(batch, name).detach().clone().requires_grad_() for name in names}
    told = {"parameter": batch.parameter} if "parameter" in method.needs else {}
    with calls(method.network, cut=True) as made:
        loss = method.loss(Batch(batch.generator, batch.progress, **parts, **told))
    slopes = torch.autograd.grad(loss, list(parts.values()), allow_unused=True)
    depends = {name: (slope != 0).any(dim=1) for name, slope in zip(names, slopes, strict=True) if slope is not None}
    shown = made[0]
    if isinstance(method, Noise2Void):
        restored = shown * method.deviation + method.mean
        same = (restored - batch.noisy).abs() < 1e-5  # rounding of the way there and back
        shown = torch.where(same, batch.noisy, restored)
    return shown, {name: where for name, where in depends.items() if where.any()}


def _middle(image: Tensor, side: int) -> tuple[tuple[int, int], tuple[slice, slice], tuple[int, int]]:
    """The middle pixel of [N, C, H, W]; rows and columns of `side` pixels around it; where it lies within these."""
    middle = tuple(n // 2 for n in image.shape[2:])
    cut = tuple(slice((n - min(n, side)) // 2, (n + min(n, side)) // 2) for n in image.shape[2:])
    return middle, cut, tuple(place - part.start for place, part in zip(middle, cut, strict=True))


def bayes(method: BlindSpotBayes, noisy: Tensor) -> Figure:
    """A blind spot in use: what the surroundings say, and what comes of it once the pixel's own value is folded in.

    method: of a noise whose parameter is known, or estimated. noisy: [1, C, H, W], whose middle is drawn.
    """
    with torch.no_grad():
        prior = method.belief(noisy)
    after = method.denoise(noisy)
    middle, cut, ring = _middle(noisy, 40)
    hidden = sees(method.network, noisy, middle) == 0
    pixels, expected = (to_image(image)[cut] for image in (noisy, prior.mean.float()))
    return draw(
        [
            Panel(pixels, "the surroundings,\nred: not seen", hidden=hidden[cut], ring=ring),
            Box(label(method.network)),
            Panel(expected, f"prior: mean,\n± {255 * float(prior.std.mean()):.1f} gray levels", ring=ring),
            "times",
            Panel(pixels, "measurement:\nthe pixel itself", ring=ring),
            Box("Bayes' rule"),
            Panel(
                to_image(after.mean)[cut],
                f"posterior: mean,\n± {255 * float(after.std.mean()):.1f} gray levels",
                ring=ring,
            ),
        ],
        height=1.7,
    )


def shuffled(method: APBSN, noisy: Tensor) -> Figure:
    """Pixel shuffle and refinement: learning on every 5th pixel, denoising on every 2nd, and what R3 shows the network.

    method: with at least one refinement. noisy: [1, C, H, W], drawn whole: some 60 pixels a side.
    """
    with calls(method.network) as learnt, torch.no_grad():
        method.loss(Batch(torch.Generator(), noisy=noisy))
    with calls(method.network) as used:
        result = method.denoise(noisy).mean
    small, first, mixed = to_image(learnt[0][:1]), to_image(used[0][:1]), to_image(used[1][:1])
    ring = tuple(n // 2 for n in small.shape[:2])
    hidden = sees(method.network, learnt[0][:1], ring) == 0
    near = np.maximum(*np.abs(np.indices(hidden.shape) - np.array(ring)[:, None, None])) <= 2
    again = (used[1][:1] == noisy).any(dim=1)[0].numpy()
    whole, network = to_image(noisy), Box(label(method.network))
    ordinal = {2: "2nd", 3: "3rd"}
    strides = [Box(f"every {ordinal.get(n, f'{n}th')} pixel") for n in (method.train_stride, method.stride)]
    return draw(
        [
            Panel(whole, "to learn:\nnoisy"),
            strides[0],
            Panel(small, "red: not seen\nfrom the ringed pixel", hidden & near, ring=ring),
            network,
            Panel(small, "compared with\nthem as they are", ring=ring),
        ],
        [
            Panel(whole, "in use:\nnoisy"),
            strides[1],
            Panel(first, "larger small images"),
            network,
            Panel(to_image(result), "result"),
        ],
        [
            Panel(np.where(again[..., None], whole, 1.0), f"R3: {method.share:.0%} of the values\nare noisy again"),
            "into the\nfirst estimate",
            Panel(mixed, f"one of {len(used) - 1} mixtures"),
            network,
            Panel(to_image(result), "mean of the answers:\nthe result"),
        ],
    )


def stages(method: SSID, noisy: Tensor) -> Figure:
    """SSID's three trainings, one a row: what each network is shown, and what its answer is compared with.

    method: trained, or not: then the targets are those of untrained networks. noisy: [1, C, H, W], whose middle is
    drawn.
    """
    middle, cut, ring = _middle(noisy, 24)
    bnn, lan, unet = method.stages
    blind, local = (stage.denoise(noisy).mean for stage in (bnn, lan))
    hole = sees(bnn.network, noisy, middle)[cut] == 0
    window = sees(lan.network, noisy, middle)[cut]
    share = alpha(blind, method.lan.thresholds)
    unseen = window < 0.01 * window.max()
    pixels, mixture, alphas = (to_image(image)[cut] for image in (noisy, torch.lerp(blind, local, share), share))
    asked = Panel(pixels, "compared with\nthe noisy image", ring=ring)
    if lan.target != "noisy":
        asked = Panel(to_image(blind)[cut], "compared with\nwhat BNN says", ring=ring)
    return draw(
        [
            Panel(pixels, "1. red: not seen\nfrom the ringed pixel", hole, ring=ring),
            Box(f"BNN: {label(bnn.network)}"),
            Panel(pixels, "compared with\nthe noisy image itself", ring=ring),
        ],
        [
            Panel(pixels, "2. veiled: hardly seen\nfrom the ringed pixel", idle=unseen, ring=ring),
            Box(f"LAN: {label(lan.network)}"),
            asked,
        ],
        [
            Panel(pixels, "3. all is seen"),
            Box(f"U-Net: {label(unet.network)}"),
            Panel(mixture, "compared with both\n(drawn: their mixture)"),
            "",
            Panel(alphas, "LAN's share alpha,\n0 (black) to 1 (white)"),
        ],
    )
