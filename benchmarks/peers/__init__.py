"""Implementations to check, ours and others', behind the adapter contract: one file a system, one line here."""

from __future__ import annotations

from scanproof.benchmarks.peers import expm, lru, rotrnn, scan
from scanproof.benchmarks.peers.subject import Peers, Subject

PEERS: dict[str, Peers] = {each.system: each for each in (scan.PEERS, lru.PEERS, rotrnn.PEERS, expm.PEERS)}


def subjects() -> list[Subject]:
    """All implementations, system by system."""
    return [subject for peers in PEERS.values() for subject in peers.subjects]
