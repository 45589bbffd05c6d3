from .candidates import (
    BLIND_SPOT as BLIND_SPOT,
    CANDIDATES as CANDIDATES,
    UNCHANGED as UNCHANGED,
    Candidate as Candidate,
)
from .choice import Choice as Choice
from .files import denoise_files as denoise_files
from .page import write_picture_page as write_picture_page
from .sampling import noise_level as noise_level
from .whole import denoise as denoise, denoise_picture as denoise_picture
from .written import Done as Done, denoise_file as denoise_file
