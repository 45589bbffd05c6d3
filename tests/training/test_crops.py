import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from dnlib.methods import Batch
from dnlib.noise import Gaussian
from dnlib.training.crops import Crops

EVERYTHING = frozenset({"noisy", "second_noisy", "clean", "parameter"})


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def photographs(rng):
    return [rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for h, w in [(20, 31), (40, 17), (16, 16)]]


def all_crops(images, size):
    """Every crop in every orientation, as bytes."""
    found = set()
    for image in images:
        for top, left in np.ndindex(image.shape[0] - size + 1, image.shape[1] - size + 1):
            crop = image[top : top + size, left : left + size]
            for turned in (crop, crop.swapaxes(0, 1)):
                found |= {turned[::a, ::b].tobytes() for a in (1, -1) for b in (1, -1)}
    return found


def test_crops_are_pieces_of_the_images_in_all_eight_orientations(photographs):
    crops = Crops(photographs, Gaussian(25), size=16, count=500)
    clean = crops.draw(frozenset({"clean"}), generator()).clean
    drawn = {(c.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy().tobytes() for c in clean}
    assert drawn <= all_crops(photographs, 16)
    assert {photographs[2][::a, ::b].tobytes() for a in (1, -1) for b in (1, -1)} <= drawn


def test_without_turning_they_stay_upright(photographs):
    crops = Crops(photographs[2:], Gaussian(25), size=16, count=9, turn=False)
    clean = crops.draw(frozenset({"clean"}), generator()).clean
    assert all(np.array_equal((c.permute(1, 2, 0) * 255).round(), photographs[2]) for c in clean)


def test_a_batch_carries_what_is_needed_and_nothing_else(photographs):
    crops = Crops(photographs, Gaussian(25), size=8)
    batch = crops.draw(frozenset({"noisy"}), generator())
    assert batch.noisy.shape == (4, 3, 8, 8)
    with pytest.raises(AttributeError, match="'clean' must name it in `needs`"):
        _ = batch.clean
    with pytest.raises(AttributeError):
        _ = batch.nonsense
    assert Batch(generator(), clean=torch.zeros(1)).clean.shape == (1,)


@pytest.mark.parametrize("frozen", [False, True])
def test_the_two_noisy_images_of_a_crop_have_noise_of_one_strength(photographs, frozen):
    crops = Crops(photographs[2:], Gaussian((1, 100)), size=16, count=4, frozen=frozen)
    batch = crops.draw(EVERYTHING, generator())
    for noisy in (batch.noisy, batch.second_noisy):
        assert torch.allclose((noisy - batch.clean).flatten(1).std(dim=1), batch.parameter, rtol=0.15)


@pytest.mark.parametrize("frozen", [False, True])
def test_the_two_noisy_images_share_the_scene_and_not_the_noise(photographs, frozen):
    crops = Crops(photographs, Gaussian(25), size=16, count=64, frozen=frozen)
    batch = crops.draw(EVERYTHING, generator())
    first, second = batch.noisy - batch.clean, batch.second_noisy - batch.clean
    assert first.std() * 255 == pytest.approx(25, rel=0.03) and second.std() * 255 == pytest.approx(25, rel=0.03)
    if not frozen:  # frozen crops repeat the same noise, and their correlation scatters more
        assert abs((first * second).mean() / (first.std() * second.std())) < 0.02
    assert not torch.equal(batch.noisy, batch.second_noisy)
    assert (batch.parameter * 255).tolist() == pytest.approx([25] * 64)


def test_frozen_noise_stays_and_fresh_noise_does_not(photographs):
    def noise(crops, seed):
        batch = crops.draw(EVERYTHING, generator(seed))
        return (batch.noisy - batch.clean)[0]

    one = photographs[2:]  # one image of the size of a crop, so that every crop is all of it
    frozen = Crops(one, Gaussian(25), size=16, count=1, frozen=True, turn=False)
    fresh = Crops(one, Gaussian(25), size=16, count=1, turn=False)
    assert torch.equal(noise(frozen, 1), noise(frozen, 2))
    assert not torch.equal(noise(fresh, 1), noise(fresh, 2))
    other = Crops(one, Gaussian(25), size=16, count=1, frozen=True, turn=False, seed=1)
    assert not torch.equal(noise(frozen, 1), noise(other, 1))


def test_the_two_frozen_copies_are_independent():
    crops = Crops([np.full((300, 300), 128, np.uint8)], Gaussian(25), size=300, count=1, frozen=True)
    batch = crops.draw(EVERYTHING, generator())
    first, second = batch.noisy - batch.clean, batch.second_noisy - batch.clean
    assert abs((first * second).mean() / (first.std() * second.std())) < 0.015


def test_the_images_of_a_batch_have_one_shape():
    images = {"noisy": torch.zeros(2, 1, 8, 8), "clean": torch.zeros(1, 1, 8, 8)}
    with pytest.raises(ValueError, match=r"noisy has \[2, 1, 8, 8\], clean has \[1, 1, 8, 8\]"):
        Batch(generator(), **images)


def test_each_frozen_image_keeps_its_own_noise_level(photographs):
    crops = Crops(photographs, Gaussian((5, 50)), size=16, count=200, frozen=True)
    batch = crops.draw(EVERYTHING, generator())
    assert len(batch.parameter.unique()) == 3
    for level in batch.parameter.unique():
        noise = (batch.noisy - batch.clean)[batch.parameter == level]
        assert noise.std() == pytest.approx(float(level), rel=0.15)


def test_measured_noise_offers_no_clean_image(photographs):
    crops = Crops(photographs, size=16)
    assert crops.offers == {"noisy"}
    assert Crops(photographs, second=photographs, size=16).offers == {"noisy", "second_noisy"}
    assert crops.draw(frozenset({"noisy"}), generator()).noisy.max() <= 1


def test_equal_generators_give_equal_batches(photographs):
    crops = Crops(photographs, Gaussian((0, 50)), size=16)
    a, b, c = (crops.draw(EVERYTHING, generator(seed)).noisy for seed in (3, 3, 4))
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_descriptions_tell_different_sources_apart(photographs):
    noise = Gaussian(25)
    sources = [
        Crops(photographs, noise, size=16),
        Crops(photographs, Gaussian(30), size=16),
        Crops(photographs[:2], noise, size=16),
        Crops(photographs, noise, size=8),
        Crops(photographs, noise, size=16, frozen=True),
        Crops(photographs, size=16),
    ]
    assert len({crops.description for crops in sources}) == len(sources)
    assert sources[0].description == Crops(photographs, noise, size=16).description


def test_crops_have_their_channels_last_in_memory(photographs):
    batch = Crops(photographs, Gaussian(25), size=16).draw(EVERYTHING, generator())
    for part in (batch.noisy, batch.clean, batch.second_noisy):
        assert part.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("turn", [True, False])
def test_images_have_any_number_of_channels(channels, turn, rng):
    image = rng.integers(0, 256, (16, 16, channels), dtype=np.uint8)
    crops = Crops([image], Gaussian(25), size=16, count=9, turn=turn)
    drawn = (crops.draw(EVERYTHING, generator()).clean.permute(0, 2, 3, 1) * 255).round().to(torch.uint8).numpy()
    assert {crop.tobytes() for crop in drawn} <= (all_crops([image], 16) if turn else {image.tobytes()})


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.uint16])
def test_other_numbers_are_converted(kind):
    image = np.full((8, 8), 0.5 if np.issubdtype(kind, np.floating) else np.iinfo(kind).max // 2, kind)
    batch = Crops([image], size=8).draw(frozenset({"noisy"}), generator())
    assert batch.noisy.dtype == torch.float32 and batch.noisy.numpy() == pytest.approx(0.5, abs=1e-4)


@settings(max_examples=40)
@given(
    shapes=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=4),
    size=st.integers(-1, 14),
    count=st.integers(-1, 5),
    gray=st.booleans(),
)
def test_crops_fit_or_are_refused_in_words(shapes, size, count, gray):
    images = [np.zeros(shape if gray else (*shape, 3), np.uint8) for shape in shapes]
    if size < 1 or count < 1:
        expected = "size >= 1"
    elif min(min(shape) for shape in shapes) < size:
        expected = "larger than an image"
    else:
        batch = Crops(images, Gaussian(5), size=size, count=count).draw(EVERYTHING, generator())
        assert batch.noisy.shape == (count, 1 if gray else 3, size, size)
        return
    with pytest.raises(ValueError, match=expected):
        Crops(images, Gaussian(5), size=size, count=count)


