"""Matrix exponentials: bounds of the norm, the verdict, laws that find faults, and witnesses."""

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
from calls import case, exact

from scanproof.properties import shrink
from scanproof.properties.check import check
from scanproof.properties.domain import Domain
from scanproof.properties.files import array
from scanproof.properties.judge import judge
from scanproof.properties.laws import laws_of
from scanproof.properties.room import Draw
from scanproof.properties.systems import expm as room
from scanproof.properties.verdict import judged
from scanproof.properties.witness import contradiction, read, witness
from scanproof.reference.allowance import certificate
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.operations import UP
from scanproof.reference.call import Call, called
from scanproof.reference.systems.expm import SQUARINGS, SYSTEM, allowances, one_norms

F32, F64 = Arithmetic("float32"), Arithmetic("float64")
JAX = replace(F32, expm="jax")
FEW = Domain(states=frozenset({1, 2, 3, 4, 8}))
BY_NAME = {law.name: law for law in laws_of(room.ROOM)}
CLOSE = 2 ** 2.0 ** -(SQUARINGS + 2)  # for N = 2


@pytest.fixture(autouse=True)
def _hardly_shrunk(monkeypatch):
    """How small a failing call gets is not the question here."""
    monkeypatch.setattr(shrink, "CALLS", 40)


def call_of(S):
    return Call(SYSTEM, {"S": S})


def plane(angle, dtype="float32"):
    return call_of(np.array([[[0, angle], [-angle, 0]]], dtype))


def dense(n, norm=3.0, dtype="float32", seed=0):
    return call_of(room.dense(case("expm", dtype, {"n": n}, seed=seed, norm=norm))["S"])


def rounded_truth(call):
    """Within half a unit in the last place: SciPy in float64, rounded; itself in float64."""
    return scipy.linalg.expm(call["S"].astype(float)).astype(call["S"].dtype)


def verdict_of(P, call, arithmetic=F32):
    return judged({"P": P}, call, arithmetic)


def measured(P, call):
    """Truth and allowance of a call, and bounds of the norm of the error."""
    found = certificate.whole(call, F32)["P"]
    return found, found.norms(P)


# ---------------------------------------------------------------- the norm
KNOWN = [
    ([[3, 0], [0, 4]], 4),
    ([[0, 0], [5, 0]], 5),
    ([[3, -4], [4, 3]], 5),
    ([[0, 0], [0, 0]], 0),
]


@pytest.mark.parametrize(("E", "norm"), KNOWN)
def test_bounds_of_a_known_norm(E, norm):
    """exp 0 = I exactly, so that the error is E."""
    unit, call = 2.0**-10, call_of(np.zeros((1, 2, 2), "float32"))
    wrong = (np.eye(2) + unit * np.array(E)).astype("float32")[None]
    found, norms = measured(wrong, call)
    assert norms.low[0] <= unit * norm <= norms.high[0]
    assert unit * norm <= norms.low[0] * UP**4
    assert norms.high[0] <= unit * norm * CLOSE * UP**4
    assert found.bound[0] == 0


@pytest.mark.parametrize("n", [1, 2, 3, 8, 33])
def test_bounds_enclose_and_are_close(n):
    call, rng = dense(n), np.random.default_rng(n)
    wrong = rounded_truth(call) + rng.standard_normal((1, n, n)).astype("float32") / 64
    found, norms = measured(wrong, call)
    D = wrong.astype(float) - found.truth.head
    spectral = np.linalg.norm(D, 2, axis=(1, 2))
    slack = 1 + n * 2.0**-44  # of NumPy's norm in float64
    assert (norms.low <= spectral * slack).all()
    assert (spectral <= norms.high * slack).all()
    assert (norms.high <= norms.low * n ** 2.0 ** -(SQUARINGS + 2) * slack).all()
    x = norms.direction[0]
    assert np.linalg.norm(D[0] @ x) >= norms.low[0] * np.linalg.norm(x) / slack


