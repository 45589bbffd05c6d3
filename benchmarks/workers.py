"""Do two workers finish four trainings sooner than one after the other, and do they learn the same?

NAMES, each trained for STEPS steps by `dnlib train`, from its start to written weights and their score: one after the
other with one thread, the same with every core, and side by side on `--cluster local:2`, where each of the two has half
of the cores. Weights are compared byte by byte with those learnt with as many threads. Needs bsds500 and kodak24; ten
minutes on two cores.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from outcome import store

from dnlib.zoo import provenance

NAMES = (
    "noise2clean_rgb_sigma25_short",
    "noise2clean_rgb_sigma25",
    "noise2noise_rgb_sigma25",
    "bias_free_rgb_sigma0to55",
)
STEPS, WORKERS = 600, 2


def trained(folder: Path, threads: int, *options: str) -> tuple[float, dict[str, bytes]]:
    """Seconds of one call, and the weights it left."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "dnlib", "train", *NAMES, "--steps", str(STEPS), "--out", str(folder), *options],
        env=os.environ | {"OMP_NUM_THREADS": str(threads)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started, {name: (folder / f"{name}.safetensors").read_bytes() for name in NAMES}


def main() -> None:
    cores = os.cpu_count()
    half = cores // WORKERS
    with tempfile.TemporaryDirectory() as temporary:
        folders = [Path(temporary, name) for name in ("one", "all", "side by side")]
        one, alone = trained(folders[0], half)
        every, _ = trained(folders[1], cores)
        side, together = trained(folders[2], half, "--cluster", f"local:{WORKERS}")
    same = [name for name in NAMES if alone[name] == together[name]]
    seconds = {f"serial, {half} threads each": one, f"serial, {cores} threads": every, f"{WORKERS} workers": side}
    ratios = {f"against {threads} threads": side / serial for threads, serial in ((half, one), (cores, every))}
    print(seconds, ratios, f"{len(same)} of {len(NAMES)} are the same to the bit")
    store(
        "workers",
        question=__doc__.split("\n")[0],
        trainings=NAMES,
        steps=STEPS,
        seconds=seconds,
        ratios=ratios,
        same_to_the_bit=same,
        commit=provenance.commit(),
    )


if __name__ == "__main__":
    main()
