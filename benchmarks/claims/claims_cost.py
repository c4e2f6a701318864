"""What does RotRNN cost beside LRU?

Operations and bytes follow by formula (claims_flops.py), time is measured (claims_time.py).
"""

from __future__ import annotations

from typing import NamedTuple

from scanproof.benchmarks.claims.claims_flops import HEAD_DIMS, STATE, flops_curves, formulas
from scanproof.benchmarks.claims.claims_time import Sizes, contestants, inputs, timed
from scanproof.report.claims_model import ClaimRow, CostRow, Curve, LayerTime

ROUNDS = 5


class Costs(NamedTuple):
    rows: list[ClaimRow]
    costs: list[CostRow]
    flops: list[Curve]
    times: list[LayerTime]


def measure(seed: int, sizes: Sizes, rounds: int = ROUNDS) -> Costs:
    times = timed(contestants(seed), inputs(seed, sizes), rounds)
    found = formulas()
    return Costs([_claim(found, times)], found, flops_curves(), times)


def _quartiles(row: LayerTime) -> str:
    return " to ".join(f"{q:.3g}" for q in row.quartiles_ms or ())


def _claim(found: list[CostRow], times: list[LayerTime]) -> ClaimRow:
    written = {
        (row.layer, row.head_dim): row.flops_per_step for row in found if row.form == "as written"
    }
    shares = [f"head_dim {N}: {written['RotRNN', N] / written['LRU', None]:.2f}" for N in HEAD_DIMS]
    folded = {row.flops_per_step for row in found if "folded" in row.form}
    clocked = [
        f"{_name(r)}: {r.median_ms:.3g} ms (quartiles {_quartiles(r)})"
        for r in times
        if r.median_ms
    ]
    return ClaimRow(
        claim="RotRNN is as efficient as LRU",
        source="RotRNN, arXiv 2407.07239: “a simple and efficient model”; what its reviewers asked "
               "for",
        measured=[
            f"operations per step over those of LRU, as written, both with {STATE} real numbers in "
            "the state",
            *shares,
            f"with P, ξ and γ folded into B and C, of either: {' or '.join(map(str, folded))}",
            *(
                ["our kernels, one call on one thread", *clocked]
                if clocked
                else [f"kernels not timed: {times[0].reason}"]
            ),
        ],
        criterion="none: the counts are exact, times belong to this machine",
        word="measured",
    )


def _name(row: LayerTime) -> str:
    return f"{row.layer}, head_dim {row.head_dim}" if row.head_dim else row.layer
