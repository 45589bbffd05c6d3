"""The process in which a chapter is executed."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

SPINS = "2000"  # threads that wait longer in a loop slow down to a crawl as soon as another program needs a core


@contextlib.contextmanager
def kernel(**variables: str) -> Iterator[dict[str, Any]]:
    """How to start a kernel: this environment's Python with these variables, and no last words on Ctrl-C.

    It talks through sockets in a folder of its own, because network ports of parallel runs can collide.
    """
    from jupyter_client.manager import AsyncKernelManager
    from traitlets.config import Config

    class QuietKernel(AsyncKernelManager):
        async def start_kernel(self, **options):
            options |= {"env": {"GOMP_SPINCOUNT": SPINS} | os.environ | variables, "stderr": subprocess.DEVNULL}
            await super().start_kernel(**options)

    with tempfile.TemporaryDirectory(prefix="dnlib-") as folder:
        sockets = {} if os.name == "nt" else {"transport": "ipc", "ip": f"{folder}/kernel"}
        config = Config({"KernelManager": sockets})
        yield {"kernel_name": "python3", "kernel_manager_class": QuietKernel, "config": config}
