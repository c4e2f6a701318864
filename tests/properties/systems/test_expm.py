"""The system `expm`: bounds of the norm, the verdict, laws that find faults, and witnesses that prove them."""

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
from scanproof.properties.expm_calls import ExpmCall, checked_expm, form_fault, one_norms
from scanproof.properties.expm_laws import LAWS, LIMITS, NORMS, ExpmDraw, simpler_expm
from scanproof.properties.expm_verdict import SQUARINGS, allowances, judge_expm, measured
from scanproof.properties.strategies import Domain

from scanproof.properties.check import check
from scanproof.properties.expm_witness import expm_contradiction, expm_witness, read_expm
from scanproof.properties.judge import judge
from scanproof.properties.witness import array
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.operations import UP

F32, F64 = Arithmetic("float32"), Arithmetic("float64")
FEW = Domain(states=frozenset({1, 2, 3, 4, 8}))
BY_NAME = {law.name: law for law in LAWS}


def plane(angle, dtype="float32"):
    return ExpmCall(np.array([[[0, angle], [-angle, 0]]], dtype))


def dense(size, norm=3.0, dtype="float32", seed=0):
    return ExpmDraw(Arithmetic(dtype), Domain(), size, norm, seed).dense()


def rounded_truth(call):
    """Within half a unit in the last place: SciPy in float64, rounded; itself in float64."""
    return scipy.linalg.expm(call.S.astype(float)).astype(call.S.dtype)


# ---------------------------------------------------------------- the norm
@pytest.mark.parametrize("E", [[[3, 0], [0, 4]], [[0, 0], [5, 0]], [[3, -4], [4, 3]], [[0, 0], [0, 0]]])
def test_bounds_of_a_known_norm(E):
    """exp 0 = I exactly, so that the error is E; its norm is 4, 5, 5, 0 units."""
    unit, call = 2.0**-10, ExpmCall(np.zeros((1, 2, 2), "float32"))
    norm = unit * {4: 4, 0: 0}.get(abs(E[1][1]), 5) if E[0] != [0, 0] else unit * abs(E[1][0])
    found = measured((np.eye(2) + unit * np.array(E)).astype("float32")[None], call, F32)
    assert found.low[0] <= norm <= found.high[0]
    assert norm <= found.low[0] * UP**4
    assert found.high[0] <= norm * 2 ** 2.0 ** -(SQUARINGS + 2) * UP**4
    assert found.delta[0] == 0


@pytest.mark.parametrize("size", [1, 2, 3, 8, 33])
def test_bounds_enclose_and_are_close(size):
    call = dense(size)
    wrong = rounded_truth(call) + np.random.default_rng(size).standard_normal((1, size, size)).astype("float32") / 64
    found = measured(wrong, call, F32)
    spectral = np.linalg.norm(wrong.astype(float) - found.truth.head, 2, axis=(1, 2))
    slack = 1 + size * 2.0**-44  # of NumPy's norm in float64
    assert (found.low <= spectral * slack).all()
    assert (spectral <= found.high * slack).all()
    assert (found.high <= found.low * size ** 2.0 ** -(SQUARINGS + 2) * slack).all()


# ---------------------------------------------------------------- the verdict
@pytest.mark.parametrize(("factor", "word"), [(0.9, "within"), (1.1, "outside")])
@pytest.mark.parametrize(
    "call", [plane(1.0), plane(100.0), dense(3), dense(8, 0.05), dense(5, 50.0, "float64")], ids=lambda call: call.described()
)
def test_an_error_is_outside_from_the_allowance_on(call, factor, word):
    arithmetic = Arithmetic(call.S.dtype.name)
    got, delta = rounded_truth(call), allowances(call, arithmetic)[0]
    got[0, 0, -1] += factor * delta
    verdict = judge_expm(got, call, arithmetic)
    assert verdict.verdict == word
    assert verdict.grade == ("theorem given the assumed constants" if word == "outside" else None)
    assert (verdict.ratio > 1) == (word == "outside")
    assert verdict.worst.index[0] == 0
    assert sum(verdict.counts.values()) == 1