# ---------------------------------------------------------------- the verdict
CALLS = [plane(1.0), plane(100.0), dense(3), dense(8, 0.05), dense(5, 50.0, "float64")]


@pytest.mark.parametrize(("factor", "word"), [(0.9, "within"), (1.1, "outside")])
@pytest.mark.parametrize("call", CALLS, ids=range(len(CALLS)))
def test_an_error_is_outside_from_the_allowance_on(call, factor, word):
    arithmetic = Arithmetic(call["S"].dtype.name)
    P, delta = rounded_truth(call), allowances(call["S"], arithmetic)[0]
    P[0, 0, -1] += factor * delta
    verdict = verdict_of(P, call, arithmetic)
    assert verdict.verdict == word
    assert verdict.grade == ("theorem given the assumed constants" if word == "outside" else None)
    assert (verdict.ratio > 1) == (word == "outside")
    assert (verdict.worst.output, verdict.worst.index[0], verdict.worst.matrix) == ("P", 0, True)
    assert (verdict.worst.allowance, sum(verdict.counts.values())) == (delta, 1)


def test_only_the_wrong_matrix_counts_and_is_shown():
    call = call_of(np.concatenate([plane(angle)["S"] for angle in (1.0, 2.0, 3.0)]))
    P = rounded_truth(call)
    P[1, 1, 0] += 0.5
    verdict = verdict_of(P, call)
    assert verdict.counts == {"outside": 1, "undecided": 0, "within": 2}
    assert verdict.worst.index == (1, 1, 0)
    assert verdict.reason.startswith("1 of 3 matrices of P exceed the allowance; ")


def test_correct_roundings_are_nearest_and_no_number_is_outside():
    call, one = plane(1.0), np.eye(3, dtype="float32")[None]
    assert verdict_of(rounded_truth(call), call).verdict == "nearest"
    assert verdict_of(np.full_like(call["S"], np.nan), call).verdict == "outside"
    zeros = call_of(np.zeros((1, 3, 3), "float32"))
    assert verdict_of(one, zeros).verdict == "nearest"
    assert verdict_of(one * np.float32(1 + 2**-23), zeros).verdict == "outside"


def test_the_class_of_jax_admits_more_and_says_little():
    call, far = plane(7.8), plane(100.0)
    P = rounded_truth(call) + np.float32(1e-3)
    assert verdict_of(P, call).verdict == "outside"
    assert verdict_of(P, call, JAX).verdict == "within"
    assert verdict_of(rounded_truth(far) + np.float32(1e-3), far, JAX).verdict == "undecided"
    assert verdict_of(P, far, JAX).verdict == "outside"  # another matrix' exponential


UNMODELLED = [{"rounding": "truncate"}, {"accumulate": "float64"}, {"operands": "tf32"}]


@pytest.mark.parametrize("words", UNMODELLED)
def test_what_is_not_modelled_is_undecided(words):
    verdict = verdict_of(np.ones((1, 2, 2), "float32"), plane(1.0), replace(F32, **words))
    ((name, word),) = words.items()
    told = f"no allowance is known for the matrix exponential with {name} {word}"
    assert (verdict.verdict, verdict.reason) == ("undecided", told)
    assert verdict.counts == {"outside": 0, "undecided": 1, "within": 0}


@pytest.mark.parametrize("words", UNMODELLED)
def test_zeros_alone_decide_nothing(words):
    """Any function with exp 0 = I is exact there, which says nothing of an unknown allowance."""
    report = check("expm", FAULTS["transposed"], dtype="float32", cases=1, **words)
    assert report.verdict == "undecided"
    assert report.reason.startswith("no allowance is known for the matrix exponential with ")