def test_other_wrong_images_are_refused(photographs):
    for images, message in [
        ([], "no images"),
        ([np.zeros((8, 8)), np.zeros((8, 8, 3))], "1 and 3 channels"),
        ([np.zeros((2, 8, 8, 3))], r"\[2, 8, 8, 3\]"),
        ([np.zeros((8, 8, 4))], "4 channels came: say turn=False if they are packed raw frames"),
        ([np.zeros((8, 8), complex)], "integers or floats; one of complex128"),
        ([np.zeros((8, 8), bool)], "bool"),
        ([np.zeros((8, 8), "U3")], "integers or floats; one of <U3"),
        ([np.full((8, 8), np.nan)], "NaN"),
    ]:
        with pytest.raises(ValueError, match=message):
            Crops(images, Gaussian(5), size=4)
    with pytest.raises(ValueError, match="leave one out"):
        Crops(photographs, Gaussian(5), second=photographs, size=4)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("noise", [None, Gaussian(25)])
def test_images_on_the_disk_give_the_crops_of_those_in_memory(tmp_path, rng, kind, noise):
    shards = [rng.integers(0, 256, (count, 20, 24, 3)).astype(kind) for count in (3, 2)]
    shards = [shard / np.float32(255) if kind is np.float32 else shard for shard in shards]
    for number, shard in enumerate(shards):
        np.save(tmp_path / f"{number}.npy", shard)
    mapped = [np.load(tmp_path / f"{number}.npy", mmap_mode="r") for number in range(2)]
    in_memory, on_disk = (
        Crops([image for shard in found for image in shard], noise, size=9, count=16) for found in (shards, mapped)
    )
    assert in_memory.offers == on_disk.offers
    for name, part in vars(in_memory.draw(in_memory.offers, generator(1))).items():
        other = getattr(on_disk.draw(on_disk.offers, generator(1)), name)
        assert torch.equal(part, other) if isinstance(part, torch.Tensor) else name in ("generator", "progress")