def test_only_the_wrong_matrix_counts_and_is_shown():
    call = ExpmCall(np.concatenate([plane(1.0).S, plane(2.0).S, plane(3.0).S]))
    got = rounded_truth(call)
    got[1, 1, 0] += 0.5
    verdict = judge_expm(got, call, F32)
    assert (verdict.counts, verdict.worst.index) == ({"outside": 1, "undecided": 0, "within": 2}, (1, 1, 0))


def test_correct_roundings_are_nearest_and_no_number_is_outside():
    call = plane(1.0)
    assert judge_expm(rounded_truth(call), call, F32).verdict == "nearest"
    assert judge_expm(np.full_like(call.S, np.nan), call, F32).verdict == "outside"
    zeros = ExpmCall(np.zeros((1, 3, 3), "float32"))
    assert judge_expm(np.eye(3, dtype="float32")[None], zeros, F32).verdict == "nearest"
    assert judge_expm(np.eye(3, dtype="float32")[None] * np.float32(1 + 2**-23), zeros, F32).verdict == "outside"


def test_the_class_of_jax_admits_more_and_says_little():
    call = plane(7.8)
    got = rounded_truth(call) + np.float32(1e-3)
    assert judge_expm(got, call, F32).verdict == "outside"
    assert judge_expm(got, call, replace(F32, expm="jax")).verdict == "within"
    far = plane(100.0)
    assert judge_expm(rounded_truth(far) + np.float32(1e-3), far, replace(F32, expm="jax")).verdict == "undecided"
    assert judge_expm(got, far, replace(F32, expm="jax")).verdict == "outside"  # another matrix' exponential


@pytest.mark.parametrize("words", [{"rounding": "truncate"}, {"accumulate": "float64"}, {"operands": "tf32"}])
def test_what_is_not_modelled_is_undecided(words):
    verdict = judge_expm(np.ones((1, 2, 2), "float32"), plane(1.0), replace(F32, **words))
    ((name, word),) = words.items()
    assert verdict.verdict == "undecided"
    assert verdict.reason == f"no allowance is known for the matrix exponential with {name} {word}, in 1 of 1 matrices"


# ---------------------------------------------------------------- arguments
BAD = [
    ("float16", np.zeros((1, 2, 2)), "dtype: found float16, expected float32 or float64"),
    ("float32", [[0.0]], "S: found list, expected a NumPy array"),
    ("float32", np.zeros((1, 2, 2)), "S: found dtype float64, expected float32, the declared arithmetic"),
    ("float64", np.zeros((2, 2)), "S: found shape (2, 2), expected (stack, n, n) with stack, n >= 1"),
    ("float64", np.zeros((1, 2, 3)), "S: found shape (1, 2, 3), expected (stack, n, n) with stack, n >= 1"),
    ("float64", np.zeros((0, 2, 2)), "S: found shape (0, 2, 2), expected (stack, n, n) with stack, n >= 1"),
    ("float64", np.zeros((1, 0, 0)), "S: found shape (1, 0, 0), expected (stack, n, n) with stack, n >= 1"),
    ("float64", np.eye(2)[None], "S: found 1.0 at index (0, 0, 0) and 1.0 at (0, 0, 0), expected finite and skew"),
    ("float64", np.triu(np.ones((1, 2, 2)), 1), "S: found 1.0 at index (0, 0, 1) and 0.0 at (0, 1, 0), expected finite and skew"),
    ("float64", np.full((1, 1, 1), np.nan), "S: found nan at index (0, 0, 0) and nan at (0, 0, 0), expected finite and skew"),
]


@pytest.mark.parametrize(("dtype", "S", "message"), BAD)
def test_arguments_are_refused_in_one_line(dtype, S, message):
    with pytest.raises((TypeError, ValueError)) as error:
        checked_expm(dtype, S)
    assert str(error.value) == message