def test_judge_knows_the_system():
    call = dense(4)
    S = call["S"]
    assert judge("expm", rounded_truth(call), S=S).verdict == "nearest"
    assert judge("expm", {"P": rounded_truth(call)}, S=S).verdict == "nearest"
    verdict = judge("expm", S, S=S, arithmetic=F32)
    assert (verdict.verdict, verdict.grade) == ("outside", "theorem given the assumed constants")
    assert verdict.assumed_needed > 1
    with pytest.raises(TypeError, match=r"^got: found shape \(4, 4\) for P, expected \(1, 4, 4\)$"):
        judge("expm", S[0], S=S)
    with pytest.raises(TypeError, match=r"^lam: found another argument, expected S$"):
        judge("expm", S, S=S, lam=1)
    with pytest.raises(ValueError, match="dtype: found float16 with system expm"):
        judge("expm", S, S=S, dtype="float16")


# ---------------------------------------------------------------- laws
class Recorder:
    """A session that answers everything and remembers every call."""

    def __init__(self):
        self.calls = []

    def run(self, call, poison=False):
        self.calls.append(call)
        return {"P": call["S"]}


def drawn(arithmetic, n, norm, seed=0):
    return Draw(room.ROOM, arithmetic, Domain(), {"n": n}, {"norm": norm}, seed)


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("arithmetic", [F32, F64], ids=["float32", "float64"])
def test_laws_call_with_skew_matrices_of_the_declared_dtype(name, arithmetic):
    session, law = Recorder(), BY_NAME[name]
    for seed, visit in enumerate([*room.visits(name, Domain()), *room.visits(name, FEW)]):
        assert law.check(session, Draw(room.ROOM, arithmetic, Domain(), *visit, seed))
    for n in (1, 2, 5):
        assert law.check(session, drawn(arithmetic, n, 20.0, 3))
    for call in session.calls:
        called(SYSTEM, call.arguments, arithmetic.dtype)


def test_visits_come_just_below_the_limits_and_stay_in_the_domain():
    session = Recorder()
    for visit in room.visits("planes", Domain()):
        BY_NAME["planes"].check(session, Draw(room.ROOM, F64, Domain(), *visit))
    norms = {float(np.abs(call["S"]).max()) for call in session.calls}
    assert set(room.LIMITS) < set(room.NORMS) == norms
    visited = [visit.sizes["n"] for name in BY_NAME for visit in room.visits(name, FEW)]
    assert set(visited) <= set(FEW.states)
    large = {visit.sizes["n"] for visit in room.visits("equivalence", Domain())}
    assert large == {4, 5, 8, 16, *room.LARGE}


def test_block_rotations_have_the_norms_of_their_angles():
    S = room.turning(drawn(F64, 5, 1.0), np.array([3.0, 7.0]))["S"]
    assert sorted(np.abs(S[0]).sum(0)) == [0, 3, 3, 7, 7]
    assert one_norms(S)[0] >= 7


@pytest.mark.parametrize("norm", [0.05, 3.0, 100.0])
def test_dense_matrices_have_their_norm(norm):
    S = dense(5, norm, "float64")["S"]
    assert norm * (1 - 2.0**-50) <= one_norms(S)[0] <= norm * (1 + 2.0**-48)


def test_simpler_calls_are_calls_of_the_domain():
    call = call_of(np.concatenate([dense(4, seed=seed)["S"] for seed in (1, 2)]))
    P = rounded_truth(call)
    P[1, 0, 0] += 1
    found = [*shrink.simpler(call, room.ROOM, FEW, verdict_of(P, call).worst)]
    assert (found[0]["S"] == call["S"][1:]).all()
    assert {each.size("n") for each in found} == {2, 3, 4}
    for each in found:
        called(SYSTEM, each.arguments, "float32")


# ---------------------------------------------------------------- check
def padded(S):
    """One halving too few: a [3/3] approximant at twice the norm where it is accurate."""
    norm = np.maximum(np.abs(S).sum(1).max(1), 1e-9)
    halvings = np.maximum(np.floor(np.log2(norm / 0.5)), 0)[:, None, None]
    A, one = S / 2**halvings, np.eye(S.shape[1])
    U, V = A @ (A @ A + 60 * one), 12 * A @ A + 120 * one
    P = np.linalg.solve(V - U, V + U)
    for number in range(int(halvings.max(initial=0))):
        P = np.where(number < halvings, P @ P, P)
    return P.astype(S.dtype)


