"""The recheck as a program: run from its own folder; other files are answered in one line."""

import ast
import functools
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from calls import scans
from witnesses import altered, array_of, content, entry, layer, recheck, written

import scanproof
from scanproof.properties.recheck import core
from scanproof.properties.witness import FIRST_EDITION
from scanproof.reference.arithmetic.declaration import Arithmetic

FOLDER = Path(core.__file__).parent
ALONE = (sys.executable, "-I", "-S", str(FOLDER))  # without site packages
CONFIRMED = "confirmed, given the recorded allowance\n"
SYSTEMS = ("expm", "lru", "rotrnn", "scan")


def scan_made():
    rng = np.random.default_rng(5)
    call = scans(*(rng.standard_normal(shape) for shape in (3, (2, 9, 3), (2, 3))))
    return content(written(call, {"h": np.full((2, 9, 3), 1e3)}, Arithmetic("float64")))


@functools.cache
def made(system):
    """A witness of every system; of layers, with two directions."""
    return {"scan": scan_made, "expm": entry}.get(system, lambda: layer(system, two=True))()


# ---------------------------------------------------------------- the program
def put(folder, found, name="w.json"):
    """A file that holds this text, these bytes or this value."""
    text = found if isinstance(found, str | bytes) else json.dumps(found)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / name


def started(folder, *command, **more):
    """What a process prints, and its exit code."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **more)
    return done.stdout, done.stderr, done.returncode


def with_mpmath(folder):
    """The command that runs a copy of the folder where nothing but mpmath can be imported."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(FOLDER, folder / "elsewhere", ignore=ignored)
    site = f"import sys, runpy; sys.path.append({str(Path(mpmath.__file__).parents[1])!r}); "
    names = ["scanproof", "numpy", "flint", "scipy"]
    barred = f"sys.modules |= dict.fromkeys({names}); "
    start = "sys.argv[:1] = []; runpy.run_path('elsewhere', run_name='__main__')"
    return sys.executable, "-I", "-S", "-c", site + barred + start, "recheck"


@pytest.mark.parametrize("system", SYSTEMS)
def test_as_a_program_without_scanproof(system, tmp_path):
    command = with_mpmath(tmp_path) if system in ("lru", "rotrnn") else ALONE
    put(tmp_path, made(system))
    assert started(tmp_path, *command, "w.json") == (CONFIRMED, "", 0)
    put(tmp_path, made(system) | {"allowance": (1e9).hex()})
    assert started(tmp_path, *command, "w.json") == (f"refuted: {core.SMALL}\n", "", 1)


def test_as_a_module_of_the_package(tmp_path):
    place = str(Path(scanproof.__file__).parents[1])
    put(tmp_path, made("expm"))
    command = (sys.executable, "-m", "scanproof.properties.recheck", "w.json")
    assert started(tmp_path, *command, env=os.environ | {"PYTHONPATH": place}) == (CONFIRMED, "", 0)


def test_without_mpmath_it_says_so(tmp_path):
    put(tmp_path, made("lru"))
    told = "recheck: w.json: system: found no mpmath, expected it installed, lru needs it\n"
    assert started(tmp_path, *ALONE, "w.json") == ("", told, 2)


@pytest.mark.parametrize("number", [0, 2])
def test_it_takes_one_file(number, tmp_path):
    told = f"recheck: found {number} files, expected one witness\n"
    assert started(tmp_path, *ALONE, *["w.json"] * number) == ("", told, 2)


def test_a_system_is_a_file_beside_the_others(tmp_path):
    """No table of names: a file that is put there is found by what the witness says."""
    shutil.copytree(FOLDER, tmp_path / "recheck")
    command = (sys.executable, "-I", "-S", "recheck", "w.json")
    put(tmp_path, made("scan") | {"system": "two-words"})
    told = "system: found 'two-words', expected one of expm, lru, rotrnn, scan"
    assert started(tmp_path, *command) == ("", f"recheck: w.json: {told}\n", 2)
    function = "def refuted(w):\n    return f'it is {w.output}'\n"
    (tmp_path / "recheck/two_words.py").write_text(function)
    assert started(tmp_path, *command) == ("refuted: it is h\n", "", 1)


@pytest.mark.parametrize(
    "system", ["core", "_values", "../scan", "Scan", "", None, "a" * 10_000, "scan\n"]
)
def test_other_files_are_no_systems(system):
    with pytest.raises(ValueError, match=r"^system: found .*, expected .*"):
        recheck(made("scan") | {"system": system})


