"""Scanproof: is this difference a bug, or could it be rounding? Certified verdicts for scan kernels.

    import scanproof
    verdict = scanproof.judge("scan", h, lam=lam, b=b, arithmetic=scanproof.Arithmetic("float32"))
    report = scanproof.check("scan", my_scan, arithmetic=scanproof.Arithmetic("float32"))
    TestMyScan = scanproof.suite("scan", my_scan, arithmetic=scanproof.Arithmetic("float32"))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scanproof.properties.check import check
    from scanproof.properties.judge import judge
    from scanproof.properties.outcome import Report
    from scanproof.properties.strategies import Domain
    from scanproof.properties.suite import suite
    from scanproof.properties.verdict import Verdict
    from scanproof.reference.arithmetic import Arithmetic

__version__ = "0.1.0"
__all__ = ["Arithmetic", "Domain", "Report", "Verdict", "check", "judge", "suite"]

_HOME = {
    "Arithmetic": "scanproof.reference.arithmetic",
    "Domain": "scanproof.properties.strategies",
    "Report": "scanproof.properties.outcome",
    "Verdict": "scanproof.properties.verdict",
    "check": "scanproof.properties.check",
    "judge": "scanproof.properties.judge",
    "suite": "scanproof.properties.suite",
}


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used: `import scanproof` stays cheap."""
    if name not in _HOME:
        raise AttributeError(f"module 'scanproof' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
