"""Implementations in a process of their own: every way to fail gives one line and leaves no process behind."""

import os
import pickle
import time
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from calls import LAYERS, drawn, scans

from scanproof.properties import worker
from scanproof.properties.check import check
from scanproof.properties.domain import Domain
from scanproof.properties.implementation import Fault, InProcess, Question, invoke
from scanproof.properties.worker import Worker, load, parse_target
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call
from scanproof.reference.systems import SYSTEMS
from scanproof.reference.transitions.diagonal import scan

HERE = Path(__file__).parents[1] / "implementations"
FLOAT32 = Arithmetic("float32")
B = np.arange(1, 7, dtype="float32").reshape(1, 3, 2)
LAM = np.array([0.5, 2], "float32")
CALL = scans(LAM, B)
FULL = scans(LAM, B, np.ones((1, 2), "float32"), reverse=True)
STATES = scan(LAM, B)


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
@pytest.fixture(scope="module")
def honest():
    """One worker for all tests that do not end it."""
    one = Worker(f"{HERE}/honest.py:prints", FLOAT32)
    yield one
    one.close()


def test_one_worker_answers_call_after_call(honest, monkeypatch):
    for dtype in ("float32", "float32", "float64", "complex64", "complex128"):
        monkeypatch.setattr(honest, "_arithmetic", Arithmetic(dtype))
        for call in (CALL, FULL):
            call = Call(call.system, {name: x.astype(dtype) for name, x in call.arguments.items()}, call.reverse)
            got = honest.call(call)["h"]
            assert got.dtype.name == dtype
            assert (got == scan(call["lam"], call["b"], call.get("h0"), call.reverse)).all()
            assert (honest.call(call, poison=True)["h"] == got).all()


def test_prints_do_not_mix_with_the_answers(start, capfd):
    assert (start("honest.py:prints").call(CALL)["h"] == STATES).all()
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "progress on stdout" in captured.err


def test_a_module_beside_the_file_is_found(start):
    assert (start("with_helper.py:scan").call(CALL)["h"] == 2 * B).all()


def test_a_module_of_the_current_directory_is_found(monkeypatch):
    monkeypatch.chdir(HERE)
    honest = Worker("honest:scan", FLOAT32)
    try:
        assert (honest.call(CALL)["h"] == STATES).all()
    finally:
        honest.close()


def test_what_has_an_array_is_converted(start):
    assert (start("faulty.py:converted").call(CALL)["h"] == B).all()


def test_not_implemented_is_not_offered(start):
    constant = start("honest.py:only_constant")
    assert constant.call(scans(np.ones_like(B), B)) is None
    assert (constant.call(CALL)["h"] == STATES).all()


@pytest.mark.parametrize("system", SYSTEMS)
def test_questions_and_answers_are_plain_data(system):
    """Nothing of ours travels, so that a system that was registered a moment ago can be asked, too."""
    call = drawn(system, start=True, bars=True)
    question = pickle.dumps(astuple(Question.of(call)))
    assert b"scanproof" not in question
    keywords, required, described, poison = pickle.loads(question)
    assert (required, described, poison) == (call.system.required, call.described(), False)
    assert {name: x.tobytes() for name, x in keywords.items()} == {name: x.tobytes() for name, x in call.arguments.items()}
    answer = invoke(lambda **given: {"y": given, "h": (1, given)}, Question(keywords, required, described))
    assert b"scanproof" not in pickle.dumps(answer)


def test_mappings_and_tuples_travel(start):
    call = drawn("lru", start=True, bars=True, two=True)
    assert same(start("layers.py:lru").call(call), InProcess(LAYERS["lru"], FLOAT32).call(call))
    plain = drawn("lru")
    got = start("layers.py:outputs").call(plain)
    assert list(got) == ["y", "h"]
    assert same(got, InProcess(LAYERS["lru"], FLOAT32).call(plain))


def same(one, two):
    return {name: x.tobytes() for name, x in one.items()} == {name: x.tobytes() for name, x in two.items()}


# ---------------------------------------------------------------- what breaks the contract
BROKEN = [
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
]


def test_a_broken_contract_is_one_line_and_the_same_in_both_processes(start):
    theirs = start("faulty.py:numbered")
    for number, (function, kind, words) in enumerate(BROKEN):
        b = B.copy()
        b[0, 0, 0] = number
        ours = fault(lambda function=function: InProcess(load(f"{HERE}/faulty.py:{function}"), FLOAT32).call(CALL))
        assert ours == fault(lambda b=b: theirs.call(scans(LAM, b))), function  # the worker lives on
        assert ours[0] == kind
        assert all(word in ours[1] for word in words), ours[1]