def test_the_form_of_results():
    call = checked_expm("float32", plane(1.0).S)
    assert form_fault(call.S, call, F32) is None
    assert form_fault(1.0, call, F32) == "got: found float, expected a NumPy array"
    assert form_fault(call.S[0], call, F32) == "got: found shape (2, 2), expected (1, 2, 2), the shape of S"
    assert form_fault(call.S * 1.0e0, call, F64) == "got: found dtype float32, expected float64, the declared arithmetic"


def test_a_call_is_made_with_a_copy():
    call = plane(1.0)
    call.keywords()["S"][:] = 7
    assert (call.S == plane(1.0).S).all()
    assert (call.required, call.described()) == ({"S"}, "S (1, 2, 2) with norm 1")


# ---------------------------------------------------------------- laws
class Recorder:
    """A session that answers everything and remembers every call."""

    def __init__(self):
        self.calls = []

    def run(self, call, poison=False):
        self.calls.append(call)
        return call.S


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("arithmetic", [F32, F64], ids=["float32", "float64"])
def test_laws_call_with_skew_matrices_of_the_declared_dtype(name, arithmetic):
    session, law = Recorder(), BY_NAME[name]
    for seed, visit in enumerate([*law.visits(Domain()), *law.visits(FEW)]):
        assert law.check(session, ExpmDraw(arithmetic, Domain(), *visit, seed=seed))
    for size in (1, 2, 5):
        assert law.check(session, ExpmDraw(arithmetic, Domain(), size, 20.0, seed=3))
    for call in session.calls:
        checked_expm(arithmetic.dtype, call.S)


def test_visits_come_just_below_the_limits_and_stay_in_the_domain():
    session = Recorder()
    for visit in BY_NAME["planes"].visits(Domain()):
        BY_NAME["planes"].check(session, ExpmDraw(F64, Domain(), *visit))
    norms = {float(np.abs(call.S).max()) for call in session.calls}
    assert set(LIMITS) < set(map(float, NORMS)) == norms
    assert {visit.size for law in LAWS for visit in law.visits(FEW)} <= set(FEW.states)


def test_block_rotations_have_the_norms_of_their_angles():
    call = ExpmDraw(F64, Domain(), 5, 1.0).turning(np.array([3.0, 7.0]))
    assert sorted(np.abs(call.S[0]).sum(0)) == [0, 3, 3, 7, 7]
    assert one_norms(call.S)[0] >= 7


def test_simpler_calls_are_calls_of_the_domain():
    call = ExpmCall(np.concatenate([dense(4, seed=1).S, dense(4, seed=2).S]))
    found = list(simpler_expm(call, FEW, (1, 0, 0)))
    assert (found[0].S == call.S[1:]).all()
    assert {each.S.shape[1] for each in found} == {2, 3, 4}
    for each in found:
        checked_expm("float32", each.S)


# ---------------------------------------------------------------- check
def padded(S):
    """One halving too few: a [3/3] approximant, scaled to twice the norm at which it is accurate."""
    halvings = np.maximum(np.floor(np.log2(np.maximum(np.abs(S).sum(1).max(1), 1e-9) / 0.5)), 0)[:, None, None]
    A, one = S / 2**halvings, np.eye(S.shape[1])
    U, V = A @ (A @ A + 60 * one), 12 * A @ A + 120 * one
    P = np.linalg.solve(V - U, V + U)
    for number in range(int(halvings.max(initial=0))):
        P = np.where(number < halvings, P @ P, P)
    return P.astype(S.dtype)


