"""The stand-alone recheck of matrix exponentials: confirms real witnesses, refutes altered ones, needs nothing but Python."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import flint
import numpy as np
import pytest

from scanproof.properties import recheck, recheck_expm
from scanproof.properties.check import check
from scanproof.properties.expm_calls import ExpmCall
from scanproof.properties.expm_laws import ExpmDraw
from scanproof.properties.expm_verdict import allowances, judge_expm, measured
from scanproof.properties.expm_witness import expm_witness
from scanproof.properties.strategies import Domain
from scanproof.reference.arithmetic import Arithmetic

PROGRAM = Path(recheck_expm.__file__)


def drawn(size=3, norm=3.0, dtype="float32", stack=1):
    """A call, its exponential rounded, and the allowance of its last matrix."""
    arithmetic = Arithmetic(dtype)
    call = ExpmDraw(arithmetic, Domain(), size, norm, seed=3).dense(stack)
    return call, measured(call.S, call, arithmetic).truth.head.astype(dtype), allowances(call, arithmetic)[-1]


def made(size=3, norm=3.0, dtype="float32", stack=1):
    """A witness of an exponential with one entry of its last matrix off by a little more than the allowance."""
    arithmetic, (call, got, allowance) = Arithmetic(dtype), drawn(size, norm, dtype, stack)
    got[-1, 0, -1] += 1.1 * allowance
    return json.loads(expm_witness(call, got, judge_expm(got, call, arithmetic), "wrong", "planes", 0).text())


def altered(witness, name, change):
    """A list of numbers with one of them changed."""
    data = list(witness[name]["data"])
    place = len(data) - 2
    data[place] = change(float.fromhex(data[place])).hex()
    return witness | {name: witness[name] | {"data": data}}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("size", "norm"), [(2, 0.05), (2, 100.0), (3, 3.0), (16, 50.0)])
@pytest.mark.parametrize("stack", [1, 3])
def test_confirms_what_was_judged_outside(dtype, size, norm, stack):
    assert recheck_expm.recheck(made(size, norm, dtype, stack)) == "confirmed"


def test_confirms_a_result_that_is_not_finite_and_a_wrong_identity():
    arithmetic, call = Arithmetic("float32"), ExpmCall(np.zeros((1, 2, 2), "float32"))
    for got in (np.full((1, 2, 2), np.nan, "float32"), np.eye(2, dtype="float32")[None] * np.float32(1 + 2.0**-23)):
        content = expm_witness(call, got, judge_expm(got, call, arithmetic), "wrong", "zero", 0)
        assert recheck_expm.recheck(json.loads(content.text())) == "confirmed"


def test_confirms_the_witness_of_a_search():
    """A Cayley transform is orthogonal, too."""
    def cayley(S):
        one = np.eye(S.shape[1])
        return np.linalg.solve(one - S / 2, one + S / 2).astype(S.dtype)

    report = check("expm", cayley, arithmetic=Arithmetic("float32"), cases=2, laws=["planes", "equivalence"])
    assert recheck_expm.recheck(json.loads(report.witness.text())) == "confirmed"


def test_refutes_altered_files():
    good = made()
    small = "refuted: the error does not exceed the allowance"
    assert recheck_expm.recheck(good | {"allowance": (1.2 * float.fromhex(good["allowance"])).hex()}) == small
    assert recheck_expm.recheck(altered(good, "S", lambda x: x + 1)) == "refuted: S is not skew"
    assert recheck_expm.recheck(good | {"direction": good["direction"] | {"data": [(0.0).hex()] * 3}}) == small
    honest = good["got"] | {"data": [float(x).hex() for x in drawn()[1].ravel()]}
    assert recheck_expm.recheck(good | {"got": honest}) == small
    other = good["S"] | {"data": [(-float.fromhex(x)).hex() for x in good["S"]["data"]]}  # skew, and P^ is not its exponential
    assert recheck_expm.recheck(good | {"S": other, "got": honest}) == "confirmed"


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_one_allowance_decides(factor):
    """An error of one plane, in the direction of an axis: half and twice the allowance are told apart."""
    good = made(2, 1.0)
    P = [Fraction(float.fromhex(x)) for x in good["got"]["data"]]
    with flint.ctx.workprec(400):
        angle = flint.arb(flint.fmpq(*Fraction(float.fromhex(good["S"]["data"][1])).as_integer_ratio()))
        exact = [angle.cos(), angle.sin(), -angle.sin(), angle.cos()]
        apart = max(float(abs(flint.arb(flint.fmpq(*p.as_integer_ratio())) - e)) for p, e in zip(P, exact, strict=True))
    along = good | {"direction": good["direction"] | {"data": [(0.0).hex(), (1.0).hex()]}, "allowance": (factor * apart).hex()}
    assert (recheck_expm.recheck(along) == "confirmed") == (factor < 1)


@pytest.mark.parametrize("norm", [0.0, 1e-3, 7.0, 300.0])
def test_the_series_is_as_good_as_it_says(norm):
    exact, rest = recheck_expm.exponential([[Fraction(0), Fraction(norm)], [Fraction(-norm), Fraction(0)]], [Fraction(1), Fraction(0)])
    with flint.ctx.workprec(600):
        true = flint.arb(norm).cos(), -flint.arb(norm).sin()
        for found, t in zip(exact, true, strict=True):
            apart = abs(flint.arb(flint.fmpq(*found.as_integer_ratio())) - t)
            assert apart.lower() <= flint.arb(flint.fmpq(*rest.as_integer_ratio()))
    assert rest <= Fraction(2) ** -recheck_expm.BITS
    with pytest.raises(ValueError, match=r"S: found a row of absolute sum 1e\+09, expected 1024 at most"):
        recheck_expm.exponential([[Fraction(0), Fraction(10**9)], [Fraction(-(10**9)), Fraction(0)]], [Fraction(1), Fraction(0)])


def run(program: Path, folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "w.json").write_text(text)
    command = [sys.executable, "-I", "-S", str(program), "w.json"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_as_a_script_without_scanproof(tmp_path: Path):
    good = made()
    found = run(PROGRAM, tmp_path, json.dumps(good))
    assert (found.stdout, found.returncode) == ("confirmed, given the recorded allowance\n", 0), found.stderr
    assert run(PROGRAM, tmp_path, json.dumps(good | {"allowance": (1e9).hex()})).returncode == 1
    newer = json.dumps(good | {"format": "scanproof-expm-witness/9"})
    for broken in ("", "{}", "[]", json.dumps(good)[:-20], json.dumps(good | {"matrix": "x"}), newer, "[" * 100_000):
        found = run(PROGRAM, tmp_path, broken)
        assert (found.returncode, found.stdout) == (2, ""), broken[:40]
        assert found.stderr.startswith("recheck_expm: w.json is no readable witness file")
        assert found.stderr.count("\n") == 1


FORMATS = {"recheck.py": "scanproof-witness/2", "recheck_layer.py": "scanproof-layer-witness/1", "recheck_expm.py": "scanproof-expm-witness/1"}


@pytest.mark.parametrize("program", FORMATS)
@pytest.mark.parametrize("of", FORMATS)
def test_each_program_names_the_one_that_reads_the_others_files(program, of, tmp_path):
    (tmp_path / "w.json").write_text(json.dumps({"format": FORMATS[of], "system": "?"}))
    command = [sys.executable, str(Path(recheck.__file__).with_name(program)), str(tmp_path / "w.json")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout, found.stderr.count("\n")) == (2, "", 1)
    assert (f"{of} reads that" in found.stderr) == (of != program), found.stderr
    found = subprocess.run(command[:2], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (2, f"{program[:-3]}: found 0 files, expected one witness\n")


def test_only_the_standard_library_is_imported():
    lines = PROGRAM.read_text().splitlines()
    assert [line.split()[1] for line in lines if line.lstrip().startswith(("import ", "from "))] == ["json", "math", "sys", "fractions", "typing"]
