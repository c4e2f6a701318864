"""Implementations in a process of their own: every way to fail gives one line and leaves no process behind."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from scanproof.properties.strategies import Domain

from scanproof.properties import worker
from scanproof.properties.check import check
from scanproof.properties.implementation import POISON_STEPS, Fault, InProcess
from scanproof.properties.worker import Worker, load, parse_target
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Inputs
from scanproof.reference.transitions.diagonal import scan

HERE = Path(__file__).parent / "implementations"
FLOAT32 = Arithmetic("float32")
B = np.arange(1, 7, dtype="float32").reshape(1, 3, 2)
INPUTS = Inputs(np.array([0.5, 2], "float32"), B)
FULL = Inputs(INPUTS.lam, B, np.ones((1, 2), "float32"), reverse=True)
STATES = scan(INPUTS.lam, B)


@pytest.fixture
def start():
    """Starts workers and checks that their processes are gone after `close`."""
    workers = []

    def started(target, arithmetic=FLOAT32):
        workers.append(Worker(f"{HERE}/{target}", arithmetic))
        return workers[-1]

    yield started
    for one in workers:
        process = one._process
        one.close()
        one.close()  # twice does no harm
        assert not process.is_alive()
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)


def one_line(error):
    message = str(error.value)
    assert "\n" not in message
    assert "Traceback" not in message
    return message


def fault(call):
    """Kind and message of the Fault that this call raises."""
    with pytest.raises(Fault) as error:
        call()
    return error.value.kind, one_line(error)


# ---------------------------------------------------------------- what works
def test_one_worker_answers_call_after_call(start):
    honest = start("honest.py:scan")
    for _ in range(3):
        for inputs in (INPUTS, FULL):
            got = honest.call(inputs)
            assert got.dtype == np.float32
            assert (got == scan(inputs.lam, inputs.b, inputs.h0, inputs.reverse)).all()
    assert (honest.call(INPUTS, poison=True) == STATES).all()


@pytest.mark.parametrize("dtype", ["float64", "complex64", "complex128"])
def test_results_travel_in_their_own_dtype(start, dtype):
    inputs = Inputs(INPUTS.lam.astype(dtype), B.astype(dtype))
    got = start("honest.py:scan", Arithmetic(dtype)).call(inputs)
    assert got.dtype.name == dtype
    assert (got == STATES).all()


def test_prints_do_not_mix_with_the_answers(start, capfd):
    assert (start("honest.py:prints").call(INPUTS) == STATES).all()
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "progress on stdout" in captured.err


def test_a_module_beside_the_file_is_found(start):
    assert (start("with_helper.py:scan").call(INPUTS) == 2 * B).all()


def test_a_module_of_the_current_directory_is_found(monkeypatch):
    monkeypatch.chdir(HERE)
    honest = Worker("honest:scan", FLOAT32)
    try:
        assert (honest.call(INPUTS) == STATES).all()
    finally:
        honest.close()


def test_what_has_an_array_is_converted(start):
    assert (start("faulty.py:converted").call(INPUTS) == B).all()


@pytest.mark.parametrize(
    ("function", "offered"),
    [
        ("bare", [True, False, False]),
        ("with_h0", [True, True, False]),
        ("any_keyword", [True, False, False]),  # **kwargs promises nothing
        ("scan", [True, True, True]),
    ],
)
def test_a_missing_keyword_is_not_offered(function, offered):
    implementation = InProcess(load(f"{HERE}/honest.py:{function}"), FLOAT32)
    calls = (INPUTS, Inputs(INPUTS.lam, B, FULL.h0), FULL)
    assert [implementation.call(inputs) is not None for inputs in calls] == offered


def test_not_implemented_is_not_offered(start):
    constant = start("honest.py:only_constant")
    assert constant.call(Inputs(np.ones_like(B), B)) is None
    assert (constant.call(INPUTS) == STATES).all()


def test_a_signature_that_cannot_be_read_offers_everything():
    class Compiled:
        __signature__ = "unreadable"

        def __call__(self, lam, b, h0=None, reverse=False):
            return scan(lam, b, h0, reverse)

    assert (InProcess(Compiled(), FLOAT32).call(FULL) == scan(FULL.lam, B, FULL.h0, True)).all()


def test_poison_lies_right_before_and_after_every_array():
    found = {}

    def looks_around(lam, b, h0=None):
        for name, x in (("lam", lam), ("b", b), ("h0", h0)):
            memory, margin = x.base, POISON_STEPS * x.shape[-1]
            found[name] = x.flags.c_contiguous, np.isnan(memory).sum() == 2 * margin, memory.size == x.size + 2 * margin
        return scan(lam, b, h0)

    got = InProcess(looks_around, FLOAT32).call(Inputs(INPUTS.lam, B, FULL.h0), poison=True)
    assert np.isfinite(got).all()
    assert found == dict.fromkeys(("lam", "b", "h0"), (True, True, True))


# ---------------------------------------------------------------- what breaks the contract
@pytest.mark.parametrize(
    ("function", "kind", "words"),
    [
        ("raises", "crashed", ["raised RuntimeError: first line", "of raises", "lam (2,), b (1, 3, 2)"]),
        ("raises_without_words", "crashed", ["raised KeyError (line"]),
        ("exits", "crashed", ["raised SystemExit: 3"]),
        ("not_convertible", "crashed", ["raised RuntimeError: call .detach() first"]),
        ("wrong_shape", "contract", ["result:", "(1, 2, 2)", "(1, 3, 2)"]),
        ("wrong_dtype", "contract", ["result:", "float16", "float32"]),
        ("a_list", "contract", ["result:", "list", "NumPy array"]),
        ("nothing", "contract", ["result:", "NoneType"]),
        ("changes_b", "contract", ["b:", "changed", "untouched"]),
        ("changes_lam", "contract", ["lam:", "changed", "untouched"]),
        ("no_b", "contract", ["no keyword b, expected keywords lam and b"]),
    ],
)
def test_a_broken_contract_is_one_line_and_the_same_in_both_processes(start, function, kind, words):
    ours = fault(lambda: InProcess(load(f"{HERE}/faulty.py:{function}"), FLOAT32).call(INPUTS))
    theirs = start(f"faulty.py:{function}")
    assert ours == fault(lambda: theirs.call(INPUTS))
    assert ours[0] == kind
    assert all(word in ours[1] for word in words), ours[1]
    assert fault(lambda: theirs.call(INPUTS))[0] == kind  # the worker lives on


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("leaves", "ended with exit code 7"),
        ("killed", "was killed by SIGKILL"),
        ("killed_by_an_unnamed_signal", "was killed by signal 35"),
    ],
)
def test_a_process_that_dies_is_named_with_its_end(start, function, words):
    dies = start(f"faulty.py:{function}")
    assert fault(lambda: dies.call(INPUTS)) == ("crashed", f"implementation: its process {words} for lam (2,), b (1, 3, 2)")
    assert fault(lambda: dies.call(INPUTS))[0] == "crashed"  # and stays dead
    assert not dies._process.is_alive()


def test_the_first_call_of_a_shape_has_its_own_limit(start, monkeypatch):
    hangs = start("faulty.py:hangs")
    monkeypatch.setattr(worker, "FIRST_CALL_SECONDS", 0.3)
    before = time.monotonic()
    assert fault(lambda: hangs.call(INPUTS)) == (
        "hung", "implementation: no answer in 0.3 s for lam (2,), b (1, 3, 2); its process was ended",
    )  # fmt: skip
    assert time.monotonic() - before < 5
    assert not hangs._process.is_alive()
    assert fault(lambda: hangs.call(INPUTS))[0] == "crashed"


def test_later_calls_have_a_shorter_limit(start, monkeypatch):
    hangs = start("faulty.py:hangs_later")
    monkeypatch.setattr(worker, "LATER_CALL_SECONDS", 0.3)
    assert (hangs.call(INPUTS) == B).all()
    assert fault(lambda: hangs.call(INPUTS)) == (
        "hung", "implementation: no answer in 0.3 s for lam (2,), b (1, 3, 2); its process was ended",
    )  # fmt: skip


# ---------------------------------------------------------------- what cannot be started
@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("honest.py", "expected file.py:function"),
        ("honest.py:", "expected file.py:function"),
        (":scan", "expected file.py:function"),
        ("honest.py:a b", "expected file.py:function"),
        ("", "expected file.py:function"),
        ("no_such_file.py:scan", "found no file"),
        ("scanproof_has_no_such_module:scan", "found no module 'scanproof_has_no_such_module'"),
        ("json.no_such_part:scan", "found no module 'json.no_such_part'"),
        (".relative:scan", "raised TypeError"),
        ("needs_missing.py:scan", "found no module 'scanproof_has_no_such_module'"),
        ("raises_at_import.py:scan", "raised ZeroDivisionError: at import"),
        ("honest.py:no_such_function", "found no such name for 'no_such_function'"),
        ("honest.py:not_a_function", "found int for 'not_a_function'"),
    ],
)
def test_a_target_that_cannot_be_used_is_a_value_error_in_one_line(monkeypatch, target, words):
    monkeypatch.chdir(HERE)
    monkeypatch.setattr(worker.sys, "path", list(worker.sys.path))
    with pytest.raises(ValueError, match=r"^implementation: ") as error:
        Worker(target, FLOAT32)
    assert words in one_line(error)
    with pytest.raises(ValueError, match=r"^implementation: ") as ours:
        load(target)
    assert str(ours.value) == str(error.value)


def test_a_file_that_is_not_python_is_a_value_error(tmp_path):
    (tmp_path / "broken.py").write_text("def scan(lam, b:\n")
    with pytest.raises(ValueError, match="raised SyntaxError") as error:
        load(f"{tmp_path}/broken.py:scan")
    one_line(error)


def test_a_file_that_ends_or_hangs_at_import_is_a_fault(monkeypatch):
    kind, message = fault(lambda: Worker(f"{HERE}/exits_at_import.py:scan", FLOAT32))
    assert (kind, message) == ("crashed", "implementation: its process ended with exit code 5 while it was imported")
    monkeypatch.setattr(worker, "FIRST_CALL_SECONDS", 3.0)
    kind, message = fault(lambda: Worker(f"{HERE}/hangs_at_import.py:scan", FLOAT32))
    assert (kind, message) == ("hung", "implementation: no answer in 3 s while it was imported; its process was ended")


def test_targets_are_split_at_the_last_colon():
    assert parse_target(f"{HERE}/honest.py:scan") == (f"{HERE}/honest.py", "scan")
    assert parse_target("package.module:fn") == ("package.module", "fn")


def test_only_callables_are_implementations():
    with pytest.raises(TypeError, match=r"^implementation: found int, expected a callable"):
        InProcess(3, FLOAT32)


# ---------------------------------------------------------------- the suite over a worker
DOMAIN = Domain(lengths=frozenset({1, 2, 3, 5, 17}), channels=frozenset({2}))


def test_the_suite_gives_the_same_report_over_a_worker_and_in_process(start):
    honest = start("honest.py:scan")
    over = check("scan", honest, arithmetic=FLOAT32, domain=DOMAIN, cases=2)
    here = check("scan", load(f"{HERE}/honest.py:scan"), arithmetic=FLOAT32, domain=DOMAIN, cases=2)
    assert (over.verdict, over.reason) == (here.verdict, here.reason) == ("within", over.reason)
    assert [law.ratios for law in over.laws] == [law.ratios for law in here.laws]


@pytest.mark.parametrize(
    ("function", "kind"), [("raises", "crashed"), ("killed", "crashed"), ("wrong_dtype", "contract"), ("changes_b", "contract")]
)
def test_the_suite_reports_a_fault_and_stops(start, function, kind):
    report = check("scan", start(f"faulty.py:{function}"), arithmetic=FLOAT32, domain=DOMAIN, cases=2)
    assert (report.verdict, report.fault[0], report.reason) == ("undecided", kind, report.fault[1])
    assert [law.verdict for law in report.laws] == ["not run"] * len(report.laws)
