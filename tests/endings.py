"""A command that is ended from outside while it works."""

import os
import subprocess
import sys

from dnlib.images import ROOT

PROGRAM = """
import os, signal, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
from dnlib.cli import main
from dnlib.denoiser.tasks import Plan
whole, calls = Plan._frame, []
def frame(self, *arguments):
    calls.append(1)
    if len(calls) == 8:
        {end}
    return whole(self, *arguments)
Plan._frame = frame
main()
"""
AT_ONCE, SOON = "os.kill({})", "threading.Timer(0.05, os.kill, ({})).start()"


def ended(folder, number, *arguments, when=AT_ONCE):
    """What `dnlib` with arguments says and returns if a signal comes at its eighth frame."""
    program = PROGRAM.format(end=when.format(f"os.getpid(), {int(number)}"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