FAULTS = {
    "transposed": lambda S: scipy.linalg.expm(S).swapaxes(1, 2).copy(),
    "the first axis kept": lambda S: scipy.linalg.expm(S * (np.arange(S.shape[1]) > 0) * (np.arange(S.shape[1]) > 0)[:, None]),
    "Cayley": lambda S: np.linalg.solve(np.eye(S.shape[1]) - S / 2, np.eye(S.shape[1]) + S / 2).astype(S.dtype),
    "16 bits": lambda S: scipy.linalg.expm(S).astype(np.float16).astype(S.dtype),
    "one for all": lambda S: np.repeat(scipy.linalg.expm(S[:1]), len(S), 0),
    "one halving too few": padded,
    "not a number": lambda S: scipy.linalg.expm(S) * np.where(np.abs(S).max() > 50, np.nan, 1).astype(S.dtype),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scipy_obeys_every_law(dtype):
    report = check("expm", lambda S: scipy.linalg.expm(S), arithmetic=Arithmetic(dtype), cases=3)
    assert {law.name: law.verdict for law in report.laws} == dict.fromkeys(BY_NAME, "within")
    assert (report.verdict, report.fault, report.failure) == ("within", None, None)
    assert report.ratio <= 1
    assert report.informative == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_outside_with_a_witness(fault, tmp_path):
    function = FAULTS[fault]
    report = check("expm", lambda S: function(S), arithmetic=F32, domain=FEW, cases=4)
    assert report.verdict == "outside"
    read = read_expm(report.witness.write(tmp_path))
    assert read == report.witness
    assert expm_contradiction(read) is None
    assert len(read.inputs().S) <= 2


def test_a_fault_beyond_the_class_of_jax_is_still_outside_there():
    report = check("expm", lambda S: FAULTS["Cayley"](S), arithmetic=replace(F32, expm="jax"), domain=FEW, cases=4)
    assert report.verdict == "outside"
    report = check("expm", lambda S: padded(S), arithmetic=F32, domain=FEW, cases=4)
    assert "expm jax" in report.not_refuted_under


def test_judge_knows_the_system():
    call = dense(4)
    assert judge("expm", rounded_truth(call), S=call.S).verdict == "nearest"
    verdict = judge("expm", call.S, S=call.S, arithmetic=F32)
    assert (verdict.verdict, verdict.grade) == ("outside", "theorem given the assumed constants")
    assert verdict.assumed_needed > 1
    with pytest.raises(TypeError, match=r"got: found shape \(4, 4\), expected \(1, 4, 4\), the shape of S"):
        judge("expm", call.S[0], S=call.S)
    with pytest.raises(TypeError, match=r"lam: found another argument, expected S"):
        judge("expm", call.S, S=call.S, lam=1)


# ---------------------------------------------------------------- witnesses
def exponential(S):
    """exp S of rational numbers and how far it may be off: S / 2^k by its series, squared k times."""
    n, terms = len(S), 40
    norm = max(sum(abs(S[i][j]) for i in range(n)) for j in range(n))
    total = [[Fraction(i == j) for j in range(n)] for i in range(n)]
    term, k = total, 0
    while True:
        k += 1
        term = [[sum(term[i][m] * S[m][j] for m in range(n)) / k for j in range(n)] for i in range(n)]
        total = [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(total, term, strict=True)]
        if k > max(terms, 4 * norm):
            return total, max(abs(x) for row in term for x in row) * n


@pytest.mark.parametrize("call", [plane(5.0), dense(3, 2.0)], ids=["plane", "dense"])
def test_a_witness_is_rechecked_in_rational_numbers(call):
    got = rounded_truth(call) * np.float32(1 + 2.0**-10)
    content = expm_witness(call, got, judge_expm(got, call, F32), "mine", "planes", 0)
    S, P = ([[Fraction(float(x)) for x in row] for row in array(each)[content.matrix]] for each in (content.S, content.got))
    x, allowance = [Fraction(float(z)) for z in array(content.direction)], Fraction(float.fromhex(content.allowance))
    truth, remainder = exponential(S)
    D = [sum((p - t) * z for p, t, z in zip(*rows, x, strict=True)) for rows in zip(P, truth, strict=True)]
    slack = remainder * len(x) * sum(map(abs, x))
    short = [max(abs(d) - slack, 0) for d in D]
    assert sum(d * d for d in short) > allowance**2 * sum(z * z for z in x)


def test_a_witness_that_was_altered_is_refused(tmp_path):
    call = plane(5.0)
    got = call.S * 2
    content = expm_witness(call, got, judge_expm(got, call, F32), "mine", "planes", 0)
    path = content.write(tmp_path)
    assert expm_contradiction(content.model_copy(update={"allowance": (1e-9).hex()})) == (
        f"its allowance is 1e-09, and that of its call {float.fromhex(content.allowance):.3g}"
    )
    right = rounded_truth(call)
    assert "claims `outside`" in expm_contradiction(content.model_copy(update={"got": content.got.model_copy(
        update={"data": [float(x).hex() for x in right.reshape(-1)]})}))  # fmt: skip
    for key, value in (("matrix", 1), ("law", "No Law"), ("allowance", "0.5"), ("system", "scan")):
        path.write_text(json.dumps(json.loads(content.text()) | {key: value}))
        with pytest.raises(ValueError, match="witness: "):
            read_expm(path)
    with pytest.raises(ValueError, match="witness: cannot read"):
        read_expm(tmp_path / "none.json")
    with pytest.raises(ValueError, match="verdict: found 'nearest', expected 'outside'"):
        expm_witness(call, right, judge_expm(right, call, F32), "mine", "planes", 0)


# ---------------------------------------------------------------- jax, in a process of its own: it starts threads
SCRIPT = """
import json
import jax, numpy as np
from scanproof.benchmarks import jax_layers
from scanproof.properties.check import check
from scanproof.properties.expm_witness import expm_contradiction
from scanproof.properties.layer_calls import LayerCall, received
from scanproof.properties.layer_verdict import judge_call
from scanproof.properties.strategies import Domain
from scanproof.reference import rotrnn
from scanproof.reference.arithmetic.declaration import Arithmetic

def expm(S):
    return np.asarray(jax.vmap(jax.scipy.linalg.expm)(S))

few, words = Domain(states=frozenset({2, 4})), {"gain": "one-minus-square", "order": "angle-sum", "subnormals": "daz"}
kinds = [Arithmetic("float32", expm=word) for word in ("default", "jax")]
reports = [check("expm", expm, arithmetic=kind, domain=few, cases=3) for kind in kinds]
params = rotrnn.init(np.random.default_rng(0), heads=1, head_dim=4, width=2, dtype=np.float32)
params.M[:] = 7.8 * np.eye(4, k=2)  # planes (1, 3) and (2, 4), and not those of Theta, in which an angle would not matter
u = np.ones((1, 5, 2), np.float32)
call = LayerCall("rotrnn", params, u)
got = received(jax_layers.rotrnn(**call.keywords()))
layers = [judge_call(got, call, Arithmetic("float32", expm=word, stages="formed", **words)).verdict for word in ("default", "jax")]
refuted = [report.verdict == "outside" for report in reports]
print(json.dumps([refuted, expm_contradiction(reports[0].witness), layers]))
"""


def test_the_exponential_of_jax_is_refuted_with_a_witness_and_its_class_admits_it():
    pytest.importorskip("jax")
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    refuted, contradiction, (layer, admitted) = json.loads(done.stdout)
    assert (refuted, contradiction) == ([True, False], None)
    assert layer == "outside"
    assert admitted in ("within", "undecided")


@pytest.mark.parametrize("words", [{"operands": "tf32"}, {"rounding": "truncate"}, {"accumulate": "float64"}])
def test_zeros_alone_decide_nothing(words):
    """Any function with exp 0 = I is exact there; where no allowance is known, that says nothing."""
    report = check("expm", lambda S: np.swapaxes(scipy.linalg.expm(S), 1, 2).copy(), arithmetic=Arithmetic("float32", **words), cases=3)
    assert report.verdict == "undecided"
