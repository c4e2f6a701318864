"""Two bracketings of four steps, the roundings that each monomial meets on its way, and the bound
that covers both.

    python -m scanproof.benchmarks.figures.theorem_picture docs/theorem.svg

    tree       a leaf is its step 1..4, a node the pair of its earlier and its later half
    m, a       products and additions that a monomial meets: (1 + beta)^m (1 + u)^a
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from scanproof.reference.allowance.rounding import allowance
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array, Inputs

Tree = Any  # int | tuple[Tree, Tree]
TREES: dict[str, Tree] = {"a loop": (((1, 2), 3), 4), "a tree": ((1, 2), (3, 4))}
STEPS = 4
PATH, REST, BOX = "#d55e00", "0.35", {"boxstyle": "round,pad=0.3", "facecolor": "white"}


class Met(NamedTuple):
    """The products in a segment's multiplier, and (m, a) of its monomials by step."""

    multiplier: int
    monomials: dict[int, tuple[int, int]]


def met(tree: Tree) -> Met:
    """What (a_q a_l, a_q b_l + b_q) adds at every node."""
    if isinstance(tree, int):
        return Met(0, {tree: (0, 0)})
    early, late = map(met, tree)
    carried = {k: (m + late.multiplier + 1, a + 1) for k, (m, a) in early.monomials.items()}
    return Met(
        early.multiplier + late.multiplier + 1,
        carried | {k: (m, a + 1) for k, (m, a) in late.monomials.items()},
    )


def inputs(seed: int = 2) -> Inputs:
    """float32: decays between 0.5 and 1, standard normal drive; (1, STEPS, 1)."""
    rng = np.random.default_rng(seed)
    return Inputs(
        rng.uniform(0.5, 1, (1, STEPS, 1)).astype(np.float32),
        rng.standard_normal((1, STEPS, 1)).astype(np.float32),
    )


def value(tree: Tree, lam: Array, b: Array) -> tuple[Any, Any]:
    """The element (a, b) of a bracketing, in the arithmetic of its numbers; each (STEPS,)."""
    if isinstance(tree, int):
        return lam[tree - 1], b[tree - 1]
    (a_l, b_l), (a_q, b_q) = (value(part, lam, b) for part in tree)
    return a_q * a_l, a_q * b_l + b_q


def figures() -> dict[str, float]:
    """|computed h_4 - h_4| of each bracketing, and the allowance, in units of u |h_4|."""
    given = inputs()
    lam, b = given.lam[0, :, 0], given.b[0, :, 0]
    exact = [np.array([Fraction(float(x)) for x in numbers]) for numbers in (lam, b)]
    h = value(TREES["a loop"], *exact)[1]
    errors = {
        name: abs(Fraction(float(value(tree, lam, b)[1])) - h) for name, tree in TREES.items()
    }
    bound = Fraction(float(allowance(given, Arithmetic("float32")).bound[0, -1, 0]))
    return {name: float(x / abs(h) * 2**24) for name, x in (errors | {"the bound": bound}).items()}


def description() -> str:
    """The figures in words."""
    found = figures()
    errors = ", ".join(f"of {name} {found[name]:.2f}" for name in TREES)
    return (f"One draw in float32: error {errors}; the bound {found['the bound']:.2f} (in units of "
            "u |h_4|)")


def factors(m: int, a: int) -> str:
    """(1+beta)^m (1+u)^a for matplotlib."""
    power = lambda base, n: "" if n == 0 else f"(1{{+}}{base})" + (f"^{n}" if n > 1 else "")  # noqa: E731
    return f"${power(chr(92) + 'beta', m)}{power('u', a)}$"


def span(tree: Tree) -> list[int]:
    """The steps of a segment."""
    return [tree] if isinstance(tree, int) else [*span(tree[0]), *span(tree[1])]


def place(tree: Tree) -> tuple[float, float]:
    """Leaves in a row, a node above the middle of its halves."""
    if isinstance(tree, int):
        return float(tree), 0.0
    points = [place(part) for part in tree]
    return sum(x for x, _ in points) / 2, max(y for _, y in points) + 1


