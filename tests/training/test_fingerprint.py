import copy
import enum
import json
from collections import namedtuple
from pathlib import Path

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
import torch
from hypothesis import given, settings as effort, strategies as st
from little import crops, method
from torch import nn

from dnlib.methods import BNN, LAN, Features, Noise2Noise, Perceptual, published_ssid
from dnlib.networks import BlindSpotUNet, DnCNN, LocallyAware, Noise2CleanUNet
from dnlib.noise import Gaussian
from dnlib.training import fit, settings
from dnlib.training.fingerprint import LARGEST, plain, teachers


def bnn(start):
    torch.manual_seed(start)
    stage = BNN(BlindSpotUNet(1, 4, outputs=1, depth=2))
    stage.take_as_trained()
    return stage


def lan(start):
    return LAN(bnn(start), LocallyAware(1, 4, blocks=1))


def features(start):
    torch.manual_seed(start)
    return Features(Noise2CleanUNet(1, 3, depth=2))


def seen_by_features(start):
    return Perceptual(method(Noise2Noise), features(start), 0.1)


def taught(start):
    return Perceptual(method(Noise2Noise), features(0), 0.1, target=method(Noise2Noise, start))


@pytest.mark.parametrize(("make", "teacher"), [(lan, "BNN"), (seen_by_features, "features"), (taught, "target")])
def test_a_training_does_not_go_on_with_another_teacher(tmp_path, make, teacher):
    path = tmp_path / "run.safetensors"
    fit(make(0), crops(), steps=1, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(
        ValueError, match=rf"another training: teacher {teacher}: weights was '\w+' there and is '\w+' here"
    ):
        fit(make(1), crops(), steps=1, checkpoint=path)
    assert path.read_bytes() == before
    assert fit(make(0), crops(), steps=1, checkpoint=path).last_step == 1


def test_what_a_teacher_is_beyond_its_weights_counts_too():
    near, far = lan(0), lan(0)
    far._before[0].network.shift = 3
    assert teachers(near) != teachers(far)


def test_what_learns_is_no_teacher():
    ssid = published_ssid(1, 6)
    assert teachers(ssid) == teachers(ssid.bnn) == {} and set(ssid.stages[2].teachers) == {"BNN", "LAN"}


class Colour(enum.IntEnum):
    RED = 1


class Anything:
    pass


Pair = namedtuple("Pair", "left right")
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(),
    st.binary(),
    st.dates(),
    st.builds(Path, st.sampled_from(["a", "a/b"])),
    st.integers(-5, 5).map(np.int64),
    st.floats(width=32).map(np.float32),
    st.booleans().map(np.bool_),
    st.sampled_from([Colour.RED, Anything(), Anything, len, lambda: 3, Gaussian(25), torch.float32, nn.ReLU(), ...]),
    arrays.arrays(st.sampled_from([float, int, bool, complex, np.float16, "U3", "M8[s]"]), arrays.array_shapes()),
    st.sampled_from([torch.tensor(3), torch.ones(2, 3, dtype=torch.bfloat16), torch.rand(9, 9), torch.tensor([1j])]),
    st.sampled_from([torch.empty(3, device="meta"), torch.eye(3).to_sparse(), torch.tensor(torch.nan)]),
)
attributes = st.recursive(
    leaves,
    lambda inside: st.one_of(
        st.lists(inside, max_size=3),
        st.lists(inside, max_size=3).map(tuple),
        st.tuples(inside, inside).map(lambda pair: Pair(*pair)),
        st.dictionaries(st.one_of(st.text(), st.integers(), st.tuples(st.integers())), inside, max_size=3),
        st.frozensets(st.one_of(st.integers(), st.text(), st.none()), max_size=3),
    ),
    max_leaves=6,
)


@effort(max_examples=300)
@given(attributes)
def test_whatever_an_attribute_is_json_gives_it_back(value):
    found = plain(value)
    assert json.loads(json.dumps(found)) == found
    assert plain(copy.deepcopy(value)) == found


@effort(max_examples=25)
@given(attributes)
def test_whatever_a_method_holds_its_training_is_saved_and_goes_on(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("run") / "checkpoint"
    for _ in range(2):
        trained = method()
        trained.held = copy.deepcopy(value)
        assert fit(trained, crops(), steps=1, checkpoint=path).last_step == 1


def test_lists_that_hold_themselves_come_to_an_end():
    round_and_round = [1]
    round_and_round.append(round_and_round)
    json.dumps(plain(round_and_round))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.int64(3), np.int64(4)),
        ((torch.tensor([1, 2]),), (torch.tensor([1, 3]),)),
        (torch.zeros(LARGEST + 1), torch.zeros(LARGEST + 2)),
        (torch.zeros(LARGEST + 1), torch.ones(LARGEST + 1)),
        (np.zeros((100, 100)), np.eye(100)),
        ({"a": [1, 2]}, {"a": [1, 3]}),
        ({1, 2}, {1, 3}),
        (float("nan"), float("inf")),
        (Gaussian(25), Gaussian(30)),
        (b"a", b"b"),
    ],
)
def test_what_differs_is_told_apart(one, other):
    assert plain(one) == plain(copy.deepcopy(one)) != plain(other)


def test_settings_are_those_of_all_parts():
    found = settings(method(network=lambda: DnCNN(1, 3, 4)))
    assert found["network.class"] == "DnCNN" and found["network.layers.0.kernel_size"] == [3, 3]
    assert not any("training" in name or name.startswith("_") for name in found)
