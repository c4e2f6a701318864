"""Calls of every system as the search draws them, and results to judge: exact ones rounded once, or moved from there."""

import numpy as np

from scanproof.properties.domain import Domain
from scanproof.properties.room import Draw
from scanproof.properties.systems import room_of
from scanproof.properties.versions.plain_lru import Lru
from scanproof.properties.versions.plain_rotrnn import RotRnn
from scanproof.reference.allowance import certificate
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call
from scanproof.reference.systems import SYSTEMS, scan

ANY = Domain()
LAYERS = {"lru": Lru(), "rotrnn": RotRnn()}  # as a user writes them
SMALL = {  # sizes of every axis that a draw chooses
    "scan": {"batch": 2, "time": 5, "channels": 3},
    "lru": {"batch": 2, "time": 5, "width": 3, "state": 4, "heads": 2},
    "rotrnn": {"batch": 2, "time": 5, "width": 3, "state": 4, "heads": 2},
    "expm": {"n": 3},
}
TIMED = [name for name, system in SYSTEMS.items() if system.timed]


def case(system, arithmetic="float32", sizes=None, domain=ANY, seed=1, **regime):
    """One drawn case."""
    declared = Arithmetic(arithmetic) if isinstance(arithmetic, str) else arithmetic
    return Draw(room_of(system), declared, domain, SMALL[system] | (sizes or {}), regime, seed)


def drawn(system, arithmetic="float32", sizes=None, *, start=False, reverse=False, bars=False, two=False, sparse=False, **more):
    """A call: with initial states, backwards, with cotangents, of two directions, with hardly any roundings."""
    draw = case(system, arithmetic, sizes, **more)
    call = draw.call(sparse, two)
    call = draw.started(call) if start else call
    call = draw.pulled(call) if bars else call
    return call.but(reverse=True) if reverse else call


def scans(lam, b, h0=None, reverse=False):
    """A call of the bare scan."""
    given = {"lam": lam, "b": b} | ({} if h0 is None else {"h0": h0})
    return Call(scan.SYSTEM, given, reverse)


def bare(call):
    """The same call without its batch axis: its first row."""
    first = {name: x[0] if "batch" in call.axes(name) else x for name, x in call.arguments.items()}
    return Call(call.system, first, call.reverse)


def exact(call, arithmetic, *names):
    """The exact results, rounded once: those that are named, or all."""
    found, forms = certificate.whole(call, arithmetic), call.expected(arithmetic.dtype)
    with np.errstate(over="ignore"):
        return {name: found[name].truth.head.astype(forms[name][1]) for name in names or found}


def moved(x, index, units):
    """A copy in which one element is moved by so many units in its last place."""
    x = x.copy()
    part = x.real if np.iscomplexobj(x) else x
    part[index] += np.asarray(units, part.dtype) * np.spacing(part[index])
    return x


def largest(x):
    """The index of the largest element."""
    return tuple(map(int, np.unravel_index(int(np.argmax(np.abs(x))), x.shape)))
