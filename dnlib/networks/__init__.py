"""Architectures only: no loss, no noise, no file access.

Every network maps float images [N, C, H, W] to images of the same shape (blind-spot networks: to `outputs` channels),
for any H and W from one pixel up, and refuses images whose number of channels is not its own. A blind network states
its `hole`, the offsets around a pixel that the answer there does not depend on.
"""

from dnlib.networks.baby_unet import BabyUNet
from dnlib.networks.blind_patch import BlindPatch, local_global
from dnlib.networks.csbdeep_unet import Noise2VoidUNet
from dnlib.networks.dilated import DilatedBlindSpot
from dnlib.networks.dncnn import BiasFreeDnCNN, DnCNN
from dnlib.networks.half_plane import BlindSpotUNet, TwoWayBlindSpotUNet
from dnlib.networks.locally_aware import LocallyAware
from dnlib.networks.unet import Noise2CleanUNet, Noise2NoiseUNet

__all__ = [
    "BabyUNet",
    "BiasFreeDnCNN",
    "BlindPatch",
    "BlindSpotUNet",
    "DilatedBlindSpot",
    "DnCNN",
    "LocallyAware",
    "Noise2CleanUNet",
    "Noise2NoiseUNet",
    "Noise2VoidUNet",
    "TwoWayBlindSpotUNet",
    "local_global",
]
