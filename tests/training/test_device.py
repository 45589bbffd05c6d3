import os
import subprocess
import sys

import pytest
import torch
from little import crops, method

from dnlib.images import ROOT
from dnlib.training import choose_device, computes_in_bfloat16, fit, precision_of
from dnlib.training.loop import _accelerator


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: not including_emulation)


@pytest.fixture
def no_switch(monkeypatch):
    monkeypatch.delenv("DNLIB_PRECISION", raising=False)


def test_one_of_several_gpus_can_be_named(two_gpus, no_switch):
    assert choose_device("auto") == "cuda" and choose_device("cuda:1") == "cuda:1"
    assert choose_device(torch.device("cuda", 1)) == "cuda:1"
    assert _accelerator("cuda:1", 1) == {"accelerator": "cuda", "devices": [1]}
    assert _accelerator("auto", 2) == {"accelerator": "cuda", "devices": 2}
    assert computes_in_bfloat16("cuda:1") and precision_of("auto", "cuda:1") == "bf16-mixed"
    with pytest.raises(ValueError, match=r"'cuda:2' was asked for, but torch sees only cpu, cuda:0, cuda:1"):
        choose_device("cuda:2")
    assert choose_device("cuda:2", here=False) == "cuda:2"  # another machine may have more
    with pytest.raises(ValueError, match=r"'cuda:1' is one device, 2 were asked for"):
        fit(method(), crops(), steps=1, device="cuda:1", devices=2)
    with pytest.raises(ValueError, match="3 devices were asked for, but torch sees 2"):
        fit(method(), crops(), steps=1, devices=3)


def test_apple_s_gpu_is_taken_where_it_is(monkeypatch, no_switch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("mps") == "mps" and _accelerator("mps", 1) == {"accelerator": "mps", "devices": 1}
    assert not computes_in_bfloat16("mps")
    with pytest.raises(ValueError, match="one device, 2"):
        _accelerator("mps", 2)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", torch.device("cuda", 3)])
def test_devices_that_are_not_there_are_named(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == "cpu"
    with pytest.raises(ValueError, match=f"device '{name}' was asked for, but torch sees only cpu"):
        choose_device(name)


@pytest.mark.parametrize("name", ["tpu", "cuda:", "cuda:x", "cuda:-1", "cuda:N", "cpu:0", "", "CPU", None])
def test_other_devices_are_refused(name):
    for here in (True, False):
        with pytest.raises(ValueError, match="the device can be auto, cpu, cuda, cuda:N or mps"):
            choose_device(name, here=here)


@pytest.mark.parametrize(("wanted", "kind"), [("float32", "32-true"), ("bfloat16", "bf16-mixed")])
def test_one_variable_says_what_auto_is(monkeypatch, wanted, kind):
    monkeypatch.setenv("DNLIB_PRECISION", wanted)
    assert precision_of("auto", "cpu") == kind and computes_in_bfloat16() == (wanted == "bfloat16")
    assert precision_of("float32", "cpu") == "32-true"
    assert fit(method(), crops(), steps=1).precision == kind
    monkeypatch.setenv("DNLIB_PRECISION", "float16")
    with pytest.raises(ValueError, match="DNLIB_PRECISION can be float32 or bfloat16; 'float16'"):
        fit(method(), crops(), steps=1)


@pytest.mark.parametrize(("units", "onednn"), [(True, True), (True, False), (False, True)])
def test_bfloat16_takes_units_that_onednn_uses(monkeypatch, no_switch, units, onednn):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: units)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: onednn)
    assert computes_in_bfloat16("cpu") == (units and onednn)


@pytest.mark.skipif(not torch.cpu._is_avx512_bf16_supported(), reason="the processor has no bfloat16 units")
def test_onednn_can_be_kept_from_the_units():
    code = "from dnlib.training import computes_in_bfloat16; print(computes_in_bfloat16('cpu'))"
    environment = {name: value for name, value in os.environ.items() if name != "DNLIB_PRECISION"}
    environment |= {"ONEDNN_MAX_CPU_ISA": "AVX2"}
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_precision_follows_the_hardware():
    chosen = fit(method(), crops(), steps=1, device="cpu").precision
    assert chosen == ("bf16-mixed" if computes_in_bfloat16("cpu") else "32-true")
    assert fit(method(), crops(), steps=1, precision="float32").precision == "32-true"
