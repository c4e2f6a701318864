"""`scanproof doctor`: what this machine has, and what could make two results differ."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import tempfile
from pathlib import Path

import numpy as np

import scanproof
from scanproof.cli.exits import ACCEPTED
from scanproof.cli.output import console, print_json, table

PACKAGES = ("numpy", "scipy", "numba", "sympy", "hypothesis", "python-flint")
PEERS = ("jax", "torch", "torchlpc")
PROVERS = ("coqc", "gappa")


def run(as_json: bool) -> int:
    """Prints the findings; always accepted."""
    found = machine() | tools()
    if as_json:
        print_json({"format": "scanproof-doctor/1", **found})
    else:
        console().print(table(("what", "found"), list(found.items())))
    return ACCEPTED


def machine() -> dict[str, str]:
    """Versions and the facts that a report must carry."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        "scanproof": scanproof.__version__,
        "python": platform.python_version(),
        **versions,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "subnormals (NumPy)": _subnormals(),
    }


def tools() -> dict[str, str]:
    """Threads, caches, BLAS, provers and peers."""
    import numba
    from threadpoolctl import threadpool_info

    blas = [
        f"{pool.get('internal_api')} {pool.get('version')}, {pool.get('num_threads')} threads"
        for pool in threadpool_info()
    ]
    return {
        "Numba threads": str(numba.get_num_threads()),
        "Numba cache": _writable(
            Path(os.environ.get("NUMBA_CACHE_DIR") or Path(scanproof.__file__).parent)
        ),
        "thread pools": "; ".join(blas) or "none",
        **{
            name: shutil.which(name) or "not found (Debian packages coq, gappa)" for name in PROVERS
        },
        **{name: _version(name) for name in PEERS},
    }


def _subnormals() -> str:
    """Whether this process flushes subnormal results or inputs to zero."""
    tiny = np.array(
        [np.finfo(np.float32).smallest_normal, np.finfo(np.float32).smallest_subnormal], np.float32
    )
    result, read = tiny[0] * np.float32(0.5), tiny[1] * np.float32(2**24)
    return "gradual" if result and read else "flushed to zero in this process: it cannot judge"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def _writable(folder: Path) -> str:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return f"writable ({folder.name})"
    except OSError:
        return f"not writable ({folder.name}): kernels compile in every process"


def _version(package: str) -> str:
    if importlib.util.find_spec(package) is None:
        return "not installed (make peers)" if package == "jax" else "not installed"
    return importlib.metadata.version(package)
