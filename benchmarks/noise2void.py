"""How many seconds of training does Noise2Void need on one 512x512 image, here and in CAREamics?

The same noisy image (camera, sigma 25), the same cores, each program with its own settings and 64x64 patches. Now and
then the image is denoised and scored; the clock of the training stands still meanwhile. The answer is the time until
PSNR reaches each of TARGETS. CAREamics runs in an environment of its own, runs/benchmarks/careamics, which this script
makes; where that fails, it says so.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from outcome import HERE, heading, store

from dnlib.images import arrays
from dnlib.methods import Noise2Void
from dnlib.networks import Noise2CleanUNet
from dnlib.training import Crops, fit, metrics

TARGETS, BUDGET, EVERY, SIGMA = (24.0, 26.0, 27.0), 150, 100, 25
HOME = HERE.parent / "runs" / "benchmarks"
PEER = HERE / "peers" / "careamics_noise2void.py"


def ours(clean: np.ndarray, noisy: np.ndarray) -> list[tuple[float, float]]:
    """(seconds of training, PSNR) as training goes on."""
    torch.manual_seed(0)
    method = Noise2Void(Noise2CleanUNet(1, 16), manipulator="uniform_withoutCP", share=0.02, mean=float(noisy.mean()))
    tensor, curve = arrays.to_tensor(noisy), []
    clock = {"training": 0.0, "since": time.perf_counter()}

    def look(method) -> float:
        clock["training"] += time.perf_counter() - clock["since"]
        psnr = metrics.psnr(arrays.to_image(method.denoise(tensor).mean), clean)
        curve.append((clock["training"], psnr))
        clock["since"] = time.perf_counter()
        return psnr

    batches = Crops([noisy], size=64, count=4)
    settings = {"steps": 2000, "learning_rate": 2e-3, "average": 0.99, "device": "cpu"}
    fit(method, batches, **settings, monitor=look, monitor_every=EVERY, progress=False)
    return curve


def theirs(folder: Path) -> list[tuple[float, float]] | str:
    """The same of CAREamics, or in words why not."""
    environment = HOME / "careamics"
    python = environment / "bin" / "python"
    try:
        ready, needed = environment / ".ready", json.dumps(_requirements())
        if not ready.exists() or ready.read_text() != needed:
            print("  making an environment for CAREamics (once; minutes) ...", flush=True)
            subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            for packages in _requirements():
                subprocess.run([*pip, *packages], check=True, timeout=900, capture_output=True, text=True)
            ready.write_text(needed)
        result = subprocess.run(
            [python, PEER, folder, str(BUDGET)],
            check=True,
            timeout=20 * BUDGET,
            capture_output=True,
            text=True,
            cwd=folder,
        )
    except subprocess.CalledProcessError as error:
        return (error.stderr or error.stdout or str(error)).strip().splitlines()[-1][:300]
    except subprocess.TimeoutExpired as error:
        return f"{error.cmd[0]} took longer than {error.timeout:.0f} s"
    return json.loads(result.stdout.splitlines()[-1])


def _requirements() -> list[list[str]]:
    """CAREamics asks for a torchvision that would exchange torch for an older one; it is installed without."""
    this_torch = "torch==" + torch.__version__.split("+")[0]
    needed = (
        "bioimageio-core lightning matplotlib microssim numpy<=2.4.6 pillow psutil pydantic pyyaml torchmetrics zarr"
    )
    needed += " scikit-image<=0.26.0 tifffile<=2026.3.3"
    return [[this_torch], [this_torch, *needed.split()], ["--no-deps", "careamics==0.3.5"]]


def seconds_until(curve: list[tuple[float, float]], psnr: float) -> float | None:
    return next((round(seconds, 1) for seconds, reached in curve if reached >= psnr), None)


def main():
    clean = arrays.photo("camera")
    noisy = clean + (SIGMA / 255 * np.random.default_rng(0).standard_normal(clean.shape)).astype(np.float32)
    HOME.mkdir(parents=True, exist_ok=True)
    np.save(HOME / "clean.npy", clean)
    np.save(HOME / "noisy.npy", noisy)
    curves = {"dnlib": ours(clean, noisy), "CAREamics": theirs(HOME)}
    print(heading())
    outcome = {}
    for name, curve in curves.items():
        if isinstance(curve, str):
            print(f"  {name}: could not be run here ({curve})")
            outcome[name] = {"not run": curve}
            continue
        until = {f"{psnr:g} dB": seconds_until(curve, psnr) for psnr in TARGETS}
        best = max(reached for _, reached in curve)
        outcome[name] = {"seconds_until": until, "best_psnr": best, "seconds": curve[-1][0], "curve": curve}
        words = ", ".join(f"{psnr} after {'-' if s is None else f'{s} s'}" for psnr, s in until.items())
        print(f"  {name:10} {words}; best {best:.2f} dB within {curve[-1][0]:.0f} s")
    store("noise2void", **outcome)


if __name__ == "__main__":
    main()