# ---------------------------------------------------------------- files that are no witness
def refusal(path, capsys):
    """The one line with which a file is refused, by the program itself in this process."""
    before = time.process_time()
    code = core.main([str(path)])
    assert time.process_time() - before < 1
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith(f"recheck: {path}: ")
    assert len(err) < 700
    return err.removeprefix(f"recheck: {path}: ")


ALIEN = {
    "": "Expecting value",
    "{}": "schema: found None, expected 'scanproof-witness/3'",
    "[]": "witness: found [], expected an object",
    "null": "witness: found None, expected an object",
    "[" * 100_000: "file: found lists in lists without end",
    '{"a":' * 100_000: "file: found lists in lists without end",
    '{"schema": "a", "schema": "b"}': "file: found an object with one name twice",
    '{"schema": NaN}': "file: found NaN, expected JSON",
    '{"schema": ' + "9" * 10_000 + "}": "limit",
    b"\xff\xfe\x00": "codec can't decode",
}


@pytest.mark.parametrize(("text", "line"), ALIEN.items(), ids=range(len(ALIEN)))
def test_files_that_are_not_even_witnesses(text, line, tmp_path, capsys):
    assert line in refusal(put(tmp_path, text), capsys)


def test_a_truncated_witness(tmp_path, capsys):
    text = json.dumps(made("scan"))
    for left in range(1, len(text), 97):
        line = refusal(put(tmp_path, text[:left]), capsys)
        assert line.startswith(("Expecting", "Unterminated")), left


def more(group="arguments", **members):
    """A change that gives an object more members; those that are names are taken from it."""

    def change(found):
        return found | {name: found[x] if isinstance(x, str) else x for name, x in members.items()}

    return (group,), change


def each(path, line, *values):
    """The same line for several values; {} stands for the value."""
    return [(path, value, line.format(value)) for value in values]


B = ("arguments", "b")
EXPONENT, NUMERATORS = ("evidence", "exact", "exponent"), ("evidence", "exact", "numerators")
NO_NUMBERS: list[Any] = [
    *("0x1p99999", "0x1p0", "1", "", "0x", 1, 1.5, None, [], {}, "0x1" + "0" * 50, "NaN")
]
NO_HEX = "a number in the form of float.hex"
WHOLE, BOOL = "expected a whole number", "expected true or false"
AXES = "expected 1 to 5 axes and 1 to 67108864"
CHANGED = [
    (("schema",), "scanproof-witness/9",
     "schema: found 'scanproof-witness/9', expected 'scanproof-witness/3'"),
    (("more",), 1, "witness: found 'more', expected only schema"),
    (("law",), ..., "witness: found no law, expected schema"),
    (("seed",), True, f"seed: found True, {WHOLE}"),
    (("seed",), 1.0, f"seed: found 1.0, {WHOLE}"),
    (("law",), "A law", "law: found 'A law', expected text"),
    (("claim",), 3, "claim: found 3, expected text"),
    (("declaration",), {}, "declaration.dtype: found None, expected float16"),
    (("declaration",), {"dtype": []}, "declaration.dtype: found [], expected float16"),
    (("index",), [9, 9, 9], f"index: found 9, {WHOLE} from 0 to 1"),
    (("index",), [-1, 0, 0], f"index: found -1, {WHOLE} from 0 to 1"),
    (("index",), [0, 0], "index: found 2 items, expected 3"),
    (("index",), "000", "index: found '000', expected a list"),
    (("output",), "y", "output: found 'y', expected one of h"),
    (("output",), "h from constants", "output: found 'h from constants', expected 'h'"),
    (("arguments",), [], "arguments: found [], expected an object"),
    (B, None, "b: found None, expected an object"),
    (("arguments", "lam"), array_of(9, 2, 3), "b: found shape (2, 9, 3), expected"),
    (*more(reverse=1), f"reverse: found 1, {BOOL}"),
    (*more(u="b"), "u: found an array, expected only b, lam, h0"),
    (("arguments", "lam"), ..., "lam: found none, expected an array"),
    (("results",), {}, "output: found 'h', expected one of the results"),
    (("results", "h", "dtype"), "float128", "h.dtype: found 'float128', expected float16"),
    (("results", "h", "dtype"), ["float64"], "h.dtype: found ['float64'], expected float16"),
    *each((*B, "shape"), f"b.shape: found {{}}, {AXES}", [], [0, 9, 3], [1] * 6, [2**26, 2]),
    ((*B, "shape"), [10**4000], "b.shape: found 1000000"),
    ((*B, "shape"), [True], f"b.shape: found True, {WHOLE}"),
    ((*B, "shape"), [54], "b: found shape (54,), expected (batch, time, channel 3)"),
    ((*B, "data"), [], "b.data: found 0 items, expected 54"),
    *each((*B, "data", 0), "b: found {}, expected finite numbers", "inf", "-inf", "nan"),
    *each((*B, "data", 0), f"b.data: found {{!r}}, expected {NO_HEX}", *NO_NUMBERS),
    *each(("allowance",), "allowance: found {}, expected a finite number",
          "inf", "nan", (-1.0).hex()),
    (("allowance",), "0x1p99999", f"allowance: found '0x1p99999', expected {NO_HEX}"),
    (("evidence",), None, "evidence: found None, expected an object"),
    (("evidence",), {"parts": [], "rad": "0x0.0p+0"},
     "evidence: found no exact, expected exact"),
    (EXPONENT, 10**6 + 1, f"exponent: found 1000001, {WHOLE} from 0 to 1000000"),
    (EXPONENT, 10**400, "exponent: found 1000000"),
    (EXPONENT, -1, f"exponent: found -1, {WHOLE}"),
    (NUMERATORS, ["0x1", "0x1"], "numerators: found 2 items, expected 1"),
    (NUMERATORS, ["0xg"], "numerators: found '0xg', expected text of the form"),
    (NUMERATORS, ["0x" + "f" * 2**21], "numerators: found '0xffff"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "to", "line"), CHANGED, ids=range(len(CHANGED)))
