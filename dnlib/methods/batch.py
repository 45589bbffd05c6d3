"""What a method is shown at a training step: the parts that it needs, and nothing else."""

from torch import Generator, Tensor

PARTS = frozenset({"noisy", "second_noisy", "clean", "burst", "parameter"})
"""What a method may need. All images are [N, C, H, W] in [0, 1]; a burst is [N, M, C, H, W]; a parameter is [N]."""


class Batch:
    """What a method is shown at a training step: the parts that it asked for, as attributes.

    Parameters
    ----------
    generator : torch.Generator
        For whatever the method draws itself.
    progress : float
        How much of the training is over, in [0, 1].
    **parts : Tensor
        Of `PARTS`. Images are [N, C, H, W] in [0, 1], a burst [N, M, C, H, W], a parameter [N] in internal units, as
        `NoisyImage.parameter`.

    Raises
    ------
    ValueError
        For images of differing shapes.
    AttributeError
        Once a method uses a part that it did not ask for.

    Examples
    --------
    >>> import torch
    >>> batch = Batch(torch.Generator(), noisy=torch.rand(2, 3, 8, 8))
    >>> batch.clean
    Traceback (most recent call last):
    AttributeError: this batch holds noisy; a method that uses 'clean' must name it in `needs`
    """

    def __init__(self, generator: Generator, progress: float = 0.0, **parts: Tensor):
        shapes = {name: list(parts[name].shape) for name in ("noisy", "second_noisy", "clean") if name in parts}
        if len({tuple(shape) for shape in shapes.values()}) > 1:
            words = ", ".join(f"{name} has {shape}" for name, shape in shapes.items())
            raise ValueError(f"the images of a batch must have one shape [N, C, H, W]; {words}")
        self.generator, self.progress = generator, progress
        self.__dict__.update(parts)

    def __getattr__(self, name: str):
        if name in PARTS:
            held = ", ".join(sorted(PARTS & self.__dict__.keys())) or "nothing"
            raise AttributeError(f"this batch holds {held}; a method that uses {name!r} must name it in `needs`")
        raise AttributeError(name)
