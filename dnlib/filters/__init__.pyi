from . import (
    calibration as calibration,
    classical as classical,
    groups as groups,
    jinvariance as jinvariance,
    recorrupted as recorrupted,
    risk as risk,
)
from .calibration import Calibration as Calibration, calibrate as calibrate
from .classical import (
    Filter as Filter,
    Setting as Setting,
    channel_axis as channel_axis,
    median as median,
    nl_means as nl_means,
    total_variation as total_variation,
    wavelet as wavelet,
)
from .groups import refined as refined, ridge as ridge, ridge_cascade as ridge_cascade
from .jinvariance import (
    donut_median as donut_median,
    grid_masks as grid_masks,
    invariant as invariant,
    mix as mix,
    mixing_weight as mixing_weight,
    neighbour_mean as neighbour_mean,
    self_supervised_loss as self_supervised_loss,
)
from .recorrupted import (
    Denoiser as Denoiser,
    recorrupt as recorrupt,
    recorrupted_risk as recorrupted_risk,
    stein_risk as stein_risk,
    thin as thin,
)
from .risk import Risk as Risk, lowest_of as lowest_of
from .stripes import line_offsets as line_offsets, without_lines as without_lines