def test_witnesses_that_are_refused(path, to, line, tmp_path, capsys):
    found = altered(made("scan"), *path, to=to)
    assert refusal(put(tmp_path, found), capsys).startswith(line)


@pytest.mark.parametrize("schema", FIRST_EDITION)
def test_the_first_edition_is_refused_with_the_command(schema, tmp_path, capsys):
    line = refusal(put(tmp_path, {"format": schema, "S": 1}), capsys)
    told = "a witness of the first edition, expected schema scanproof-witness/3; "
    assert line.startswith(f"format: found '{schema}', {told}run `scanproof check` again")
    assert line.endswith("with the implementation and seed that it names\n")


def scaled(units):
    return lambda data: [(float.fromhex(x) * units).hex() for x in data]


ZERO = "0x0.0p+0"
PARTS, RAD = ("evidence", "parts"), ("evidence", "rad")
REFUSED = [
    ("lru", ("arguments", "nu_log", "data", 0), (701.0).hex(),
     "nu_log: found 701.0, expected logarithms from -700.0 to 700.0"),
    ("lru", ("arguments", "theta_log", "data", 0), (2.0**100).hex(), "theta_log: found 1.26"),
    ("lru", ("arguments", "gamma_log", "data", 0), (-(2.0**100)).hex(), "gamma_log: found -1.26"),
    ("rotrnn", ("arguments", "gamma_log", "data", 0), (1024.0).hex(),
     "gamma_log: found 1024.0, expected logarithms"),
    ("rotrnn", ("arguments", "B", "data"), lambda data: [ZERO] * len(data),
     "B: found a head of zeros, expected"),
    ("rotrnn", ("arguments", "M", "shape"), [2, 8, 2],
     "theta: found shape (2, 2), expected (heads, pairs 4)"),
    ("rotrnn", ("arguments", "M"), None, "M: found None, expected an object"),
    ("rotrnn", ("arguments", "C2", "shape"), [8, 2],
     "C2: found shape (8, 2), expected (width 2, features 8)"),
    ("lru", ("arguments", "C2_im"), array_of(1), "C2_im: found shape (1,), expected"),
    ("lru", ("arguments", "C2_im"), ..., "C2_im: found none, expected an array"),
    ("lru", ("arguments", "u"), ..., "u: found none, expected an array"),
    ("lru", *more("results", z="y"),
     "z: found an array, expected only y, h, h_last, gradient nu_log"),
    ("lru", ("output",), "y from constants",
     "output: found 'y from constants', expected y or h, and constants"),
    ("lru", ("evidence",), {"exact": {}}, "evidence: found no parts, expected parts, rad"),
    ("lru", RAD, "nan", "evidence.rad: found nan, expected a finite number"),
    ("lru", RAD, "inf", "evidence.rad: found inf, expected a finite number"),
    ("lru", (*PARTS, 0, 1), "nan", "evidence.parts: found nan, expected a finite number"),
    ("lru", (*PARTS, 0), [], "evidence.parts: found 0 items, expected 2"),
    ("lru", PARTS, [], "evidence.parts: found 0 items, expected 1"),
    ("expm", ("evidence", "direction", "data", 0), "inf",
     "direction: found inf, expected finite numbers"),
    ("expm", ("evidence", "direction", "shape"), [3, 1],
     "direction: found shape (3, 1), expected (n 3)"),
    ("expm", ("arguments", "S", "shape"), [1, 9, 1],
     "S: found shape (1, 9, 1), expected (stack, n, n)"),
    ("expm", ("index",), [1, 0, 0], f"index: found 1, {WHOLE} from 0 to 0"),
    ("expm", ("arguments", "S", "data"), scaled(2.0**90), "S: found a row of"),
    ("lru", ("arguments", "u"), array_of(2, 3, 2, dtype="complex64"),
     "u: found complex numbers, expected real ones\n"),
    ("lru", ("results", "y", "data", 0), "0x1.0000000000001p+0",
     "y.data: found 0x1.0000000000001p+0, expected numbers that float32 holds\n"),
    ("lru", ("results", "y", "data", 0), (2.0**1000).hex(),
     "y.data: found 0x1.0000000000000p+1000, expected"),
]  # fmt: skip


