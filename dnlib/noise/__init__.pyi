from . import (
    beliefs as beliefs,
    camera as camera,
    correlation as correlation,
    raw as raw,
)
from .beliefs import Belief as Belief
from .bursts import noisy_burst as noisy_burst
from .camera import Camera as Camera, demosaic as demosaic, mosaic as mosaic
from .correlated import AnyCorrelated as AnyCorrelated, CorrelatedGaussian as CorrelatedGaussian, Lines as Lines
from .correlation import (
    LagSums as LagSums,
    chroma_correlation_map as chroma_correlation_map,
    correlation_map as correlation_map,
    lag_sums as lag_sums,
    radius as radius,
)
from .figure import (
    as_svg as as_svg,
    draw_correlation_map as draw_correlation_map,
    draw_curves as draw_curves,
    draw_inspection as draw_inspection,
    draw_map as draw_map,
)
from .folders import inspect_folders as inspect_folders
from .impulses import (
    MIDDLE as MIDDLE,
    Impulses as Impulses,
    impulses_in as impulses_in,
    isolated_pixels as isolated_pixels,
)
from .inspection import Inspection as Inspection
from .likelihoods import (
    AddedGaussian as AddedGaussian,
    Gaussian as Gaussian,
    Impulse as Impulse,
    Likelihood as Likelihood,
    Poisson as Poisson,
    Sensor as Sensor,
)
from .measure import (
    inspect_image as inspect_image,
    inspect_pair as inspect_pair,
)
from .mixture import Mixture as Mixture, Sum as Sum
from .models import Noise as Noise, NoisyImage as NoisyImage
from .others import (
    ISOLATED as ISOLATED,
    STAND_OUT as STAND_OUT,
    first_told as first_told,
    line_noise as line_noise,
    other_noise as other_noise,
)
from .pictures import DITHERED as DITHERED, inspect_files as inspect_files, unlike_noise as unlike_noise
from .raw import PATTERNS as PATTERNS, pack as pack, unpack as unpack
from .several import Inspected as Inspected, inspect_each as inspect_each
from .stored import Resized as Resized, Stored as Stored, Turned as Turned
from .surveys import Survey as Survey, survey as survey
from .text import read_noise as read_noise
