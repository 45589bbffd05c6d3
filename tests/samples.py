"""A little chapter for tests: its parameters, and a body that succeeds; and a record of one."""

from dnlib.course.records import Record, plain

PARAMETERS = """profile: str = "laptop"  # how much
seed: int = 0
device: str = "auto"
strength: float = 0.5  # of the noise
steps: int = 3
fast: bool = True
label: str = "x"
"""

GOOD = """import dnlib
run = dnlib.start("{name}", profile, seed, device, strength=strength)
dnlib.verify("one is one", 1 == 1)
run.record(strength=strength)
"""


def record(seed=0, profile="laptop", parameters=None, scenes=None, **measured):
    """What a run of chapter 01_x measured, and nothing of where it ran."""
    known = {"parameters": parameters or {}, "scenes": scenes or {}, "measured": plain(measured), "datasets": {}}
    where = {"device": "cpu", "versions": {}, "commit": "", "machine": "", "seconds": 1.0, "peak_memory_mb": 100}
    return Record("01_x", profile, seed, **known, **where)
