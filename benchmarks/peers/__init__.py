"""Implementations to check, ours and others': one file a system, one line here."""

from __future__ import annotations

from scanproof.benchmarks.peers import expm, lru, rotrnn, scan
from scanproof.benchmarks.peers.subject import Peers, Subject

_ALL = (scan.PEERS, lru.PEERS, rotrnn.PEERS, expm.PEERS)
PEERS: dict[str, Peers] = {each.system: each for each in _ALL}


def subjects() -> list[Subject]:
    """All implementations, system by system."""
    return [subject for peers in PEERS.values() for subject in peers.subjects]
