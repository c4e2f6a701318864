"""The systems, one line each; what else is known of a system stands in files of its name (docs/adding-a-system.md)."""

from __future__ import annotations

from scanproof.reference.call import System
from scanproof.reference.systems import expm, lru, rotrnn, scan

SYSTEMS: dict[str, System] = {each.name: each for each in (scan.SYSTEM, lru.SYSTEM, rotrnn.SYSTEM, expm.SYSTEM)}


def system_of(system: str | System) -> System:
    """The system of this name, or the system itself. Raises ValueError for an unknown name, which lists the known."""
    if isinstance(system, System):
        return system
    if system not in SYSTEMS:
        raise ValueError(f"system: found {system!r}, expected one of {', '.join(SYSTEMS)}")
    return SYSTEMS[system]
