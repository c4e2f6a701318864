"""`scanproof judge`: recorded calls of every system, and witnesses."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401  NumPy knows bfloat16 from here on
import numpy as np
import pytest
from calls import bare, drawn
from commands import call, one_line

from scanproof.cli.recorded import keys, read
from scanproof.properties.implementation import InProcess
from scanproof.properties.systems import room_of
from scanproof.properties.verdict import judged
from scanproof.properties.witness import FIRST_EDITION
from scanproof.reference.allowance.certificate import whole
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call, called
from scanproof.reference.systems import SYSTEMS

ACCEPTED = ("within", "nearest")


def recorded(dtype: str = "float32") -> dict[str, Any]:
    rng = np.random.default_rng(0)
    lam, b = rng.uniform(0.5, 1, 3).astype(dtype), rng.standard_normal((2, 40, 3)).astype(dtype)
    h = np.zeros_like(b)
    for t in range(40):
        h[:, t] = lam * (h[:, t - 1] if t else 0) + b[:, t]
    return {"lam": lam, "b": b, "got": h}


def test_judge_recorded(folder: Path) -> None:
    arrays = recorded()
    np.savez(folder / "run.npz", **arrays)
    assert call("judge", "run.npz", "--quiet").stdout.strip() == "within"
    arrays["got"][1, 30, 2] *= np.float32(1.001)
    np.savez(folder / "run.npz", **arrays)
    result = call("judge", "run.npz", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["worst"]["index"] == [1, 30, 2]
    assert found["counts"]["outside"] == 1


def test_judge_recorded_bfloat16(folder: Path) -> None:
    """NumPy stores bfloat16 as two plain bytes, so the dtype has to be said."""
    ones = np.ones(1).astype("bfloat16")
    b = np.array([1, 2, 3], "bfloat16").reshape(1, 3, 1)
    arrays: dict[str, Any] = {"lam": ones, "b": b, "got": np.array([1, 3, 6], "bfloat16").reshape(1, 3, 1), "h0": 0 * b[:, 0]}
    np.savez(folder / "run.npz", **arrays)
    with np.load(folder / "run.npz") as stored:
        assert stored["b"].dtype == np.dtype("V2")
    result = call("judge", "run.npz", "--dtype", "bfloat16", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["verdict"], found["arithmetic"]["dtype"], found["rounded"]) == (0, "nearest", "bfloat16", 1)
    assert "expected --dtype bfloat16" in one_line(call("judge", "run.npz"))
    assert "expected float16" in one_line(call("judge", "run.npz", "--dtype", "float16"))
    arrays["got"][0, 2, 0] = 7
    np.savez(folder / "run.npz", **{name: x.view(np.uint16) for name, x in arrays.items()})
    words = ("--accumulate", "float32", "--order", "sequential", "--store", "step")
    result = call("judge", "run.npz", "--dtype", "bfloat16", *words)
    assert result.exit_code == 1
    assert "at h[batch 0, time 2, channels 0]: got 7.0, truth 6.0" in result.stdout
    assert "as bfloat16, gradual subnormals, any contraction, order sequential, accumulate float32, store step" in result.stdout


def test_a_header_that_claims_too_much_is_one_line(folder: Path) -> None:
    np.savez(folder / "run.npz", **recorded())
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**5, 10**5, 10**5)})
    with zipfile.ZipFile(folder / "run.npz", "a") as file:
        file.writestr("h0.npy", header.getvalue())
    assert "does not fit in memory" in one_line(call("judge", "run.npz"))


def test_judge_refuses_bad_files(folder: Path) -> None:
    arrays = recorded()
    for change, message in [
        ({"extra": np.zeros(1)}, "expected lam, b with h (or got), and at most h0, reverse"),
        ({"got": arrays["got"][:, :-1]}, "got: found shape (2, 39, 3) for h, expected (2, 40, 3)"),
        ({"lam": arrays["lam"].astype(float)}, "lam: found dtype float64, expected float32"),
        ({"b": np.full_like(arrays["b"], np.nan)}, "b: found nan at index (0, 0, 0), expected finite numbers"),
        ({"reverse": np.array(1.5)}, "reverse: found float64"),
        ({"got": np.array([{}], dtype=object)}, "no .npz of plain arrays"),
    ]:
        np.savez(folder / "run.npz", **(arrays | change))
        result = call("judge", "run.npz")
        assert message in one_line(result)
        assert result.exit_code == 2


def test_an_altered_witness_is_refused(folder: Path) -> None:
    call("check", "scans.py:scaled", "--dtype", "float64", "--cases", "1", "--law", "integer-cases", "--quiet")
    (file,) = (folder / "build" / "witness").iterdir()
    content = json.loads(file.read_text())
    got, b, exact = content["results"]["h"], content["arguments"]["b"], content["evidence"]["exact"]
    numerators = [hex(int(n, 16) + 1) for n in exact["numerators"]]
    ones = {**b, "data": ["0x1.0000000000000p+0"] * len(b["data"])}
    for change, message in [
        ({"evidence": {"exact": {**exact, "numerators": numerators}}}, "its truth is not that of its call"),
        ({"allowance": "0x1.0000000000000p-9"}, "its allowance is 0.00195, and that of its call 0"),
        ({"arguments": {**content["arguments"], "b": ones}}, "its truth is not"),
        ({"results": {"h": {**got, "shape": [1]}}}, "witness:"),
        ({"schema": "scanproof-witness/9"}, "expected scanproof-witness/3"),
    ]:
        (folder / "w.json").write_text(json.dumps(content | change))
        result = call("judge", "w.json")
        assert message in one_line(result)
        assert result.exit_code == 2
    (folder / "w.json").write_text(file.read_text()[:-30])
    assert call("judge", "w.json").exit_code == 2
    assert call("judge", str(file)).exit_code == 1


@pytest.mark.parametrize("edition", FIRST_EDITION)
def test_a_witness_of_the_first_edition_is_refused_with_the_command_that_makes_a_new_one(folder: Path, edition: str) -> None:
    (folder / "w.json").write_text(json.dumps({"format": edition, "system": "scan"}))
    told = one_line(call("judge", "w.json"))
    assert f"found {edition}, which this version no longer reads, expected scanproof-witness/3: run `scanproof check` again" in told


def answers(asked: Call, dtype: str) -> dict[str, Any]:
    """What an honest implementation returns."""
    room = room_of(asked.system)
    got = InProcess(room.honest, Arithmetic(dtype)).call(asked)
    assert got is not None
    return got


def save(file: Path, asked: Call, got: dict[str, Any]) -> None:
    """The call and its results under the keys of docs/contract.md."""
    np.savez(file, **asked.keywords(), **{name.replace(" ", "_"): x for name, x in got.items()})


@pytest.mark.parametrize("bars", [False, True], ids=["results", "gradients"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_recorded_calls_of_every_system_are_read_and_judged(folder: Path, system: str, bars: bool) -> None:
    """Each of the results, under its name; each is judged, since one that is wrong is outside."""
    known = SYSTEMS[system]
    more = {"start": True, "reverse": True} if known.timed else {}
    asked = drawn(system, bars=bars and bool(known.gradients), **more)
    got = answers(asked, "float32")
    save(folder / "run.npz", asked, got)
    content = read(folder / "run.npz", known)
    assert content.dtype == "float32"
    assert content.arguments.keys() == asked.keywords().keys()
    assert {name: x.tobytes() for name, x in content.results.items()} == {name: x.tobytes() for name, x in got.items()}
    assert call("judge", "run.npz", "--system", system, "--quiet").stdout.strip() in ACCEPTED
    for name, x in got.items():
        save(folder / "run.npz", asked, {**got, name: x + x.dtype.type(1)})
        content = read(folder / "run.npz", known)
        again = called(known, content.arguments, content.dtype)
        assert judged(content.results, again, Arithmetic(content.dtype)).verdict == "outside", name


@pytest.mark.parametrize("system", SYSTEMS)
def test_got_is_the_first_result_and_arguments_may_have_no_batch_axis(folder: Path, system: str) -> None:
    asked = drawn(system)
    first, x = next(iter(answers(asked, "float32").items()))
    if "[batch]" in SYSTEMS[system].result[first].axes:
        asked, x = bare(asked), x[0]
    np.savez(folder / "run.npz", **asked.keywords(), got=x)
    assert read(folder / "run.npz", SYSTEMS[system]).results.keys() == {first}
    assert call("judge", "run.npz", "--system", system, "--quiet").stdout.strip() in ACCEPTED
    np.savez(folder / "run.npz", **asked.keywords(), got=x, **{first: x})
    told = one_line(call("judge", "run.npz", "--system", system))
    assert told == f"scanproof: file: found {first} and got for it in run.npz, expected one of them"


def test_constants_that_are_shown_are_judged_too(folder: Path) -> None:
    for system in SYSTEMS.values():
        for name in system.exposed:
            assert keys(system)[f"constant_{name}"] == f"constant {name}"
    asked = drawn("lru", "float64")
    got = answers(asked, "float64")
    gamma = np.exp(asked["gamma_log"])
    save(folder / "run.npz", asked, {"y": got["y"], "constant gamma": gamma})
    assert call("judge", "run.npz", "--system", "lru", "--quiet").stdout.strip() in ACCEPTED
    save(folder / "run.npz", asked, {"y": got["y"], "constant gamma": gamma * 2})
    assert call("judge", "run.npz", "--system", "lru", "--quiet").exit_code == 1


@pytest.mark.parametrize("other", SYSTEMS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_file_of_another_system_is_refused_with_that_system(folder: Path, system: str, other: str) -> None:
    asked = drawn(system)
    save(folder / "run.npz", asked, answers(asked, "float32"))
    if system != other:
        told = one_line(call("judge", "run.npz", "--system", other))
        assert told.endswith(f"; --system {system} has arguments of these names"), told


@pytest.mark.parametrize("system", SYSTEMS)
def test_names_that_are_missing_are_told(folder: Path, system: str) -> None:
    asked = drawn(system)
    save(folder / "run.npz", asked, {})
    results = " or ".join(SYSTEMS[system].result)
    assert f"file: found no {results} in run.npz, expected " in one_line(call("judge", "run.npz", "--system", system))
    np.savez(folder / "run.npz")
    assert "file: found nothing in run.npz, expected " in one_line(call("judge", "run.npz", "--system", system))
    save(folder / "run.npz", asked, {"gradient nonsense": np.ones(1)})
    assert "file: found unknown gradient_nonsense in run.npz" in one_line(call("judge", "run.npz", "--system", system))


def test_what_needs_an_undeclared_word_is_undecided_and_says_which(folder: Path) -> None:
    """An error between the allowance of programs that write their drive to memory and that of any program."""
    given = {"nu_log": [-12], "theta_log": [-30], "gamma_log": [0], "B_re": [[1, 1]], "B_im": [[0, 0]], "C_re": [[1], [1]],
             "C_im": [[0], [0]], "D": [0, 0], "u": [[1, 2**-10 - 1]] * 64}  # fmt: skip
    asked = called(SYSTEMS["lru"], {name: np.array(x, "float32") for name, x in given.items()}, "float32")
    loose, tight = (whole(asked, Arithmetic("float32", stages=stages))["y"] for stages in (None, "formed"))
    y = loose.truth.head.astype("float32")
    y[-1, 0] += (loose.bound[-1, 0] + tight.bound[-1, 0]) / 2
    save(folder / "run.npz", asked, {"y": y})
    result = call("judge", "run.npz", "--system", "lru")
    assert result.exit_code == 3
    assert result.stdout.startswith("undecided: 1 of 128 elements of y exceed the allowance; proved unless your program fuses b or h")
    assert "at y[time 63, width 0]: got " in result.stdout
    assert "outside if declared     stages formed (--stages formed)" in result.stdout
    declared = call("judge", "run.npz", "--system", "lru", "--stages", "formed")
    assert (declared.exit_code, "outside if declared" in declared.stdout) == (1, False)
    assert "still outside as        float32, " in declared.stdout
    assert call("judge", "run.npz", "--system", "lru", "--stages", "any").exit_code == 3
