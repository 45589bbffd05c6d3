"""How long does the whole course take, on a laptop with bfloat16 units and on one without?

Each chapter once, profile laptop, seed 0, one after the other on all cores, by `dnlib run`; or those that are named. A
machine with units runs the course twice, and behaves as one without by the switch that any machine has. What is not
measured now stays as it was measured before. The executed chapters lie in runs/course_KIND, from where
`--resume --publish` takes them.
"""

import json
import os
import subprocess
import sys

from outcome import HERE, store

from dnlib.course import jobs, records
from dnlib.images import ROOT
from dnlib.training import computes_in_bfloat16
from dnlib.zoo import provenance

SWITCH = {"with": {}, "without": {"DNLIB_PRECISION": "float32", "ONEDNN_MAX_CPU_ISA": "AVX2"}}


def course(kind: str, names: list[str]) -> dict[str, dict[str, float]]:
    """Seconds and peak memory of each chapter."""
    out = ROOT / "runs" / f"course_{kind}"
    command = [sys.executable, "-m", "dnlib", "run", *names, "--out", str(out), "--resume"]
    subprocess.run(command, env=os.environ | SWITCH[kind], check=True)
    found = records.read_all(out / "records", [f"{path.stem}-laptop-s0" for path in jobs.select(names)]).values()
    return {record.chapter: {"seconds": record.seconds, "memory_mb": record.peak_memory_mb} for record in found}


def main() -> None:
    known = HERE / "results" / "course.json"
    runs = json.loads(known.read_text())["runs"] if known.is_file() else {}
    names = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    for kind in ("with", "without") if computes_in_bfloat16("cpu") else ("without",):
        before = runs.get(kind, {}).get("chapters", {}) if names else {}
        chapters = before | course(kind, names)
        runs[kind] = {"machine": provenance.machine(), "commit": provenance.commit(), "chapters": chapters}
        minutes, memory = (
            sum(c["seconds"] for c in chapters.values()) / 60,
            max(c["memory_mb"] for c in chapters.values()),
        )
        print(f"{kind} bfloat16 units: {minutes:.1f} minutes, at most {memory / 1000:.1f} GB")
    store("course", runs=runs)


if __name__ == "__main__":
    main()
