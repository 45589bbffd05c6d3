from . import (
    checkpoints as checkpoints,
    crops as crops,
    device as device,
    evaluation as evaluation,
    loop as loop,
    metrics as metrics,
    parts as parts,
)
from .appearance import Appearance as Appearance
from .bookkeeping import Diverged as Diverged
from .checkpoints import History as History, check_architecture as check_architecture
from .crops import Crops as Crops, tile_crops as tile_crops
from .device import (
    choose_device as choose_device,
    computes_in_bfloat16 as computes_in_bfloat16,
    precision_of as precision_of,
)
from .evaluation import (
    draw_noisy as draw_noisy,
    evaluate as evaluate,
    score_pairs as score_pairs,
)
from .fingerprint import settings as settings
from .loaded import Loaded as Loaded
from .loop import Batches as Batches, fit as fit, rate as rate
from .metrics import (
    Score as Score,
    psnr as psnr,
    quantise as quantise,
    score as score,
    ssim as ssim,
)
from .parts import Parts as Parts, take_apart as take_apart
from .progress import headless as headless
from .protocols import PROTOCOLS as PROTOCOLS, Protocol as Protocol
from .scores import Scores as Scores
from .trial import seconds_of_a_step as seconds_of_a_step
