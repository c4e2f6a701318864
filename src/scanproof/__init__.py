"""Scanproof: is this difference a bug, or could it be rounding? Verdicts on scan kernels.

import scanproof
verdict = scanproof.judge("scan", h, lam=lam, b=b)              # of states that you recorded
report = scanproof.check("scan", my_scan, dtype="float32")      # searches for a failing call
TestMine = scanproof.suite("scan", my_scan, dtype="float32")    # the same as a pytest class
results = scanproof.run("lru", params=params, u=u)              # the reference itself
grads = scanproof.vjp("lru", {"y": y_bar}, params=params, u=u)  # its exact adjoint
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scanproof.properties.check import check
    from scanproof.properties.domain import Domain
    from scanproof.properties.judge import judge
    from scanproof.properties.outcome import Report
    from scanproof.properties.suite import suite
    from scanproof.properties.verdict import Verdict
    from scanproof.reference.arithmetic.declaration import Arithmetic
    from scanproof.reference.systems import run, vjp

__version__ = "0.1.0"
__all__ = ["Arithmetic", "Domain", "Report", "Verdict", "check", "judge", "run", "suite", "vjp"]

_HOME = {
    "Arithmetic": "scanproof.reference.arithmetic.declaration",
    "Domain": "scanproof.properties.domain",
    "Report": "scanproof.properties.outcome",
    "Verdict": "scanproof.properties.verdict",
    "check": "scanproof.properties.check",
    "judge": "scanproof.properties.judge",
    "run": "scanproof.reference.systems",
    "suite": "scanproof.properties.suite",
    "vjp": "scanproof.reference.systems",
}


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used: `import scanproof` stays cheap."""
    if name not in _HOME:
        raise AttributeError(f"module 'scanproof' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
