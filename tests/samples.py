"""A little chapter for tests: its parameters, and a body that succeeds."""

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
