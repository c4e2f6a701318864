"""What is known of the golden cases of one system: how they are made, and how files are checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from scanproof.golden.drawing import Draw
from scanproof.golden.flags import Flag
from scanproof.reference.call import Call, System
from scanproof.reference.inputs import Array


class Recipe(NamedTuple):
    """A case family: a slug, the dtypes it is made for, which bugs it finds, how its call is drawn.

    A recipe that changes makes other cases with other ids; published files stay readable.
    """

    slug: str
    dtypes: tuple[str, ...]
    purpose: str
    draw: Callable[[Draw], Mapping[str, Any]]  # arguments by name, `reverse` among them


@dataclass(frozen=True, eq=False)
class Collection:
    """The golden cases of a system.

    second: every result of a call with a batch axis, in balls, by other means than its truth.
    classes: words of the declarations whose bounds a file stores, beside dtype and accumulate;
        the first is the usual one.
    flags: what a case can be about, beside what every system's cases can.
    decisive: the flag of cases without which `within` says little, or None.
    magnitude: what rounding errors of the first result scale with, of its shape, if that is known.
    """

    system: System
    recipes: tuple[Recipe, ...]
    second: Callable[[Call], Mapping[str, Array]]
    classes: tuple[Mapping[str, Any], ...] = ({},)
    flags: Mapping[str, Flag] = field(default_factory=dict)
    decisive: str | None = None
    magnitude: Callable[[Call], Array] | None = None
