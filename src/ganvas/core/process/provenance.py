"""Provenance of a result: versions, machine, commit. Written into every run and every benchmark line."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

# Kept figures, which decide nothing: what is measured next, with these changed alone, is measured of the commit itself.
FIGURES = ("benchmarks/history.jsonl", "src/ganvas/claims/verdicts.json")


def versions() -> dict[str, str]:
    """Versions of Ganvas, Python and the libraries that can change a number."""
    found = {"python": platform.python_version()}
    for package in ("ganvas", "torch", "numpy", "pillow", "safetensors"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    commit = _commit()
    return found | ({"commit": commit} if commit else {})


def machine() -> dict[str, Any]:
    """Processor, cores, memory and accelerators. Says nothing about who owns it or where it stands."""
    described: dict[str, Any] = {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    }
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        described["memory_gib"] = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    torch = sys.modules.get("torch")  # Never the reason for importing torch.
    if torch is not None:
        described["threads"] = torch.get_num_threads()
        if torch.cuda.is_available():
            described["gpu"] = torch.cuda.get_device_name()
            described["gpus"] = torch.cuda.device_count()
            described["cuda"] = torch.version.cuda
    return described


def peak_memory_mib() -> float:
    """The most memory that this process ever held: on the GPU if there is one; 0 where the system does not say."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return round(torch.cuda.max_memory_allocated() / 2**20, 1)
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux and the BSDs kibibytes.
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _commit() -> str | None:
    """The commit of a source checkout, marked where files differ from it; None for an installed package."""
    root = Path(__file__).parents[4]
    if not (root / ".git").exists():
        return None
    apart = [f":(exclude){name}" for name in FIGURES]
    try:
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        changed = _git(root, "diff", "--name-only", "HEAD", "--", ".", *apart)
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}-dirty" if changed else commit


def _git(root: Path, *arguments: str) -> str:
    said = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=5, check=True)
    return said.stdout.strip()
