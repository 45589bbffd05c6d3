from . import (
    course as course,
    denoiser as denoiser,
    filters as filters,
    images as images,
    methods as methods,
    networks as networks,
    noise as noise,
    training as training,
    zoo as zoo,
)
from .course import check as check, start as start, verify as verify
from .denoiser import denoise as denoise
