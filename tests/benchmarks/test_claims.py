"""The papers' claims as experiments: exact moments against closed forms, mutants that must fail, the page against its data."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import flint
import numpy as np
import pytest
from layer_truth import agree
from reports import Page, dangling, empty, open_doors

import scanproof
from scanproof import report
from scanproof.benchmarks.claims import (
    claims,
    claims_coefficients,
    claims_errors,
    claims_flops,
    claims_memory,
    claims_moments,
    claims_moved,
    claims_norm,
    claims_runs,
    claims_time,
)
from scanproof.reference import initialise
from scanproof.reference.layers import mapped
from scanproof.reference.numbers import namespace
from scanproof.reference.systems import lru, rotrnn
from scanproof.report.claims_model import Claims, LayerTime
from scanproof.report.claims_page import claims_page
from scanproof.report.markup import number
from scanproof.report.page import page

SMALL = claims.Sizes(draws=3, time=16, coefficients=4, doublings=6, smallest=10, memories=50, call=claims_time.Sizes(1, 64))
HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def found(told: list[str]) -> Claims:
    return claims.measure(0, SMALL, told.append)


# ---------------------------------------------------------------- exact second moments


def rational(xi: Fraction = HALF) -> rotrnn.Constants:
    """One head turned by the angle of (3/5, 4/5), gamma = 1/2, tr(B^T B) = 3: normalised when xi = 1/2."""
    whole = namespace.fractions().lift
    P = np.array([[[Fraction(5, 13), Fraction(-12, 13)], [Fraction(12, 13), Fraction(5, 13)]]])
    B, C, D = (whole(np.array(x)) for x in ([[[1, 0], [1, 1]]], [[[[1, 0]], [[0, 1]]]], [0, 0]))
    angle = np.array([[Fraction(3, 5)]]), np.array([[Fraction(4, 5)]])
    return rotrnn.Constants(np.array([HALF]), *angle, P, np.array([xi]), B, C, D)


def moments(k: rotrnn.Constants, time: int, rho: Any) -> list[Fraction]:
    return list(claims_moments.expected(lambda u: claims_runs.run(k, u), 2, time, rho).sum(2)[:, 0])


def test_the_second_moment_of_white_input_is_one_minus_gamma_to_the_2t() -> None:
    assert moments(rational(), 6, 0) == [1 - Fraction(1, 4) ** t for t in range(1, 7)]


def test_without_normalisation_it_is_not() -> None:
    assert moments(rational(xi=Fraction(1)), 6, 0) == [4 * (1 - Fraction(1, 4) ** t) for t in range(1, 7)]


@pytest.mark.parametrize("rho", [Fraction(0), THIRD, Fraction(-2, 3), Fraction(1)])
def test_the_second_moment_is_the_double_sum_over_the_covariance(rho: Fraction) -> None:
    """E |x_t|^2 = sum over k, l of rho^|k-l| tr(h_k h_l^T), h the impulse response."""
    k, time = rational(), 5
    impulses = np.full((2, time, 2), Fraction(0))
    impulses[:, 0] = np.eye(2, dtype=int)
    h = claims_runs.run(k, impulses)[:, :, 0]  # (width, time, head_dim)
    gram = np.einsum("jkn,jln->kl", h, h)
    wanted = [sum(rho ** abs(a - b) * gram[a, b] for a in range(t) for b in range(t)) for t in range(1, time + 1)]
    assert moments(k, time, rho) == wanted


def test_the_limit_is_the_fixed_point_of_the_recursion() -> None:
    k = rational(xi=Fraction(2, 3))
    (limit,) = claims_moments.rotrnn_limit(k)
    assert limit == Fraction(16, 9)
    assert limit == k.gamma[0] ** 2 * limit + k.xi[0] ** 2 * 3
    assert limit - moments(k, 9, 0)[-1] == limit * Fraction(1, 4) ** 9


def test_the_second_moment_of_lru_is_its_geometric_sum() -> None:
    with flint.ctx.workprec(400):
        params = mapped(lru.init(np.random.default_rng(3), 3, 2, "paper-long"), namespace.balls().lift)
        k = lru.constants(params)
        found = claims_moments.expected(lambda u: scanproof.run("lru", params=params, u=u)["h"], 2, 8, flint.arb(0))  # (time, state)
        size = (params.B_re**2 + params.B_im**2).sum(1)  # (state,)
        rate = np.exp(-2 * np.exp(params.nu_log))  # |lam|^2 (state,)
        limit = claims_moments.lru_limit(k) * size
        assert agree(found, np.stack([limit * (1 - rate**t) for t in range(1, 9)]))
        assert agree(found[0], np.exp(2 * params.gamma_log) * size)


def test_enclosures_refute_meet_or_are_too_wide() -> None:
    def balls(*values: Any) -> Any:
        return np.array(values, object)

    assert claims_moments.equal(balls(flint.arb(1), flint.arb(1, 2.0**-80)), 1)
    assert not claims_moments.equal(balls(flint.arb(1), flint.arb(1.5, 0.25)), 1)
    with pytest.raises(ArithmeticError, match="expected more bits"):
        claims_moments.equal(balls(flint.arb(1, 0.5)), 1)


# ---------------------------------------------------------------- state norm


def words(measured: claims_norm.Norms) -> list[str]:
    return [row.word for row in measured.rows]


HONEST = ["holds", "holds only for white input", "holds", "holds", "fails", "fails"]


def test_the_words_of_the_state_norm(found: Claims) -> None:
    assert [row.word for row in found.rows[:6]] == HONEST


def test_a_layer_without_normalisation_fails() -> None:
    def mutant(params: rotrnn.Params) -> rotrnn.Constants:
        k = rotrnn.constants(params)
        return k._replace(xi=k.xi**0)

    assert words(claims_norm.measure(0, 2, 8, mutant)) == ["fails", "fails", *HONEST[2:]]


def test_a_layer_whose_basis_is_not_orthogonal_fails() -> None:
    """Only the runs over time can see that: the limit takes orthogonality for granted."""
    def mutant(params: rotrnn.Params) -> rotrnn.Constants:
        k = rotrnn.constants(params)
        return k._replace(P=k.P * (1 + 2.0**-30))

    assert words(claims_norm.measure(0, 2, 8, mutant))[:2] == ["fails", "fails"]


def test_an_lru_normalised_by_another_formula_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    right = lru.normalising_gamma_log
    monkeypatch.setattr(lru, "normalising_gamma_log", lambda nu_log: right(nu_log) + 2.0**-40)
    assert words(claims_norm.measure(0, 2, 8)) == [*HONEST[:2], "fails", "fails", "fails", "fails"]


def test_a_band_is_one_where_the_claim_holds_and_wider_where_it_fails(found: Claims) -> None:
    for band, word in zip(found.spread, ["holds", "holds", "fails", "fails"], strict=True):
        assert band.low[0] == band.median[0] == band.high[0] == 1
        assert (band.low == band.high == band.median) == (word == "holds")


def test_moved_layers_over_time_follow_their_closed_forms() -> None:
    with flint.ctx.workprec(400):
        curves = {curve.label: curve for curve in claims_runs.moved_over_time(0, 6, rotrnn.constants)}
        turned = claims_moved.rotrnn_moved(np.random.default_rng(0), claims_runs.SIGMA)
        rates = np.exp(-2 * np.exp(turned.gamma_log))  # gamma^2 (heads,)
        assert curves[claims_moved.BOUNDED].y == [float((1 - rates**t).sum() / claims_moved.HEADS) for t in range(1, 7)]
        for name in (claims_moved.AGAIN, claims_moved.FIXED, claims_moved.FREE):
            params = claims_moved.lru_moved(np.random.default_rng(0), claims_runs.SIGMA, name)
            size = (params.B_re**2 + params.B_im**2).sum(1)  # (state,)
            limits, rates = claims_moments.lru_limit(lru.constants(params)) * size, np.exp(-2 * np.exp(params.nu_log))
            assert curves[name].y == [float((limits * (1 - rates**t)).sum() / size.sum()) for t in range(1, 7)]
        assert curves[claims_moved.FIXED].y != curves[claims_moved.FREE].y != curves[claims_moved.AGAIN].y


# ---------------------------------------------------------------- memory


def test_the_median_of_the_unit_disc() -> None:
    """|lambda|^2 = 1/4 at a quarter: |lambda|^8 = 2^-8."""
    assert claims_memory.steps(claims_memory.ring(0, 1, 0.25), 8) == 8
    assert claims_memory.steps(claims_memory.ring(0, 1, 0.25), 24) == 24


@pytest.mark.parametrize("start", claims_memory.starts(), ids=lambda start: start.label)
def test_draws_have_the_quantiles_of_the_formula(start: claims_memory.Start) -> None:
    """Dvoretzky, Kiefer, Wolfowitz and Massart: P(sup |F_n - F| > e) <= 2 exp(-2 n e^2), here 1e-9."""
    n = 20_000
    e = math.sqrt(math.log(2e9) / (2 * n))
    nu = start.draw(np.random.default_rng(5), n)
    for q in (0.1, 0.5, 0.9):
        assert abs(float((nu >= start.nu(q)).mean()) - q) <= e


def test_the_quantiles_of_another_family_are_rejected() -> None:
    v, n = initialise.ROTATIONS["A"], 20_000
    nu = np.exp(initialise.gamma_log(np.random.default_rng(5), n, v))
    assert abs(float((nu >= claims_memory.ring(v.gamma_min, v.gamma_max, 0.5)).mean()) - 0.5) > 0.2


# ---------------------------------------------------------------- rounding of coefficients


def drawn(dtype: str = "bfloat16") -> claims_coefficients.Drawn:
    return claims_coefficients.drawn(1, 6, 4, dtype)


@pytest.mark.parametrize("way", list(claims_coefficients.WAYS))
def test_the_error_of_a_coefficient_is_that_of_the_impulse_responses(way: str) -> None:
    """D^2 is the sum of |lam_hat^k - lam^k|^2 over the sum of |lam|^2k."""
    with flint.ctx.workprec(400):
        c = claims_coefficients.WAYS[way](drawn())
        wanted = []
        for a, b in zip(c.lam_hat, c.lam, strict=True):
            change = sum((abs(a**k - b**k) ** 2 for k in range(8)), flint.arb(0))
            wanted.append(change / sum((abs(b**k) ** 2 for k in range(8)), flint.arb(0)))
        assert agree(claims_coefficients.squares(c, 3), np.array(wanted, object))


def test_an_exact_coefficient_has_no_error_and_a_rounded_one_has() -> None:
    with flint.ctx.workprec(400):
        c = claims_coefficients.stored(drawn())
        assert all(x.contains(0) for x in claims_coefficients.squares(c._replace(lam_hat=c.lam), 5))
        assert not any(x.contains(0) for x in claims_coefficients.squares(c, 5))


@pytest.mark.parametrize("dtype", claims_errors.FORMATS)
def test_coefficients_are_of_the_format(dtype: str) -> None:
    with flint.ctx.workprec(400):
        for make in (claims_coefficients.stored, claims_coefficients.lru):
            for z in make(drawn(dtype)).lam_hat:
                assert all(float(np.array(float(x)).astype(dtype)) == float(x) for x in (z.real, z.imag))


def test_only_a_certified_modulus_of_one_is_unstable() -> None:
    lam_hat = np.array([flint.acb(1), flint.acb(1 - 2.0**-24), flint.acb(0.75, 0.75), flint.acb(flint.arb(1, 0.1))], object)
    assert claims_coefficients.unstable(claims_coefficients.Coefficients(lam_hat, lam_hat)) == 2


def test_a_wider_state_has_a_smaller_error() -> None:
    narrow, wide, widest = (claims_errors.scan_curve(0, "bfloat16", state, 64, 9) for state in ("bfloat16", "float32", "float64"))
    assert len(narrow.x) == 8  # 1 - 2^-9 is no bfloat16
    assert all(a > b > c for a, b, c in zip(narrow.y, wide.y, widest.y, strict=True))


def test_rounding_of_short_formats_breaks_stability(found: Claims) -> None:
    wide, short = (row for row in found.rows if claims_errors.STABLE in row.claim)
    assert (wide.word, short.word) == ("measured", "fails")


# ---------------------------------------------------------------- cost


class Counted(Fraction):
    """A number whose sums and products with its like are counted; integers (zero, one) are structure, not work."""

    count = 0

    def _with(self, other: Any, result: Any) -> Any:
        if not isinstance(other, Counted):
            return result if result is NotImplemented else Counted(result)
        Counted.count += 1
        return Counted(result)

    def __add__(self, other: Any) -> Any:
        return self._with(other, super().__add__(other))

    def __sub__(self, other: Any) -> Any:
        return self._with(other, super().__sub__(other))

    def __mul__(self, other: Any) -> Any:
        return self._with(other, super().__mul__(other)) if other != 0 or isinstance(other, Counted) else 0

    def __neg__(self) -> Any:
        return Counted(super().__neg__())

    def __pos__(self) -> Any:
        return self

    def __radd__(self, other: Any) -> Any:
        return self if other == 0 else NotImplemented

    __rmul__ = __mul__


def counted(shape: tuple[int, ...]) -> Any:
    out = np.empty(shape, object)
    out.ravel()[:] = [Counted(i % 5 + 1) for i in range(out.size)]
    return out


def per_step(run: Any) -> int:
    """Operations of one more step, when the state is no longer zero."""
    counts = []
    for time in (3, 4):
        Counted.count = 0
        run(time)
        counts.append(Counted.count)
    return counts[1] - counts[0]


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(namespace.OBJECTS, Counted, namespace.fractions)


@pytest.mark.usefixtures("counting")
@pytest.mark.parametrize(("N", "W"), [(3, 2), (2, 5)])
def test_the_formula_of_lru_counts_the_operations_of_the_reference(N: int, W: int) -> None:
    i = namespace.fractions().i
    lam, B, C = (counted(shape) + i * counted(shape) for shape in ((N,), (N, W), (1, W, N)))
    k = lru.Constants(lam, counted((N,)), B, C, counted((W,)))
    zeros = np.zeros((1, 1, N), object)
    imaginary = W * (4 * N - 1)  # the reference forms the imaginary part of C h too
    assert per_step(lambda time: lru.run(k, counted((1, time, W)), zeros)) == claims_flops.lru_flops(N, W) + imaginary


@pytest.mark.usefixtures("counting")
@pytest.mark.parametrize(("H", "N", "W"), [(2, 2, 3), (1, 4, 2)])
def test_the_formula_of_rotrnn_counts_the_operations_of_the_reference(H: int, N: int, W: int) -> None:
    shapes = (H,), (H, N // 2), (H, N // 2), (H, N, N), (H,), (H, N, W), (1, W, H, N), (W,)
    k = rotrnn.Constants(*map(counted, shapes))
    zeros = np.zeros((1, 1, H, N), object)
    assert per_step(lambda time: rotrnn.run(k, counted((1, time, W)), zeros)) == claims_flops.rotrnn_flops(H, N, W)


def test_folded_layers_cost_the_same_and_never_more() -> None:
    for row in claims_flops.formulas():
        folded = claims_flops.folded_flops(claims_flops.STATE, claims_flops.WIDTH)
        assert row.flops_per_step == folded if "folded" in row.form else row.flops_per_step > folded


def kernel(**changed: Any) -> claims_time.Contestant:
    params = lru.init(np.random.default_rng(0), 4, claims_flops.WIDTH, dtype=claims_time.DTYPE)
    return claims_time.Contestant("lru", None, params, lambda u: u.copy(), "")._replace(**changed)


def judged(monkeypatch: pytest.MonkeyPatch, word: str) -> LayerTime:
    monkeypatch.setattr(scanproof, "judge", lambda *_, **__: SimpleNamespace(verdict=word, reason="so it was"), raising=False)
    (row,) = claims_time.timed([kernel()], claims_time.inputs(0, claims_time.Sizes(2, 70)), 2)
    return row


def test_a_kernel_that_is_not_refuted_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    row = judged(monkeypatch, "within")
    assert (row.verdict, row.reason) == ("within", "so it was")
    assert row.median_ms is not None
    assert row.quartiles_ms is not None
    assert row.quartiles_ms[0] <= row.median_ms <= row.quartiles_ms[1]


def test_a_refuted_kernel_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    row = judged(monkeypatch, "outside")
    assert (row.verdict, row.median_ms, row.first_ms, row.gflops) == ("outside", None, None, None)
    with pytest.raises(ValueError, match="median_ms must be absent where the verdict is outside"):
        LayerTime.model_validate(row.model_dump() | {"median_ms": 1.0})


def test_the_judge_is_asked_and_refutes_a_wrong_kernel() -> None:
    """kernel() returns its input."""
    (row,) = claims_time.timed([kernel()], claims_time.inputs(0, claims_time.Sizes(2, 70)), 2)
    assert (row.verdict, row.median_ms) == ("outside", None)


def test_our_kernels_are_not_refuted_and_timed(found: Claims) -> None:
    assert [(row.layer, row.head_dim) for row in found.times] == [("LRU", None), *(("RotRNN", N) for N in claims_flops.HEAD_DIMS)]
    assert all(row.verdict in ("within", "nearest") and row.median_ms for row in found.times)


def test_an_absent_kernel_is_not_run() -> None:
    (row,) = claims_time.timed([kernel(call=None, missing="it is away")], claims_time.inputs(0, claims_time.Sizes(1, 8)), 1)
    assert (row.verdict, row.reason, row.median_ms) == ("not run", "it is away", None)


def test_a_missing_module_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scanproof.numba_kernels.layers", None)
    monkeypatch.delattr("scanproof.numba_kernels.layers", raising=False)
    assert all(c.call is None and "cannot be imported" in c.missing for c in claims_time.contestants(0))


# ---------------------------------------------------------------- the report


def with_claims(found: Claims) -> report.RunReport:
    return empty().model_copy(update={"claims": found})


def test_every_step_is_told(found: Claims, told: list[str]) -> None:
    assert len(found.rows) == 12
    assert len(told) == claims.STEPS


def test_the_same_seed_measures_the_same(found: Claims) -> None:
    again = claims.measure(0, SMALL)
    clocked = {"seconds", "times", "rows"}
    assert again.model_dump(exclude=clocked) == found.model_dump(exclude=clocked)
    assert again.rows[:11] == found.rows[:11]


def test_claims_are_written_and_read_again(found: Claims, tmp_path: Path) -> None:
    made = with_claims(found)
    index = report.write(made, tmp_path)
    assert report.read(index.with_name("report.json")) == made
    assert sorted(path.name for path in tmp_path.iterdir()) == ["claims.html", "index.html", "report.json"]


def test_a_report_without_claims_is_what_it_was(tmp_path: Path) -> None:
    index = report.write(empty(), tmp_path)
    assert "claims" not in json.loads(index.with_name("report.json").read_text())
    assert not index.with_name("claims.html").exists()
    assert "claims.html" not in index.read_text()


def test_index_and_claims_link_to_each_other(found: Claims) -> None:
    made = with_claims(found)
    assert open_doors(page(made)) == ["claims.html"]
    assert open_doors(claims_page(made)) == ["index.html"]
    assert dangling(claims_page(made)) == ["ndex.html"]  # the only reference that is no part of the page
    with pytest.raises(ValueError, match="found no claims"):
        claims_page(empty())


def test_the_page_says_what_the_data_say(found: Claims) -> None:
    shown = Page(claims_page(with_claims(found)))
    cells, heads = shown.text("td"), shown.text("th")
    for row in found.rows:
        assert row.claim in heads
        assert row.source in heads
        assert all(line in cells for line in [*row.measured, row.criterion, row.word])
    for cost in found.costs:
        assert str(cost.flops_per_step) in cells
        assert cost.flops in cells
    for memory in found.memory:
        assert all(f"{x:.0f}" in cells for x in memory.exact + memory.drawn)
    assert all(f"{number(row.median_ms)} " in cells for row in found.times if row.median_ms)


def test_the_page_has_no_words_of_its_own(found: Claims) -> None:
    """Other data, another page: nothing is typed in."""
    row = found.rows[0].model_copy(update={"word": "fails", "measured": ["E |x|² = 97.5 <b>"]})
    text = claims_page(with_claims(found.model_copy(update={"rows": [row]})))
    assert Page(text).text("h1") == "The papers’ claims: 1 “fails”."
    assert "97.5 <b>" in Page(text).text("td")
    assert "holds" not in Page(text).text("td")


def test_curves_end_where_the_data_end(found: Claims) -> None:
    """A curve's last value is in the description of its picture."""
    text = claims_page(with_claims(found))
    described = [value for value in Page(text).values("aria-label") if "at the last point" in value]
    panels = {curve.panel for curves in (found.norms, found.decays, found.errors, found.flops) for curve in curves}
    assert len(described) == len(panels) == 7
    first, *others = found.errors
    changed = found.model_copy(update={"errors": [first.model_copy(update={"y": [*first.y[:-1], 0.0625]}), *others]})
    assert "0.0625" not in text
    assert f"{first.label}: 0.0625" in claims_page(with_claims(changed))


def test_curves_must_be_equally_long(found: Claims) -> None:
    with pytest.raises(ValueError, match="equally long"):
        type(found.errors[0]).model_validate(found.errors[0].model_dump() | {"y": [1.0]})


def test_one_head_is_as_asked() -> None:
    params = claims_runs.head((1.0, 2.0))
    assert params.M.shape == (1, 4, 4)
    assert params.theta.tolist() == [[1.0, 2.0]]
    assert claims_runs.head((0.0, 0.0)).M.tolist() == params.M.tolist() == replace(params).M.tolist()
