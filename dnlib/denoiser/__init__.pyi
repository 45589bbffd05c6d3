from . import choice as choice, network as network, page as page
from .choice import (
    BLIND_SPOT as BLIND_SPOT,
    CANDIDATES as CANDIDATES,
    Candidate as Candidate,
    Choice as Choice,
    denoise as denoise,
    denoise_picture as denoise_picture,
    noise_level as noise_level,
)
from .page import write_picture_page as write_picture_page
