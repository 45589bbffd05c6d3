from . import (
    arrays as arrays,
    bursts as bursts,
    datasets as datasets,
    metadata as metadata,
    places as places,
    scenes as scenes,
    writing as writing,
)
from .areas import constant_areas as constant_areas, filled as filled
from .arrays import (
    MORE_COLOUR as MORE_COLOUR,
    PHOTOS as PHOTOS,
    middle as middle,
    photo as photo,
    to_image as to_image,
    to_tensor as to_tensor,
    to_unit as to_unit,
)
from .bursts import check_burst as check_burst, read_burst as read_burst, set_in_motion as set_in_motion
from .checks import check_entries as check_entries, one_of as one_of, refusal as refusal, refused as refused
from .contents import without_values as without_values
from .files import (
    ENDINGS as ENDINGS,
    files_of as files_of,
    image_files as image_files,
    naturally as naturally,
)
from .layouts import Example as Example
from .parts import Part as Part, are_counts as are_counts, parts_of as parts_of
from .pictures import Picture as Picture
from .places import (
    ROOT as ROOT,
    SHIPPED as SHIPPED,
    home as home,
    in_checkout as in_checkout,
    shipped as shipped,
)
from .ranges import (
    Range as Range,
    check_size as check_size,
    range_in_use as range_in_use,
    step_between as step_between,
    step_of as step_of,
)
from .reading import Stack as Stack, opened as opened, read as read
from .scenes import check_scenes_apart as check_scenes_apart
from .tiles import Tile as Tile, by_tiles as by_tiles, tiles_of as tiles_of
from .writing import (
    atomic as atomic,
    atomic_folder as atomic_folder,
    check_destination as check_destination,
    check_writable as check_writable,
    write as write,
)
from .zarrs import is_zarr as is_zarr
