"""The pixels that crops are drawn from: of all images in one array, in memory or where they lie on the disk."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from dnlib.images import to_unit

TRACES = 31  # pixels of an image on the disk that tell it from others; a prime, so that they lie in many columns


class Mapped:
    """The pixels of memory-mapped images as `flat` has them, [sum of H W, C], but read where they are asked for."""

    def __init__(self, images: Sequence[np.memmap]):
        self.images = [image.reshape(-1, channels_of(image)) for image in images]
        self.starts = np.cumsum([0, *map(len, self.images)])

    def __getitem__(self, place: Tensor) -> Tensor:
        """The pixels of crops [N, H, W], each of one image: [N, H, W, C], uint8 or float32, on the device of place."""
        found = []
        for crop in place.cpu().numpy():
            image = int(np.searchsorted(self.starts, crop[0, 0], side="right")) - 1
            found.append(np.asarray(self.images[image][crop - self.starts[image]]))
        crops = np.stack(found)
        return torch.from_numpy(crops if crops.dtype == np.uint8 else to_unit(crops)).to(place.device)

    def to(self, device: torch.device) -> "Mapped":
        """Itself: what is drawn goes to the device, the rest stays on the disk."""
        return self

    def traces(self) -> bytes:
        """What tells one set from another without reading it whole: the type of each image, and TRACES of its pixels.

        They are spread evenly over the image: the first ones may be a black border that all images have.
        """
        places = [np.arange(TRACES) * len(image) // TRACES for image in self.images]
        pairs = zip(self.images, places, strict=True)
        return b"".join(image.dtype.str.encode() + image[place].tobytes() for image, place in pairs)


def are_mapped(images: Sequence[np.ndarray]) -> bool:
    """Whether all of them lie on the disk."""
    return all(isinstance(image, np.memmap) for image in images)


def kept(images: Sequence[np.ndarray]) -> Tensor | Mapped:
    """The pixels that batches are drawn from: in memory, unless all images lie on the disk."""
    return Mapped(images) if are_mapped(images) else flat(images)


def flat(images: Sequence[np.ndarray]) -> Tensor:
    """All pixels of all images, one after the other: [sum of H W, C], uint8 or float32."""
    if all(image.dtype == np.uint8 for image in images):
        return torch.from_numpy(np.concatenate([image.reshape(-1, channels_of(image)) for image in images]))
    planes = [to_unit(image).reshape(-1, channels_of(image)) for image in images]
    return torch.from_numpy(np.concatenate(planes))


def channels_of(image: np.ndarray) -> int:
    """Of [H, W] or [H, W, C]."""
    return 1 if image.ndim == 2 else image.shape[2]
