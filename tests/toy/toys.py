"""The two toy systems: what each adds to the registries."""

from typing import Any

from toy import gated_recipes, gated_room, leaky_recipes, leaky_room

ROOMS: dict[str, Any] = {"leaky": leaky_room.ROOM, "gated": gated_room.ROOM}
COLLECTIONS: dict[str, Any] = {
    "leaky": leaky_recipes.COLLECTION,
    "gated": gated_recipes.COLLECTION,
}
