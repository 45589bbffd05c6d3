from . import classical as classical, jinvariance as jinvariance
from .classical import (
    channel_axis as channel_axis,
    nl_means as nl_means,
    total_variation as total_variation,
    wavelet as wavelet,
)
from .jinvariance import (
    Calibration as Calibration,
    Filter as Filter,
    Setting as Setting,
    calibrate as calibrate,
    donut_median as donut_median,
    grid_masks as grid_masks,
    median as median,
    neighbour_mean as neighbour_mean,
    single_mask as single_mask,
)
