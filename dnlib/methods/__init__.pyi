from . import (
    ap_bsn as ap_bsn,
    base as base,
    batch as batch,
    blind_spot as blind_spot,
    distil as distil,
    lg_bpn as lg_bpn,
    noise2self as noise2self,
    noise2void as noise2void,
    patch_craft as patch_craft,
    patch_search as patch_search,
    patch_targets as patch_targets,
    perceptual as perceptual,
    r2r as r2r,
    raw as raw,
    ssid as ssid,
    supervised as supervised,
    texture as texture,
    tiled as tiled,
)
from .ap_bsn import APBSN as APBSN, refine as refine
from .base import Estimate as Estimate, Method as Method, check_blind as check_blind, evaluating as evaluating
from .batch import PARTS as PARTS, Batch as Batch
from .blind_spot import BlindSpotBayes as BlindSpotBayes, outputs as outputs
from .distil import BlindTeacher as BlindTeacher, Distilled as Distilled, Student as Student
from .lg_bpn import LGBPN as LGBPN, SIDD as SIDD, View as View, adjusted as adjusted
from .noise2self import Noise2Self as Noise2Self, visible_mean as visible_mean
from .noise2void import MANIPULATORS as MANIPULATORS, Noise2Void as Noise2Void, stratified_places as stratified_places
from .patch_craft import PatchCraft as PatchCraft, Tiles as Tiles, craft_tiles as craft_tiles
from .perceptual import Features as Features, Perceptual as Perceptual
from .r2r import Recorrupted2Recorrupted as Recorrupted2Recorrupted
from .raw import denoise_raw as denoise_raw
from .ssid import (
    BNN as BNN,
    LAN as LAN,
    SSID as SSID,
    DenoisingUNet as DenoisingUNet,
    published_ssid as published_ssid,
)
from .supervised import Noise2Clean as Noise2Clean, Noise2Noise as Noise2Noise
from .texture import (
    THRESHOLDS as THRESHOLDS,
    alpha as alpha,
    deviation as deviation,
    grain as grain,
    led_by as led_by,
)
