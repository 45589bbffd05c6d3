from collections import namedtuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from little import Stop, method, stop_at, weights
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset, RandomSampler, TensorDataset

from dnlib.methods import PARTS, Noise2Clean, Noise2Noise
from dnlib.training import Loaded, fit

BOTH = frozenset({"noisy", "clean"})
NAMES = "noisy", "clean"


def pairs(count=10):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(count, 1, 8, 8, generator=generator), torch.rand(count, 1, 8, 8, generator=generator)


class Pictures(Dataset):
    """Dicts, with noise from torch's global generator."""

    def __len__(self):
        return 10

    def __getitem__(self, index):
        clean = torch.full((1, 8, 8), index / 10)
        return {"noisy": clean + 0.1 * torch.randn(clean.shape), "clean": clean}


class Stream(IterableDataset):
    def __iter__(self):
        return (Pictures()[index] for index in range(10))


def draws(source, count):
    return [source.draw(BOTH, torch.Generator()).noisy for _ in range(count)]


def loaders():
    own = torch.Generator()
    own.seed()
    return {
        "dicts": DataLoader(Pictures(), batch_size=4, shuffle=True),
        "a generator of its own": DataLoader(Pictures(), batch_size=4, shuffle=True, generator=own),
        "batches of a sampler": DataLoader(
            Pictures(), batch_sampler=BatchSampler(RandomSampler(Pictures(), generator=own), 4, False)
        ),
        "workers": DataLoader(Pictures(), batch_size=4, shuffle=True, num_workers=1),
        "a stream": DataLoader(Stream(), batch_size=4),
        "a list": [
            {"noisy": noisy, "clean": clean} for noisy, clean in zip(*(p.split(4) for p in pairs()), strict=True)
        ],
    }


@pytest.mark.parametrize("name", loaders())
def test_a_training_goes_on_exactly_with_any_loader(tmp_path, name):
    straight, resumed = method(), method(start=1)
    fit(straight, loaders()[name], steps=5)  # an epoch and two batches
    path = tmp_path / "run.safetensors"
    with pytest.raises(Stop):
        fit(method(), loaders()[name], steps=5, checkpoint=path, on_step=stop_at(4))
    torch.rand(3)  # what else draws from the global generator changes nothing
    fit(resumed, loaders()[name], steps=5, checkpoint=path)
    assert torch.equal(weights(straight), weights(resumed))


def test_every_image_comes_once_in_an_epoch_in_another_order_each_time():
    source = Loaded(DataLoader(TensorDataset(*pairs()), batch_size=5, shuffle=True), NAMES)
    source.begin(0, seed=3)
    epochs = [torch.cat(draws(source, 2)) for _ in range(2)]
    assert not torch.equal(*epochs)
    assert all(
        torch.equal(e.flatten(1).sum(1).sort().values, epochs[0].flatten(1).sum(1).sort().values) for e in epochs
    )


def test_processes_share_the_batches_of_an_epoch():
    source = Loaded(DataLoader(TensorDataset(*pairs()), batch_size=1), NAMES)
    found = []
    for process in (0, 1):
        source.begin(0, 0, process, processes=2)
        found += draws(source, 5)
    assert {float(part.sum()) for part in found} == {float(part.sum()) for part in pairs()[0]}


def test_the_caller_s_generator_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    draws(Loaded(DataLoader(Pictures(), shuffle=True)), 3)
    assert torch.equal(torch.get_rng_state(), before)


Named = namedtuple("Named", "noisy clean")


@pytest.mark.parametrize("form", [lambda n, c: {"noisy": n, "clean": c}, lambda n, c: [n, c], lambda *p: p, Named])
def test_batches_come_in_many_forms(form):
    noisy, clean = pairs(2)
    for parts in [(noisy, clean), (noisy.numpy(), clean.double()), (noisy.half(), clean.bfloat16())]:
        batch = Loaded([form(*parts)], NAMES).draw(BOTH, torch.Generator())
        assert batch.noisy.dtype == batch.clean.dtype == torch.float32
        assert torch.allclose(batch.noisy, noisy, atol=1e-3) and torch.allclose(batch.clean, clean, atol=1e-2)
    eight = (255 * noisy).to(torch.uint8)
    assert torch.equal(Loaded([{"noisy": eight}]).draw(frozenset({"noisy"}), torch.Generator()).noisy, eight / 255)


