"""What does a step of each layer cost? Operations and bytes by formula.

    symbol    meaning
    W         width of the model
    N         LRU: complex states; RotRNN: head_dim, real states of a head
    H         heads of RotRNN
    S         real numbers in the state: 2N for LRU, H N for RotRNN

Operations are real additions and multiplications, counted as the equations are written (a test
counts those of the reference):

    LRU     gamma (B u): 4NW, lam h + b: 8N, Re(C h) + D u: 4NW + W
            in all 8NW + 8N + W
    RotRNN  xi (B u): 2HNW, P^T: H(2N^2 - N), gamma Theta s + b: 5HN, P s: H(2N^2 - N),
            C x + D u: 2HNW + W
            in all 4HNW + 4HN^2 + 3HN + W
    folded  gamma B, or xi P^T B and C P, formed once: 2SW - S + 4S + 2SW + W
            in all 4SW + 3S + W

Bytes are those of arrays of one step that a program of separate stages reads and writes once each:
u and y (2W), b and h (S each, twice), and, where P is applied to them, B u and x as well.
"""

from __future__ import annotations

from scanproof.report.claims_model import CostRow, Curve

ITEM = 4  # bytes of a float32
WIDTH, STATE = 64, 128  # S real numbers in the state of every layer here
HEAD_DIMS = (4, 16, 64)


def lru_flops(N: int, W: int) -> int:
    return 8 * N * W + 8 * N + W


def rotrnn_flops(H: int, N: int, W: int) -> int:
    return 4 * H * N * W + 4 * H * N * N + 3 * H * N + W


def folded_flops(S: int, W: int) -> int:
    """Either layer."""
    return 4 * S * W + 3 * S + W


def formulas() -> list[CostRow]:
    """Both layers with STATE real numbers, as written and folded."""
    plain, wide = ITEM * (2 * WIDTH + 4 * STATE), ITEM * (2 * WIDTH + 8 * STATE)
    expm = "H matrix exponentials N × N, tr(BᵀB)"
    fixed = [
        _row("LRU", "as written", "8NW + 8N + W", "4 (2W + 8N)",
             "N exponentials, sines, cosines", None, lru_flops(STATE // 2, WIDTH), plain),
        _row("LRU", "γ folded into B", "8NW + 6N + W", "4 (2W + 8N)",
             "the same, and 2NW products", None, folded_flops(STATE, WIDTH), plain),
    ]  # fmt: skip
    for N in HEAD_DIMS:
        once = f"{expm}, 2HNW (2N − 1) for PᵀB and CP"
        fixed += [
            _row("RotRNN", "as written", "4HNW + 4HN² + 3HN + W", "4 (2W + 8HN)", expm, N,
                 rotrnn_flops(STATE // N, N, WIDTH), wide),
            _row("RotRNN", "ξ, P folded into B and C", "4HNW + 3HN + W", "4 (2W + 4HN)", once, N,
                 folded_flops(STATE, WIDTH), plain),
        ]  # fmt: skip
    return fixed


def _row(
    layer: str,
    form: str,
    flops: str,
    moved: str,
    once: str,
    head_dim: int | None,
    count: int,
    size: int,
) -> CostRow:
    return CostRow(layer=layer, form=form, flops=flops, bytes=moved, once=once,
                   head_dim=head_dim, flops_per_step=count, bytes_per_step=size)  # fmt: skip


def flops_curves() -> list[Curve]:
    """Operations of a step over head_dim, STATE real numbers in the state."""
    at = [2**k for k in range(1, STATE.bit_length())]
    counts = {
        "LRU as written": [lru_flops(STATE // 2, WIDTH) for _ in at],
        "RotRNN as written": [rotrnn_flops(STATE // N, N, WIDTH) for N in at],
        "either, folded": [folded_flops(STATE, WIDTH) for _ in at],
    }
    return [Curve(panel=f"state of {STATE} reals, width {WIDTH}", label=label, kind="exact",
                  x=[float(N) for N in at], y=[float(n) for n in y])
            for label, y in counts.items()]  # fmt: skip
