"""What is installed, which device, which data, and what will not work and why."""

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Literal

from packaging.requirements import Requirement

from dnlib.images import ROOT, datasets, home
from dnlib.zoo import provenance


@dataclass(frozen=True)
class Finding:
    """good, limited (something optional will not work) or broken (the course will not run)."""

    what: str
    found: str
    state: Literal["good", "limited", "broken"] = "good"


def examine() -> list[Finding]:
    """Look at everything the course depends on, and name what is missing instead of failing on it."""
    return [_python(), *_packages(), _device(), _kernel(), _memory(), _data(), *_folders()]


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info < (3, 14)
    return Finding("Python", found if fits else f"{found}; 3.11 to 3.13 is needed", "good" if fits else "broken")


def _packages() -> list[Finding]:
    findings = []
    for requirement in map(Requirement, requires("dnlib") or []):
        optional = requirement.marker is not None
        if optional and not requirement.marker.evaluate({"extra": "test"}):
            continue
        try:
            found = version(requirement.name)
            fits = requirement.specifier.contains(found, prereleases=True)
            problem = "" if fits else f"{found}, {requirement.specifier} is needed"
        except PackageNotFoundError:
            problem = "not installed" + ("; needed for `make test` or --cluster" if optional else "")
        if problem:
            findings.append(Finding(requirement.name, problem, "limited" if optional else "broken"))
    return findings or [Finding("packages", "all installed, within their bounds")]


def _device() -> Finding:
    try:
        import torch
    except Exception as error:
        return Finding("torch", f"cannot be imported: {error}", "broken")
    if torch.cuda.is_available():
        return Finding("device", f"{torch.cuda.get_device_name()} (CUDA {torch.version.cuda})")
    return Finding("device", f"{provenance.machine()}; no GPU, none is needed for smoke and laptop")


def _kernel() -> Finding:
    from jupyter_client.kernelspec import KernelSpecManager

    try:
        command = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except Exception as error:
        return Finding("Jupyter kernel", f"python3 is missing ({error}); `pip install ipykernel`", "broken")
    if os.path.realpath(shutil.which(command) or "") == os.path.realpath(sys.executable):
        return Finding("Jupyter kernel", "python3, this environment")
    other = f"python3 is {command}, another environment; set JUPYTER_PREFER_ENV_PATH=1"
    return Finding("Jupyter kernel", other, "limited")


def _memory() -> Finding:
    try:
        gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (ValueError, OSError, AttributeError):
        return Finding("memory", "unknown")
    if gigabytes < 4:
        return Finding("memory", f"{gigabytes:.0f} GB; the course wants 4", "limited")
    return Finding("memory", f"{gigabytes:.0f} GB")


def _data() -> Finding:
    here = [name for name, dataset in datasets.registry().items() if dataset.is_present]
    missing = [name for name in datasets.registry() if name not in here]
    text = f"in {home()}: {', '.join(here) or 'none'}"
    if missing:
        text += f"; not here: {', '.join(missing)} (`dnlib data NAME` fetches one; chapters run without)"
    return Finding("datasets", text, "good" if here else "limited")


def _folders() -> list[Finding]:
    findings = []
    for what, folder in (("runs", ROOT), ("downloads", home())):
        existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
        if not os.access(existing, os.W_OK):
            findings.append(Finding(what, f"{folder} cannot be written", "limited"))
    return findings
