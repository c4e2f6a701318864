"""What is known of exact numbers: two floats and a radius each."""

from __future__ import annotations

from typing import NamedTuple

from scanproof.reference.inputs import Array


class Truth(NamedTuple):
    """Enclosure of the exact states, (batch, time, channels) each: |h - head - tail| <= rad."""

    head: Array  # float64 or complex128
    tail: Array  # float64 or complex128
    rad: Array  # float64, inf where head overflowed