def test_of_images_on_the_disk_no_more_is_in_memory_than_a_batch(tmp_path):
    large = np.lib.format.open_memmap(tmp_path / "0.npy", "w+", np.uint8, (40, 512, 512, 3))  # 31 MB
    large[:, 0, 0] = np.arange(40)[:, None]
    large.flush()
    tracemalloc.start()
    images = list(np.load(tmp_path / "0.npy", mmap_mode="r"))
    crops = Crops(images, Gaussian(25), size=32, count=4)
    crops.draw(frozenset({"clean", "noisy"}), generator())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
    assert crops.description != Crops(images[::-1], Gaussian(25), size=32, count=4).description
    with pytest.raises(ValueError, match="frozen noise would hold a noisy copy of every image in memory"):
        Crops(images, Gaussian(25), size=32, frozen=True)


def test_an_image_on_the_disk_among_others_is_loaded_and_looked_at_like_them(tmp_path):
    lost = np.lib.format.open_memmap(tmp_path / "0.npy", "w+", np.float32, (40, 40))
    lost[:] = np.nan
    with pytest.raises(ValueError, match="NaN or infinite"):
        Crops([lost, np.zeros((40, 40), np.float32)], size=16)


def test_images_on_the_disk_with_the_same_black_border_are_told_apart(tmp_path):
    bordered, rng = np.zeros((2, 64, 64, 3), np.uint8), np.random.default_rng(0)
    bordered[:, 16:48, 16:48] = rng.integers(1, 256, (2, 32, 32, 3))
    np.save(tmp_path / "0.npy", bordered)
    one, other = (Crops([image], size=32) for image in np.load(tmp_path / "0.npy", mmap_mode="r"))
    again = Crops([np.load(tmp_path / "0.npy", mmap_mode="r")[0]], size=32)
    assert one.description == again.description != other.description


def test_what_is_no_list_of_arrays_or_not_in_0_to_1_is_told():
    with pytest.raises(ValueError, match="a list of images"):
        Crops(np.zeros((99, 99)))
    with pytest.raises(ValueError, match="a tensor was given"):
        Crops([torch.zeros(99, 99)])
    with pytest.raises(ValueError, match="NaN or infinite"):
        Crops([np.zeros((99, 99))], second=[np.full((99, 99), np.nan)])
    with pytest.raises(ValueError, match="do not have the shapes of the first"):
        Crops([np.zeros((99, 99))] * 2, second=[np.zeros((99, 99))])
    with pytest.warns(UserWarning, match="divide by the range in use"):
        Crops([np.full((99, 99), 255.0)])
