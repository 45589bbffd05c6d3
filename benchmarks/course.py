"""How long does the whole course take, on a laptop with bfloat16 units and on one without?

Each chapter once, profile laptop, seed 0, two at a time, each with half of the cores, by `dnlib run --cluster local:2`;
or those that are named. A machine with units runs the course twice, and behaves as one without by the switch that any
machine has. Chapters that are not named keep what was measured before; the time of all together is measured only if
all run in one go. The executed chapters lie in runs/course_KIND, from where `--resume --publish` takes them; what lies
there already is not run again.
"""

import json
import os
import subprocess
import sys
import time

from outcome import HERE, store

from dnlib.course import jobs, records, tables
from dnlib.images import ROOT
from dnlib.training import computes_in_bfloat16
from dnlib.zoo import provenance

SWITCH = {"with": {}, "without": {"DNLIB_PRECISION": "float32", "ONEDNN_MAX_CPU_ISA": "AVX2"}}


def course(kind: str, names: list[str]) -> dict:
    """Seconds and peak memory of each chapter; seconds of the whole course, if it was run in one go."""
    out = ROOT / "runs" / f"course_{kind}"
    whole = not names and not out.exists()
    command = [sys.executable, "-m", "dnlib", "run", *names, "--out", str(out), "--resume", "--cluster", "local:2"]
    start = time.perf_counter()
    subprocess.run(command, env=os.environ | SWITCH[kind], check=True)
    together = {"seconds": round(time.perf_counter() - start, 1)} if whole else {}
    found = records.read_all(out / "records", [f"{path.stem}-laptop-s0" for path in jobs.select(names)]).values()
    costs = {record.chapter: {"seconds": record.seconds, "memory_mb": record.peak_memory_mb} for record in found}
    return together | {"chapters": costs}


def main() -> None:
    known = HERE / "results" / "course.json"
    runs = json.loads(known.read_text())["runs"] if known.is_file() else {}
    names = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    for kind in ("with", "without") if computes_in_bfloat16("cpu") else ("without",):
        before = runs.get(kind, {}).get("chapters", {}) if names else {}
        now = course(kind, names)
        machine = {"machine": provenance.machine(), "commit": provenance.commit()}
        runs[kind] = now | machine | {"chapters": before | now["chapters"]}
        store("course", runs=runs)
    print("minutes with bfloat16 units, without, memory:", *tables.together(runs))


if __name__ == "__main__":
    main()
