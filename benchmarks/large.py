"""What do large pictures and long stacks take: seconds and peak memory?

A colour picture of 12 megapixels with Gaussian noise of sigma 15 as a PNG, and stacks of 10 and of 100 frames of
512x512 in 16 bits as TIFF files, each by `dnlib denoise` in a process of its own (Linux); the start-up alone beside
them, and what was chosen. `--filter NAME` takes another filter than the one chosen.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from outcome import heading, store

from dnlib.images import Picture, write

FILTER = sys.argv[sys.argv.index("--filter") + 1] if "--filter" in sys.argv else "auto"
MEASURED = r"""
import json, re, time
from pathlib import Path
started = time.perf_counter()
from dnlib.cli import main
main(standalone_mode=False)
peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024  # since it began
print(json.dumps({"seconds": round(time.perf_counter() - started, 1), "peak_megabytes": round(peak)}))
"""


def scene(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Waves in [0, 1] with noise of sigma 15 / 255: [H, W]."""
    rows, columns = np.ogrid[:height, :width]
    clean = 0.45 + 0.25 * np.sin(rows / 97) * np.cos(columns / 71)
    return (clean + 15 / 255 * rng.standard_normal((height, width))).clip(0, 1)


def measured(*arguments: object) -> dict[str, float | str]:
    """Seconds and peak memory of a process that runs `dnlib`, and what was chosen, if it denoises."""
    command = [sys.executable, "-c", MEASURED, *map(str, arguments)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    *said, numbers = printed.splitlines()
    chosen = re.search(r"\.(?:png|tif): (.+) \([\d.]+ s\)$", said[0])
    return json.loads(numbers) | ({"chosen": chosen[1]} if chosen else {})


def main():
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        colours = np.stack([scene(3000, 4000, rng) for _ in range(3)], axis=-1)
        write(folder / "colour.png", Picture.of(np.rint(255 * colours).astype(np.uint8)))
        files = {"12 megapixels in colour": "colour.png"}
        for count in (10, 100):
            frames = np.stack([scene(512, 512, rng) for _ in range(count)])
            write(folder / f"{count}.tif", Picture.of(np.rint(65535 * frames).astype(np.uint16), axes="TYX"))
            files[f"{count} frames of 512x512"] = f"{count}.tif"
        del colours, frames
        outcome = {"nothing": measured("doctor", "--help")}
        for what, file in files.items():
            outcome[what] = measured("denoise", folder / file, "-o", folder / f"out_{file}", "--filter", FILTER)
    store("large", filter=FILTER, outcome=outcome)
    print(f"{heading()}\n  {FILTER}")
    for what, found in outcome.items():
        print(f"  {what:26} {found['seconds']:7.1f} s  {found['peak_megabytes']:6} MB  {found.get('chosen', '')}")
    few, many = (outcome[f"{count} frames of 512x512"]["peak_megabytes"] for count in (10, 100))
    if many > 1.1 * few:
        sys.exit(f"  missed: 100 frames take {many} MB, 10 take {few} MB")


if __name__ == "__main__":
    main()