def images(*shape, **options):
    return torch.zeros(shape or (2, 1, 8, 8), **options)


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([{"noisy": images(), "target": images()}], "the name of a part of a batch can be burst, .*'target' was given"),
        ([(images(), images())], r"2 parts came, and no names.*Loaded\(loader, names="),
        ([images()], "1 part came, and no names"),
        ([{"noisy": images(), "clean": images(2, 1, 8, 9)}], r"noisy has \[2, 1, 8, 8\], clean has \[2, 1, 8, 9\]"),
        ([{"noisy": images(), "clean": images(3, 1, 8, 8)}], "noisy has 2, clean has 3"),
        (
            [{"noisy": images(1, 8, 8), "clean": images()}],
            r"noisy of a batch is a tensor \[N, C, H, W\]; torch.float32 \[1, 8",
        ),
        ([{"noisy": "x.png", "clean": images()}], "noisy of a batch is a tensor .*; str"),
        ([{"noisy": images(dtype=torch.int64), "clean": images()}], "noisy of a batch holds floats.*int64"),
        ([{"noisy": images(dtype=torch.bool), "clean": images()}], "bool"),
        ([{"noisy": images(dtype=torch.complex64), "clean": images()}], "complex64"),
        ([{"noisy": images() * torch.nan, "clean": images()}], "noisy of a batch holds NaN"),
        ([{"noisy": images()}], "needs clean, but these batches offer only noisy"),
        ([{"noisy": images(), "clean": images()}, {"noisy": images()}], "a batch lacks clean, which the first one had"),
        ([], "the list has no batches, or no more of them"),
        ([{"noisy": images(), "clean": images()}, None], "1 part came, and no names"),
        (({"noisy": images()} for _ in range(3)), "a generator can be gone through only once"),
        ({"noisy": images()}, "a list of dicts; dict was given"),
        (3, "int was given"),
        (images(), "Tensor was given"),
    ],
)
def test_wrong_batches_are_named(batches, message):
    with pytest.raises(ValueError, match=message):
        fit(method(Noise2Clean), batches, steps=3)


def test_parameters_and_bursts_have_shapes_of_their_own():
    parts = {"noisy": images(), "parameter": torch.ones(2), "burst": images(2, 3, 1, 8, 8)}
    assert Loaded([parts]).offers == parts.keys()
    with pytest.raises(ValueError, match=r"parameter of a batch is a tensor \[N\]"):
        _ = Loaded([parts | {"parameter": torch.ones(2, 1)}]).offers
    with pytest.raises(ValueError, match=r"parameter of a batch is above 0 .*; -25 was given"):
        _ = Loaded([parts | {"parameter": torch.tensor([25.0, -25.0])}]).offers
    with pytest.raises(ValueError, match="parameter of a batch holds floats"):
        _ = Loaded([parts | {"parameter": torch.ones(2, dtype=torch.uint8)}]).offers


def test_another_loader_is_another_training(tmp_path):
    path = tmp_path / "run.safetensors"
    batches = [{"noisy": images(), "second_noisy": images()}]
    fit(method(Noise2Noise), batches, steps=1, checkpoint=path)
    with pytest.raises(ValueError, match=r"batches was '1 batches of a list: noisy .*' there and is '2 batches"):
        fit(method(Noise2Noise), batches * 2, steps=1, checkpoint=path)


@settings(max_examples=60)
@given(
    names=st.lists(st.sampled_from([*sorted(PARTS), "target"]), max_size=3),
    shape=st.lists(st.integers(0, 3), max_size=5),
    kind=st.sampled_from([np.float16, np.float64, np.uint8, np.int32, bool, complex, object]),
)
def test_any_batch_is_taken_or_refused_in_words(names, shape, kind):
    batch = {name: np.zeros(shape, kind) for name in names}
    try:
        source = Loaded([batch])
        assert source.offers == set(names)
        source.draw(source.offers, torch.Generator())
    except ValueError as error:
        assert "batch" in str(error)
