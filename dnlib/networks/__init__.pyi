from . import (
    baby_unet as baby_unet,
    blind_mean as blind_mean,
    blind_patch as blind_patch,
    csbdeep_unet as csbdeep_unet,
    dilated as dilated,
    dncnn as dncnn,
    half_plane as half_plane,
    locally_aware as locally_aware,
    masked as masked,
    restormer as restormer,
    shapes as shapes,
    shuffle as shuffle,
    unet as unet,
)
from .baby_unet import BabyUNet as BabyUNet
from .blind_patch import (
    BlindPatch as BlindPatch,
    Branch as Branch,
    global_branch as global_branch,
    local_branch as local_branch,
    local_global as local_global,
)
from .csbdeep_unet import Noise2VoidUNet as Noise2VoidUNet
from .dilated import DilatedBlindSpot as DilatedBlindSpot
from .dncnn import BiasFreeDnCNN as BiasFreeDnCNN, DnCNN as DnCNN
from .half_plane import BlindSpotUNet as BlindSpotUNet, TwoWayBlindSpotUNet as TwoWayBlindSpotUNet
from .locally_aware import LocallyAware as LocallyAware
from .masked import diamond as diamond, global_taps as global_taps, local_taps as local_taps, shrunk as shrunk
from .shapes import mirror as mirror
from .unet import Noise2CleanUNet as Noise2CleanUNet, Noise2NoiseUNet as Noise2NoiseUNet, UNet as UNet
