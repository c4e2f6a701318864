"""The stand-alone recheck: confirms real witnesses, refutes altered ones, and needs nothing but Python."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scanproof.properties import recheck as module
from scanproof.properties.check import check
from scanproof.properties.recheck import recheck
from scanproof.properties.verdict import judge_inputs
from scanproof.properties.versions.scan import MUTANTS
from scanproof.properties.witness import witness
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import DTYPES
from scanproof.reference.inputs import Inputs

RNG = np.random.default_rng(5)


def drawn(dtype: str, *shape: int):
    return (RNG.standard_normal(shape) + (1j * RNG.standard_normal(shape) if dtype.startswith("complex") else 0)).astype(dtype)


def made(dtype: str, varying: bool = False, h0: bool = False, reverse: bool = False, got_nan: bool = False) -> dict:
    """A witness of a result that is off by one everywhere."""
    lam = drawn(dtype, 2, 9, 3) if varying else drawn(dtype, 3)
    inputs = Inputs(lam, drawn(dtype, 2, 9, 3), drawn(dtype, 2, 3) if h0 else None, reverse)
    got = np.full((2, 9, 3), np.nan if got_nan else 1e3, dtype)
    verdict = judge_inputs(got, inputs, Arithmetic(dtype))
    return json.loads(witness(inputs, got, verdict, "wrong", "equivalence", 0).text())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("h0", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_confirms_what_was_judged_outside(dtype, varying, h0, reverse):
    assert recheck(made(dtype, varying, h0, reverse)) == "confirmed"


def test_confirms_a_result_that_is_not_finite():
    assert recheck(made("complex64", got_nan=True)) == "confirmed"


@pytest.mark.parametrize("mutant", MUTANTS, ids=[m.name for m in MUTANTS])
def test_confirms_the_witness_of_every_mutant(mutant):
    report = check("scan", mutant.scan, arithmetic=Arithmetic("complex64"), cases=2, laws=["exact-lanes", "impulses"])
    assert recheck(json.loads(report.witness.text())) == "confirmed"


def test_refutes_altered_files():
    good = made("complex64", varying=True, h0=True)
    numerators = good["truth"]["numerators"]
    other = {**good["truth"], "numerators": [hex(int(numerators[0], 16) + 1), numerators[1]]}
    assert "truth" in recheck(good | {"truth": other})
    assert "truth" in recheck(good | {"b": {**good["b"], "data": ["0x1.0p+0"] * len(good["b"]["data"])}})
    assert "does not exceed" in recheck(good | {"allowance": (1e9).hex()})
    exact = [float(int(n, 16) / 2 ** good["truth"]["exponent"]).hex() for n in numerators]
    place = 2 * int(np.ravel_multi_index(good["index"], good["b"]["shape"]))
    honest = good["got"]["data"][:place] + exact + good["got"]["data"][place + 2 :]
    assert "does not exceed" in recheck(good | {"got": {**good["got"], "data": honest}})


def test_as_a_script_without_scanproof(tmp_path: Path):
    def run(text: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "w.json").write_text(text)
        command = [sys.executable, "-I", "-S", str(module.__file__), "w.json"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    good = made("float64")
    assert (run(json.dumps(good)).stdout, run(json.dumps(good)).returncode) == ("confirmed, given the recorded allowance\n", 0)
    assert run(json.dumps(good | {"allowance": (1e9).hex()})).returncode == 1
    newer = json.dumps(good | {"format": "scanproof-witness/9"})
    for broken in ("", "{}", json.dumps(good)[:-20], json.dumps(good | {"index": [9, 9, 9]}), newer, "[" * 100_000):
        found = run(broken)
        assert (found.returncode, found.stdout) == (2, "")
        assert found.stderr.startswith("recheck: w.json is no readable witness file")
