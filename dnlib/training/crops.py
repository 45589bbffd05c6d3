"""What a training step sees: random crops of images held in memory, with noise drawn at every step or once."""

import hashlib
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor

from dnlib.images import to_image, to_tensor
from dnlib.methods import Batch, Tiles
from dnlib.noise import Noise
from dnlib.training.appearance import Appearance
from dnlib.training.metrics import FAR
from dnlib.training.pixels import Mapped, are_mapped, channels_of, flat, kept


class Crops:
    """Random square crops, turned and mirrored, `count` at a time, all drawn in one indexing step.

    Parameters
    ----------
    images : sequence of arrays [H, W] or [H, W, C]
        Integers, or floats in [0, 1], of any sizes and equal C; they are kept as they are. If all are memory-mapped
        (`np.load(path, mmap_mode="r")`, or the images of such a shard [N, H, W, C]), they stay on the disk, and a step
        reads what it draws; they are not searched for NaN then, and cannot be frozen.
    noise : Noise, optional
        Draws the noisy images. None: the images are noisy themselves, and no clean ones exist.
    second : sequence of arrays, optional
        With noise None, a second noisy image of each scene.
    size, count : int
        Of a crop, in pixels, and how many make a batch.
    frozen : bool
        One noisy copy of each image, drawn once with `seed`, as if nothing else had ever been measured; otherwise new
        noise at every step, which tells a network more than any real data set would.
    turn : bool, optional
        Mirror and transpose the crops at random, which is the default. Not for measured or frozen noise with a
        direction, such as rows. For images of 4 channels it has to be said: packed raw frames (`noise.pack`) must not
        be turned, for mirrored, red would lie on the other side of the greens; others may.
    seed : int
        Of frozen noise.
    appearance : Appearance, optional
        Changes clean crops of `appearance.cut(size)` pixels before fresh noise is drawn; the clean images are those of
        `size` pixels that it makes of them.

    Raises
    ------
    ValueError
        For images that do not have the same number of channels, are no numbers, hold NaN or infinite values, or are
        smaller than a crop, for 4 channels without `turn`, and for frozen noise on memory-mapped images.

    Examples
    --------
    >>> from dnlib.noise import Gaussian
    >>> crops = Crops([np.zeros((40, 50, 3), np.uint8)], Gaussian(25), size=16, count=2)
    >>> crops.draw(frozenset({"noisy"}), Generator().manual_seed(0)).noisy.shape
    torch.Size([2, 3, 16, 16])
    """

    def __init__(
        self,
        images: Sequence[np.ndarray],
        noise: Noise | None = None,
        *,
        second: Sequence[np.ndarray] | None = None,
        size: int = 64,
        count: int = 4,
        frozen: bool = False,
        turn: bool | None = None,
        seed: int = 0,
        appearance: Appearance | None = None,
    ):
        if appearance is not None and (noise is None or frozen):
            raise ValueError(
                "an appearance changes clean crops before fresh noise; give a noise model, and frozen=False"
            )
        self.cut, self.appearance = size if appearance is None else appearance.cut(size), appearance
        _check(images, second, noise, size, self.cut, count, turn)
        self.noise, self.size, self.count, self.frozen, self.seed = noise, size, count, frozen, seed
        self.turn = turn is not False
        if frozen and are_mapped(images):
            raise ValueError(
                "frozen noise would hold a noisy copy of every image in memory, and these are memory-mapped; draw "
                "fresh noise, or store noisy copies and map them"
            )
        shapes = torch.tensor([image.shape[:2] for image in images])
        self.heights, self.widths = shapes.T
        self.starts = torch.cat([torch.zeros(1, dtype=torch.long), shapes.prod(dim=1).cumsum(0)[:-1]])
        self.pixels = {"noisy" if noise is None else "clean": kept(images)}
        self.parameters: Tensor | None = None
        if second is not None:
            self.pixels["second_noisy"] = kept(second)
        if noise is not None and frozen:
            self._freeze(images)
        digest = hashlib.sha256(shapes.numpy().tobytes())
        for part in self.pixels.values():
            digest.update(part.traces() if isinstance(part, Mapped) else part.numpy().tobytes())
        self.digest = digest.hexdigest()[:12]
        self._copies: dict[tuple[str, torch.device], Tensor] = {}

    @property
    def offers(self) -> frozenset[str]:
        """What a batch can be asked for."""
        if self.noise is None:
            return frozenset(self.pixels)
        return frozenset({"noisy", "second_noisy", "clean", "parameter"})

    @property
    def description(self) -> str:
        """Everything that decides which batches come out, the pixels as a hash."""
        kind = "frozen" if self.frozen else "fresh"
        return (
            f"{len(self.starts)} images {self.digest}, {kind if self.noise else 'measured'} noise "
            f"{self.noise}, {self.count} crops of {self.size}{', turned' if self.turn else ''}, seed {self.seed}"
            f"{f', {self.appearance}' if self.appearance else ''}"
        )

    def draw(self, needs: frozenset[str], generator: Generator, progress: float = 0.0) -> Batch:
        """One batch of what is needed, on the generator's device."""
        image, place = self._places(generator)
        parts = {name: self._crop(name, place) for name in needs & self.pixels.keys()}
        if self.parameters is not None and "parameter" in needs:
            parts["parameter"] = self._on(generator.device, "parameters", self.parameters)[image]
        if self.noise is not None and not self.frozen:
            clean = parts["clean"] if "clean" in parts else self._crop("clean", place)
            if self.appearance is not None:
                parts["clean"] = clean = self.appearance.change(clean, self.size, generator)
            if "second_noisy" in needs:
                (parts["noisy"], parts["parameter"]), (parts["second_noisy"], _) = self.noise.pair(clean, generator)
            elif needs & {"noisy", "parameter"}:
                parts["noisy"], parts["parameter"] = self.noise.sample(clean, generator)
        return Batch(generator, progress, **{name: part for name, part in parts.items() if name in needs})

    def _freeze(self, images: Sequence[np.ndarray]) -> None:
        generator, pairs = torch.Generator().manual_seed(self.seed), []
        for image in images:
            clean = to_tensor(image)
            if hasattr(self.noise, "pair"):
                pairs.append(self.noise.pair(clean, generator))
            else:  # whatever has `sample` is noise
                pairs.append([self.noise.sample(clean, generator) for _ in range(2)])
        for name, copies in zip(("noisy", "second_noisy"), zip(*pairs, strict=True), strict=True):
            self.pixels[name] = flat([to_image(noisy.image) for noisy in copies])
        self.parameters = torch.cat([first.parameter for first, _ in pairs])

    def _places(self, generator: Generator) -> tuple[Tensor, Tensor]:
        """Which image each crop comes from [N], and where its pixels lie in the flat storage [N, cut, cut]."""
        device = generator.device

        def draw(*bounds: Tensor) -> Tensor:
            kind = torch.float32 if device.type == "mps" else torch.float64  # which mps has not
            fraction = torch.rand((len(bounds), self.count), generator=generator, device=device, dtype=kind)
            return torch.minimum((fraction * torch.stack(bounds)).long(), torch.stack(bounds) - 1)

        (image,) = draw(torch.full((self.count,), len(self.starts), device=device))
        heights, widths, starts = (
            self._on(device, name, getattr(self, name))[image] for name in ("heights", "widths", "starts")
        )
        top, left = draw(heights - self.cut + 1, widths - self.cut + 1)
        along = torch.arange(self.cut, device=device).expand(self.count, self.cut)
        down, right, swap = along, along, None
        if self.turn:
            flip = torch.rand((3, self.count, 1), generator=generator, device=device) < 0.5
            down = torch.where(flip[0], self.cut - 1 - along, along)
            right = torch.where(flip[1], self.cut - 1 - along, along)
            swap = flip[2, :, :, None]
        rows = ((top[:, None] + down) * widths[:, None] + starts[:, None])[:, :, None]
        place = rows + (left[:, None] + right)[:, None, :]
        place = place if swap is None else torch.where(swap, place.transpose(1, 2), place)
        return image, place.contiguous()

    def _crop(self, name: str, place: Tensor) -> Tensor:
        """The pixels at `place` as a float image; [N, C, H, W] with the channels last in memory."""
        crops = self._on(place.device, name, self.pixels[name])[place].permute(0, 3, 1, 2)
        return crops if crops.is_floating_point() else crops.float() / 255

    def _on(self, device: torch.device, name: str, kept: Tensor | Mapped) -> Tensor | Mapped:
        """What is kept, on a device: copied there at the first draw, so that no later one waits for it."""
        key = name, device
        if key not in self._copies:
            self._copies[key] = kept.to(device)
        return self._copies[key]


