"""A little method and a little to learn from, for tests of training."""

from functools import cache

import torch

from dnlib.images import photo
from dnlib.methods import Noise2Clean
from dnlib.networks import DnCNN
from dnlib.noise import Gaussian
from dnlib.training import Crops


@cache
def crops():
    return Crops([photo("camera")[::4, ::4], photo("coins")[::2, ::2]], Gaussian(25), size=16)


def method(kind=Noise2Clean, start=0, network=None, **options):
    torch.manual_seed(start)
    return kind(DnCNN(1, 3, 4) if network is None else network(), **options)


def weights(method):
    return torch.cat([tensor.flatten().float() for tensor in method.state_dict().values()])


class Stop(Exception):
    """Raised by callbacks."""


def stop_at(step):
    def callback(done, loss, method):
        if done == step:
            raise Stop

    return callback
