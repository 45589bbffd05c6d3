"""Do two workers take at most 0.65 of the time that the same four trainings take one after the other?

Four rows of chapter 10, 100 steps a stage and what judges them: one after the other, with all cores and with one; and
shared by `--cluster local:2`. (That the weights are the same to the bit is a test.)
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from outcome import heading, store, timed

NAMES, STEPS = ("lg_bpn_row", "lg_bpn_row_l1", "ssid_row", "ssid_row_s1"), 100
WAYS = {"all cores": {}, "one core": {"OMP_NUM_THREADS": "1"}, "two workers": {}}


def train(way: str, out: Path) -> None:
    """All four, into one folder."""
    shared = ["--cluster=local:2"] if way == "two workers" else []
    command = [sys.executable, "-m", "dnlib", "train", *NAMES, f"--steps={STEPS}", f"--out={out}", *shared]
    subprocess.run(command, env=os.environ | WAYS[way], check=True)


def main() -> None:
    print(heading())
    with tempfile.TemporaryDirectory() as folder:
        seconds = {way: round(timed(lambda way=way: train(way, Path(folder) / way))[0], 1) for way in WAYS}
    shares = {way: round(seconds["two workers"] / seconds[way], 3) for way in ("all cores", "one core")}
    print(f"  seconds {seconds}, share {shares}")
    store("workers", names=NAMES, steps=STEPS, seconds=seconds, shares=shares)


if __name__ == "__main__":
    main()