def tile_crops(tiles: Tiles, count: int = 32) -> Crops:
    """Patch-craft tiles as batches for `fit`, `count` at a time, turned and mirrored at random.

    Examples
    --------
    >>> tiles = Tiles(torch.rand(5, 1, 8, 8), torch.rand(5, 1, 8, 8), np.zeros(5), cut=0.0, peak=0.0)
    >>> sorted(tile_crops(tiles, 4).offers)
    ['noisy', 'second_noisy']
    """
    noisy, target = ([to_image(tile[None]) for tile in part] for part in (tiles.noisy, tiles.target))
    return Crops(noisy, second=target, size=tiles.noisy.shape[-1], count=count)


def _check(images, second, noise, size: int, cut: int, count: int, turn: bool | None) -> None:
    if isinstance(images, np.ndarray | Tensor):
        raise ValueError(f"crops are drawn from a list of images: [image]; one of shape {list(images.shape)} was given")
    if not images:
        raise ValueError("no images were given to draw crops from")
    for some in (images, second or ()):
        for image in some:
            _check_image(image, on_disk=are_mapped(some))
    kinds = sorted({channels_of(image) for image in images})
    if len(kinds) > 1:
        raise ValueError(f"the images have {' and '.join(map(str, kinds))} channels; all must have equally many")
    if kinds == [4] and turn is None:
        raise ValueError(
            "images of 4 channels came: say turn=False if they are packed raw frames, whose planes lie beside each "
            "other and are not mirrored, or turn=True if they are not (of a picture with transparency leave the fourth "
            "channel out)"
        )
    if size < 1 or count < 1:
        raise ValueError(f"crops have size >= 1 and come at least one at a time; size {size}, count {count} were given")
    smallest = min(images, key=lambda image: min(image.shape[:2]))
    if min(smallest.shape[:2]) < cut:
        asked = f", cut for {size}x{size} of another appearance," if cut > size else ""
        height, width = smallest.shape[:2]
        raise ValueError(f"crops of {cut}x{cut}{asked} are larger than an image of {height}x{width}")
    if second is not None:
        if noise is not None:
            raise ValueError("second noisy images were given and a noise model, too; leave one out")
        if [image.shape for image in second] != [image.shape for image in images]:
            raise ValueError("the second noisy images do not have the shapes of the first")


def _check_image(image: np.ndarray, *, on_disk: bool) -> None:
    """Refuse what is no image, and warn of one far beyond [0, 1]; the values of those on the disk are not looked at."""
    if isinstance(image, Tensor):
        raise ValueError("images are arrays [H, W] or [H, W, C]; a tensor was given: use dnlib.images.to_image")
    if image.ndim not in (2, 3):
        raise ValueError(f"an image has shape [H, W] or [H, W, C]; one of shape {list(image.shape)} was given")
    if image.dtype.kind not in "uif":
        raise ValueError(f"an image holds integers or floats; one of {image.dtype} was given")
    if image.dtype.kind != "f" or on_disk:
        return
    if not np.isfinite(image).all():
        raise ValueError("an image holds NaN or infinite values; replace them before training")
    if (largest := float(image.max())) > FAR:
        warnings.warn(
            f"an image holds floats up to {largest:.4g}, where white is 1: divide by the range in use, or the "
            "network learns about 1 dB less",
            stacklevel=4,
        )
