"""The golden cases of every system that has some, one line a system (docs/golden.md)."""

from __future__ import annotations

from scanproof.golden.collection import Collection
from scanproof.golden.recipes import lru, rotrnn, scan

COLLECTIONS: dict[str, Collection] = {
    each.system.name: each for each in (scan.COLLECTION, lru.COLLECTION, rotrnn.COLLECTION)
}


def collection_of(system: str) -> Collection:
    """The cases of a system. Raises ValueError for one without, which lists those with cases."""
    if system not in COLLECTIONS:
        raise ValueError(f"system: found {system!r}, expected one of {', '.join(COLLECTIONS)}")
    return COLLECTIONS[system]