@pytest.mark.parametrize(("system", "path", "to", "line"), REFUSED, ids=range(len(REFUSED)))
def test_other_systems_refuse_too(system, path, to, line, tmp_path, capsys):
    found = altered(made(system), *path, to=to)
    assert refusal(put(tmp_path, found), capsys).startswith(line)


def test_more_states_than_an_array_may_hold(tmp_path, capsys):
    """Small arrays that together describe a huge call."""
    n = 8400
    given = dict.fromkeys(("nu_log", "theta_log", "gamma_log"), array_of(n))
    given |= dict.fromkeys(("B_re", "B_im"), array_of(n, 1))
    given |= dict.fromkeys(("C_re", "C_im"), array_of(1, n))
    given |= {"D": array_of(1), "u": array_of(1, n, 1)}
    found = made("lru") | {"arguments": given, "results": {"y": array_of(1, n, 1)}}
    line = refusal(put(tmp_path, found | {"index": [0, 0, 0]}), capsys)
    assert line == f"h: found {n * n} states, expected 67108864 at most\n"


def test_a_file_that_is_too_large(tmp_path):
    with open(tmp_path / "large.json", "wb") as file:
        file.truncate(2**28 + 1)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    told = "file: found more than 268435456 bytes, expected that many at most"
    found = started(tmp_path, *ALONE, "large.json")
    assert found == ("", f"recheck: large.json: {told}\n", 2)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 1


def test_files_that_cannot_be_read(tmp_path, capsys):
    reasons = {
        ".": "Is a directory",
        "none\n.json": "No such file or directory",
        "a\0b": "embedded null byte",
    }
    for name, line in reasons.items():
        assert core.main([str(tmp_path / name)]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert err.endswith(f"{line}\n")


@pytest.mark.parametrize("error", [MemoryError(), ZeroDivisionError("x\ny"), RuntimeError("x")])
def test_no_error_shows_a_traceback(error, monkeypatch, tmp_path, capsys):
    def fails(w):
        raise error

    monkeypatch.setattr(core, "recheck", fails)
    assert refusal(put(tmp_path, made("scan")), capsys).startswith(type(error).__name__)


def test_an_interrupt_is_one_line(monkeypatch, capsys):
    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(core, "load", interrupted)
    assert core.main(["w.json"]) == 130
    assert capsys.readouterr().err == "recheck: interrupted\n"


@pytest.mark.parametrize("size", [-700.0, 650.0, 700.0])
@pytest.mark.parametrize(
    ("system", "name"),
    [("lru", "nu_log"), ("lru", "theta_log"), ("lru", "gamma_log"), ("rotrnn", "gamma_log")],
)
def test_logarithms_up_to_the_limit_are_computed(system, name, size):
    """Far beyond what a layer is good for: the truth changes, nothing else happens."""
    same = lambda data: [size.hex()] * len(data)  # noqa: E731
    found = altered(made(system), "arguments", name, "data", to=same)
    assert recheck(found).startswith("refuted: the recorded truth")


# ---------------------------------------------------------------- what is imported
def imported(path):
    """The modules that a file imports, its own folder's as their names after a point."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level < 2, path
            yield "." * node.level + (node.module or "")


def test_only_the_standard_library_and_mpmath_are_imported():
    for path in FOLDER.glob("*.py"):
        roots = {name.split(".")[0] for name in imported(path) if not name.startswith(".")}
        allowed = {"mpmath"} if path.stem in ("_layers", "lru", "rotrnn") else set()
        assert roots - sys.stdlib_module_names <= allowed, path


def test_the_core_knows_no_system():
    assert core.systems() == [*SYSTEMS]
    for name in ("__main__", "core", "_witness", "_values"):
        words = (FOLDER / f"{name}.py").read_text()
        assert [system for system in ("expm", "lru", "rotrnn") if system in words] == [], name