def grow(axes: Any, tree: Tree) -> None:
    """One node, its edges and what is below; the way of b_1 in colour."""
    x, y = place(tree)
    if isinstance(tree, int):
        axes.text(
            x,
            y,
            f"$\\lambda_{tree}, b_{tree}$",
            ha="center",
            va="center",
            bbox=BOX | {"edgecolor": REST},
        )
        return
    for part in tree:
        style = (
            {"color": PATH, "linewidth": 2.5}
            if 1 in span(part)
            else {"color": REST, "linewidth": 1}
        )
        axes.plot([place(part)[0], x], [place(part)[1], y], zorder=0, **style)
        grow(axes, part)
    on_path = 1 in span(tree)
    axes.text(
        x,
        y,
        "$\\times\\,+$",
        ha="center",
        va="center",
        bbox=BOX | {"edgecolor": PATH if on_path else REST},
    )
    if on_path:
        label_factors(axes, tree)


def label_factors(axes: Any, tree: Tree) -> None:
    """What b_1 meets at a node: the product on its edge, those in its multiplier, the sum."""
    (x, y), (px, py), (qx, qy) = map(place, (tree, *tree))
    axes.text(
        (px + x) / 2 - 0.08, (py + y) / 2 + 0.08, factors(1, 0), ha="right", va="bottom", color=PATH
    )
    axes.text(x + 0.25, y, factors(0, 1), ha="left", va="center", color=PATH)
    if built := met(tree[1]).multiplier:
        product = "".join(f"\\lambda_{k}" for k in reversed(span(tree[1])))
        axes.text(
            qx + 0.25, qy, f"${product}$: {factors(built, 0)}", ha="left", va="center", color=PATH
        )


def panel(axes: Any, name: str, tree: Tree) -> None:
    """A bracketing, and below each leaf what its monomial meets in all."""
    grow(axes, tree)
    for k, (m, a) in met(tree).monomials.items():
        axes.text(
            k,
            -0.55,
            factors(m, a),
            ha="center",
            va="center",
            fontsize=8.5,
            color=PATH if k == 1 else "black",
        )
    axes.set(xlim=(0.4, STEPS + 0.6), ylim=(-0.8, STEPS - 0.4))
    axes.set_title(name, fontsize=11)
    axes.set_axis_off()


def draw(path: Path) -> None:
    """Writes the picture as SVG, with its figures as description."""
    mpl.rcParams["svg.hashsalt"] = "scanproof"
    figure = Figure(figsize=(8.6, 4.9), facecolor="white")
    panels = figure.subplots(
        1, 2, gridspec_kw={"left": 0.01, "right": 0.99, "top": 0.93, "bottom": 0.26, "wspace": 0.02}
    )
    for axes, (name, tree) in zip(panels, TREES.items(), strict=True):
        panel(axes, f"{name}: {name_of(tree)}", tree)
    bound = "\\sum_k\\,[(1{+}\\beta)^{4-k}(1{+}u)^{3}-1]\\;|\\lambda_4\\cdots\\lambda_{k+1}b_k|"
    count = "Always $4-k$ products, and 3 additions at most. So, bracketed in any way:"
    lines = (
        "Below leaf $k$: what $\\lambda_4\\cdots\\lambda_{k+1}b_k$ meets in all. " + count,
        f"$|\\mathrm{{computed}}\\;h_4-h_4|\\;\\leq\\;{bound}$",
        description().replace("h_4", "$h_4$"),
    )
    for y, text, size in zip((0.2, 0.115, 0.03), lines, (9, 12, 9), strict=True):
        figure.text(0.5, y, text, ha="center", va="center", fontsize=size)
    figure.savefig(path, format="svg", metadata={"Date": None, "Description": description()})


def name_of(tree: Tree) -> str:
    """((1 2) 3) 4 without the outermost parentheses."""
    text = str(tree).replace(",", "")
    return text[1:-1]


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
