"""What the search knows of each system, one line a system (docs/adding-a-system.md)."""

from __future__ import annotations

from scanproof.properties.room import Room
from scanproof.properties.systems import expm, lru, rotrnn, scan
from scanproof.reference.call import System
from scanproof.reference.systems import system_of

ROOMS: dict[str, Room] = {
    room.system.name: room for room in (scan.ROOM, lru.ROOM, rotrnn.ROOM, expm.ROOM)
}


def room_of(system: str | System) -> Room:
    """The room of a system.

    Raises:
        ValueError: an unknown name, or a System that has no room.
    """
    known = system_of(system)
    room = ROOMS.get(known.name)
    if room is None or room.system is not known:
        expected = f"one of {', '.join(ROOMS)}, or one with a room (docs/adding-a-system.md)"
        raise ValueError(f"system: found {known.name}, which has no room, expected {expected}")
    return room