def test_a_keyword_that_is_missing_is_the_same_line_in_both_processes(start):
    ours = fault(lambda: InProcess(load(f"{HERE}/faulty.py:no_b"), FLOAT32).call(CALL))
    theirs = start("faulty.py:no_b")
    assert ours == fault(lambda: theirs.call(CALL))
    assert ours == ("contract", "implementation: found no keyword b, expected keywords lam and b")


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
    assert fault(lambda: dies.call(CALL)) == ("crashed", f"implementation: its process {words} for lam (2,), b (1, 3, 2)")
    assert fault(lambda: dies.call(CALL))[0] == "crashed"  # and stays dead
    assert not dies._process.is_alive()


def test_the_first_call_of_a_shape_has_its_own_limit(start, monkeypatch):
    hangs = start("faulty.py:hangs")
    monkeypatch.setattr(worker, "FIRST_CALL_SECONDS", 0.3)
    before = time.monotonic()
    assert fault(lambda: hangs.call(CALL)) == (
        "hung", "implementation: no answer in 0.3 s for lam (2,), b (1, 3, 2); its process was ended",
    )  # fmt: skip
    assert time.monotonic() - before < 5
    assert not hangs._process.is_alive()
    assert fault(lambda: hangs.call(CALL))[0] == "crashed"


def test_later_calls_have_a_shorter_limit(start, monkeypatch):
    hangs = start("faulty.py:hangs_later")
    monkeypatch.setattr(worker, "LATER_CALL_SECONDS", 0.3)
    assert (hangs.call(CALL)["h"] == B).all()
    assert fault(lambda: hangs.call(CALL)) == (
        "hung", "implementation: no answer in 0.3 s for lam (2,), b (1, 3, 2); its process was ended",
    )  # fmt: skip


# ---------------------------------------------------------------- what cannot be started
UNUSABLE = [  # and whether a process is started for it
    ("honest.py", "expected file.py:function", True),
    ("honest.py:", "expected file.py:function", True),
    (":scan", "expected file.py:function", True),
    ("honest.py:a b", "expected file.py:function", True),
    ("", "expected file.py:function", True),
    ("no_such_file.py:scan", "found no file", True),
    ("scanproof_has_no_such_module:scan", "found no module 'scanproof_has_no_such_module'", True),
    ("json.no_such_part:scan", "found no module 'json.no_such_part'", False),
    (".relative:scan", "raised TypeError", False),
    ("needs_missing.py:scan", "found no module 'scanproof_has_no_such_module'", False),
    ("raises_at_import.py:scan", "raised ZeroDivisionError: at import", True),
    ("honest.py:no_such_function", "found no such name for 'no_such_function'", True),
    ("honest.py:not_a_function", "found int for 'not_a_function'", False),
]


@pytest.mark.parametrize(("target", "words", "started"), UNUSABLE)
def test_a_target_that_cannot_be_used_is_a_value_error_in_one_line(monkeypatch, target, words, started):
    monkeypatch.chdir(HERE)
    monkeypatch.setattr(worker.sys, "path", list(worker.sys.path))
    with pytest.raises(ValueError, match=r"^implementation: ") as ours:
        load(target)
    assert words in one_line(ours)
    if started:
        with pytest.raises(ValueError, match=r"^implementation: ") as error:
            Worker(target, FLOAT32)
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


# ---------------------------------------------------------------- the suite over a worker
DOMAIN = Domain(lengths=frozenset({1, 2, 3, 5, 17}), channels=frozenset({2}))


def test_the_suite_gives_the_same_report_over_a_worker_and_in_process(honest):
    over = check("scan", honest, arithmetic=FLOAT32, domain=DOMAIN, cases=1)
    here = check("scan", load(f"{HERE}/honest.py:scan"), arithmetic=FLOAT32, domain=DOMAIN, cases=1)
    assert (over.verdict, over.reason) == (here.verdict, here.reason) == ("within", over.reason)
    assert [law.ratios for law in over.laws] == [law.ratios for law in here.laws]


@pytest.mark.parametrize(
    ("function", "kind"), [("raises", "crashed"), ("killed", "crashed"), ("wrong_dtype", "contract"), ("changes_b", "contract")]
)
def test_the_suite_reports_a_fault_and_stops(start, function, kind):
    report = check("scan", start(f"faulty.py:{function}"), arithmetic=FLOAT32, domain=DOMAIN, cases=1)
    assert (report.verdict, report.fault[0], report.reason) == ("undecided", kind, report.fault[1])
    assert [law.verdict for law in report.laws] == ["not run"] * len(report.laws)