def without_first_axis(S):
    kept = np.arange(S.shape[1]) > 0
    return scipy.linalg.expm(S * kept * kept[:, None])


def cayley(S):
    one = np.eye(S.shape[1])
    return np.linalg.solve(one - S / 2, one + S / 2).astype(S.dtype)


def lost(S):
    """No number where angles are large."""
    return scipy.linalg.expm(S) * np.where(np.abs(S).max() > 50, np.nan, 1).astype(S.dtype)


FAULTS = {
    "transposed": lambda S: scipy.linalg.expm(S).swapaxes(1, 2).copy(),
    "the first axis kept": lambda S: without_first_axis(S),
    "Cayley": lambda S: cayley(S),
    "16 bits": lambda S: scipy.linalg.expm(S).astype(np.float16).astype(S.dtype),
    "one for all": lambda S: np.repeat(scipy.linalg.expm(S[:1]), len(S), 0),
    "one halving too few": lambda S: padded(S),
    "not a number": lambda S: lost(S),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scipy_obeys_every_law(dtype):
    report = check("expm", lambda S: scipy.linalg.expm(S), dtype=dtype, domain=FEW, cases=2)
    assert {law.name: law.verdict for law in report.laws} == dict.fromkeys(BY_NAME, "within")
    assert (report.verdict, report.fault, report.failure) == ("within", None, None)
    assert report.ratio <= 1
    assert report.informative == 1


@pytest.mark.parametrize("n", room.LARGE)
def test_large_matrices_of_scipy_are_within(n):
    call = dense(n, room.LIMITS[3])
    verdict = verdict_of(scipy.linalg.expm(call["S"]), call)
    assert (verdict.verdict, verdict.informative) == ("within", 1)


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_outside_with_a_witness(fault, tmp_path, monkeypatch):
    monkeypatch.setattr(shrink, "CALLS", 300)
    laws = ["planes", "equivalence"]  # those that must have been within
    report = check("expm", FAULTS[fault], arithmetic=F32, domain=FEW, cases=4, laws=laws)
    assert report.verdict == "outside"
    found = read(report.witness.write(tmp_path))
    assert found == report.witness
    assert contradiction(found, judged(found.got(), found.call(), F32)) is None
    assert found.call().size("stack") <= 2


def test_a_fault_beyond_the_class_of_jax_is_still_outside_there():
    options = {"domain": FEW, "cases": 4, "laws": ["planes", "equivalence"]}
    report = check("expm", FAULTS["Cayley"], arithmetic=JAX, **options)
    assert report.verdict == "outside"
    report = check("expm", padded, arithmetic=F32, **options)
    assert "expm jax" in report.not_refuted_under


@pytest.mark.parametrize("fault", room.FAULTS, ids=lambda fault: fault.name)
def test_the_faults_of_the_room_are_refuted(fault):
    """The suite's own measure of its power (`scanproof verify power`)."""
    for dtype in fault.dtypes:
        options = {"domain": FEW, "cases": 1, "laws": ["planes", "equivalence"]}
        assert check("expm", fault.implementation, dtype=dtype, **options).verdict == "outside"


# ---------------------------------------------------------------- witnesses
def exponential(S):
    """exp S of rational numbers and how far it may be off: its series."""
    n, terms = len(S), 40
    norm = max(sum(abs(S[i][j]) for i in range(n)) for j in range(n))
    total = [[Fraction(i == j) for j in range(n)] for i in range(n)]
    term, k = total, 0
    while True:
        k += 1
        columns = [*zip(*S, strict=True)]
        term = [[product(row, column) / k for column in columns] for row in term]
        total = [added(*rows) for rows in zip(total, term, strict=True)]
        if k > max(terms, 4 * norm):
            return total, max(abs(x) for row in term for x in row) * n


def added(one, two):
    return [a + b for a, b in zip(one, two, strict=True)]


def product(row, column):
    return sum(a * b for a, b in zip(row, column, strict=True))


def rationals(numbers, matrix):
    return [[Fraction(float(x)) for x in row] for row in array(numbers)[matrix]]


@pytest.mark.parametrize("call", [plane(5.0), dense(3, 2.0)], ids=["plane", "dense"])
def test_a_witness_is_rechecked_in_rational_numbers(call):
    P = rounded_truth(call) * np.float32(1 + 2.0**-10)
    content = witness(call, {"P": P}, verdict_of(P, call), "mine", "planes", 0)
    matrix = content.index[0]
    S, P = (rationals(each, matrix) for each in (content.arguments["S"], content.results["P"]))
    x = [Fraction(float(z)) for z in array(content.evidence.direction)]
    allowance, (truth, remainder) = Fraction(float.fromhex(content.allowance)), exponential(S)
    moved = [product(row, x) - product(right, x) for row, right in zip(P, truth, strict=True)]
    slack = remainder * len(x) * sum(map(abs, x))
    short = [max(abs(d) - slack, 0) for d in moved]
    assert sum(d * d for d in short) > allowance**2 * sum(z * z for z in x)


@pytest.mark.parametrize("row", [0, 1, -1])
def test_a_witness_points_at_its_matrix(row):
    """Each of a stack has an allowance and a direction of its own."""
    call = call_of(np.concatenate([plane(angle)["S"] for angle in (1.0, 20.0, 5.0)]))
    P = exact(call, F32)["P"]
    P[row] *= np.float32(1 + 2.0**-10)
    verdict = verdict_of(P, call)
    content = witness(call, {"P": P}, verdict, "mine", "planes", 0)
    assert content.index[0] == row % 3
    assert float.fromhex(content.allowance) == allowances(call["S"], F32)[row]
    assert contradiction(content, verdict) is None
    direction = measured(P, call)[1].direction[row]
    assert (array(content.evidence.direction) == direction).all()


# ------------------------------------------- jax, in a process of its own: it starts threads
SCRIPT = """
import json
from dataclasses import replace
import numpy as np
from scanproof.benchmarks.peers import expm as peers
from scanproof.benchmarks.peers import rotrnn as published
from scanproof.properties.check import check
from scanproof.properties.domain import Domain
from scanproof.properties.judge import judge
from scanproof.properties.verdict import judged
from scanproof.properties.witness import contradiction
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.systems import rotrnn

few = Domain(states=frozenset({2, 4}))
words = {"gain": "one-minus-square", "order": "angle-sum", "subnormals": "daz"}
kinds = [Arithmetic("float32", expm=word) for word in ("default", "jax")]
reports = [check("expm", peers.by_jax, arithmetic=kind, domain=few, cases=3) for kind in kinds]
refuted = [report.verdict == "outside" for report in reports]
found = reports[0].witness
told = contradiction(found, judged(found.got(), found.call(), kinds[0]))

params = rotrnn.init(np.random.default_rng(0), heads=1, head_dim=4, width=2, dtype=np.float32)
params.M[:] = 7.8 * np.eye(4, k=2)  # not the planes of Theta, in which an angle would not matter
given = {name: x for name, x in vars(params).items() if x is not None}
given["u"] = np.ones((1, 5, 2), np.float32)
got = published.published(**given)
declared = [replace(kind, stages="formed", **words) for kind in kinds]
layers = [judge("rotrnn", got, arithmetic=each, **given).verdict for each in declared]
print(json.dumps([refuted, told, layers]))
"""


def test_the_exponential_of_jax_is_refuted_with_a_witness_and_its_class_admits_it():
    pytest.importorskip("jax")
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    refuted, contradicted, (layer, admitted) = json.loads(done.stdout)
    assert (refuted, contradicted) == ([True, False], None)
    assert layer == "outside"
    assert admitted in ("within", "undecided")
