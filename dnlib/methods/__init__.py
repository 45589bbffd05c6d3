"""One file per family of papers: what a method needs to learn, its loss, and how it denoises."""

from dnlib.methods.ap_bsn import APBSN
from dnlib.methods.base import Estimate, Method
from dnlib.methods.blind_spot import BlindSpotBayes
from dnlib.methods.lg_bpn import LGBPN
from dnlib.methods.noise2self import Noise2Self
from dnlib.methods.noise2void import Noise2Void
from dnlib.methods.patch_craft import PatchCraft
from dnlib.methods.perceptual import Perceptual
from dnlib.methods.ssid import SSID
from dnlib.methods.supervised import Noise2Clean, Noise2Noise

__all__ = [
    "APBSN",
    "LGBPN",
    "SSID",
    "BlindSpotBayes",
    "Estimate",
    "Method",
    "Noise2Clean",
    "Noise2Noise",
    "Noise2Self",
    "Noise2Void",
    "PatchCraft",
    "Perceptual",
]
