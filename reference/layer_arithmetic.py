"""The declared arithmetic of a whole layer: that of its scan, and what the rest of the layer is made of (docs/layers.md)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from scanproof.reference.arithmetic import Arithmetic, _one_of

STAGES = ("formed", "any")
ADJOINTS = ("any", "recurrence")
SUMS = ("any", "blocked", "pairwise")
EXPMS = ("default", "jax")
GAINS = ("expm1", "one-minus-square")


@dataclass(frozen=True)
class LayerArithmetic(Arithmetic):
    """All floating evaluations of a layer that its author allows for. dtype is that of the parameters: a real format.

    Every sum of the equations (a matrix product, the scan, a sum over time) is a sum of its own, in any order, to which single
    terms such as D u may be added first; its factors may be multiplied in any order. A flat sum that joins two of them meets more
    additions and is another class: steps and width (a convolution with the products multiplied out), or the real and imaginary
    parts of B's rows with their width. With `accumulate`, y comes from the
    states before they are stored, unless `store` is "step".

    Of other orders than bracketings, angle-sum is known of rotations, with any subnormals (layer_orders.py).

    Args:
        stages: "formed" (the drive b, gain included, and the states h are written to memory, anything in between) or "any".
        adjoint: of gradients: "any" (autodiff of any scan) or "recurrence" (the cotangents that outputs send to the states,
            C^H y_bar, are formed, and those of the states by the adjoint recurrence).
        sums: additions that one of n addends of a matrix product or a sum over time meets at most: "any" n - 1,
            "blocked" ceil(n / 8) + 8, "pairwise" 24 + log2 n.
        expm: constant of the matrix exponential: "default", or "jax" for one known to be worse (docs/measured/constants.md).
        gain: how 1 - gamma^2 is formed: "expm1", or "one-minus-square", which cancels.

    Raises:
        ValueError: as Arithmetic does.
    """

    stages: str = "formed"
    adjoint: str = "any"
    sums: str = "any"
    expm: str = "default"
    gain: str = "expm1"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, known in (("stages", STAGES), ("adjoint", ADJOINTS), ("sums", SUMS), ("expm", EXPMS), ("gain", GAINS)):
            _one_of(name, getattr(self, name), known)
        if self.is_complex:
            raise ValueError(f"dtype: found {self.dtype}, expected float16, bfloat16, float32 or float64, that of the parameters")

    @property
    def unmodelled(self) -> str | None:
        """Of other orders than bracketings only angle-sum is known, of rotations (layer_orders.py)."""
        if self.order != "angle-sum":
            return super().unmodelled if self.bracketing else f"no allowance is known for order {self.order} in a layer"
        modelled = (("accumulate", None), ("operands", None), ("rounding", "nearest"))
        wrong = [f"{name} {getattr(self, name)}" for name, known in modelled if getattr(self, name) != known]
        return f"no allowance is known for order angle-sum with {wrong[0]}" if wrong else None

    @property
    def assumes(self) -> bool:
        """Elementary functions are assumed as accurate as docs/measured/constants.md says."""
        return True


def of_layer(arithmetic: Arithmetic) -> LayerArithmetic:
    """The same declaration for a layer, with the defaults for what it does not say."""
    if isinstance(arithmetic, LayerArithmetic):
        return arithmetic
    return LayerArithmetic(**{f.name: getattr(arithmetic, f.name) for f in fields(Arithmetic)})


def words(arithmetic: Arithmetic) -> dict[str, object]:
    """Everything declared, by name."""
    return asdict(arithmetic)
