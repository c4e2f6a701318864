"""What `verify` does: one job a kind, whatever the system, and every reason not to accept a run is told."""

from pathlib import Path

import pytest
from reports import full

from scanproof.benchmarks.peers import PEERS, subjects
from scanproof.benchmarks.peers.subject import Subject
from scanproof.cli import verify, verify_jobs, verify_output
from scanproof.golden.recipes import COLLECTIONS
from scanproof.properties.systems import ROOMS
from scanproof.properties.versions.versions import VERSIONS
from scanproof.reference.arithmetic.declaration import Arithmetic

ABSENT = Subject("absent", "nowhere:run", Arithmetic("float32"), "scan", needs="no_such_package")


def named(name, dtype):
    return next(s for s in subjects() if (s.name, s.arithmetic.dtype) == (name, dtype))


# ---------------------------------------------------------------- the list of work
@pytest.fixture(scope="module")
def work():
    return verify.jobs(0, 20, Path("witness"))


def of(work, section):
    return [job.arguments for job in work if job.section == section]


def test_every_kind_of_work_is_a_section_of_the_report(work):
    assert {job.section for job in work} == set(verify.SECTIONS)
    assert len({job.function for job in work}) == len(verify.SECTIONS)


def test_every_implementation_is_checked_but_the_slow_ones(work):
    asked = [subject for subject in subjects() if not subject.slow]
    checked = [each[0] for each in of(work, "checks")]
    assert (len(checked), set(checked)) == (len(asked), set(asked))
    assert {subject.system for subject in asked} == set(PEERS)
    tried = {each[0].system: each[2] for each in of(work, "checks")}
    assert tried == {name: 20 // peers.share for name, peers in PEERS.items()}


def test_every_fault_of_every_room_is_asked_for_once(work):
    faults = {fault.name for room in ROOMS.values() for fault in room.faults()}
    mutants, versions = of(work, "mutants"), of(work, "versions")
    assert {each[0] for each in versions} == {version.name for version in VERSIONS}
    assert {each[1] for each in mutants} | {each[0] for each in versions} >= faults
    assert not {each[1] for each in mutants} & {each[0] for each in versions}
    shown = [(name, f.name, dtype) for name, room in ROOMS.items() for f in room.faults() for dtype in f.dtypes]
    assert [each[:3] for each in mutants] == [each for each in shown if each[1] not in {v.name for v in VERSIONS}]


def test_systems_are_asked_for_what_they_have(work):
    for section, having in (
        ("golden", set(COLLECTIONS)),
        ("recordings", {name for name, peers in PEERS.items() if peers.recorded}),
        ("growth", {name for name, peers in PEERS.items() if peers.growth}),
    ):
        assert {each[0].system for each in of(work, section)} == having & set(PEERS)


# ---------------------------------------------------------------- pieces of work
def test_a_fault_is_rejected_with_a_witness(tmp_path):
    (row,) = verify_jobs.reject_fault("expm", "transposed", "float32", 0, 1, tmp_path)
    assert (row.system, row.name, row.fault, row.verdict) == ("expm", "transposed", "exp of -S", "outside")
    assert row.caught_by
    assert Path(row.witness).is_file()


def test_a_fault_of_a_layer_is_rejected_for_formed_stages(tmp_path):
    """Undeclared stages would leave it undecided."""
    (row,) = verify_jobs.reject_fault("lru", "lru-without-skip", "float32", 0, 1, tmp_path)
    assert row.verdict == "outside"


@pytest.mark.parametrize(("name", "dtype", "told"), [
    ("scipy.signal.lfilter", "complex64", {"within", "nearest"}),
    ("numba_kernels.layers.lru", "float64", {"within", "nearest"}),
])  # fmt: skip
def test_recordings_drive_scans_and_layers(name, dtype, told):
    rows = verify_jobs.recordings(named(name, dtype))
    assert [(row.recording, row.steps) for row in rows] == [("eeg.dat", 800), ("membrane.dat", 1000)]
    assert {row.verdict for row in rows} <= told
    assert all(0 < row.ratio <= 1 for row in rows)


def test_a_call_that_is_not_offered_has_no_row(monkeypatch):
    def refuses(lam, b):
        raise NotImplementedError

    monkeypatch.setattr(verify_jobs, "load", lambda target: refuses)
    assert verify_jobs.recordings(named("scipy.signal.lfilter", "complex64")) == []
    assert verify_jobs.growth(named("scipy.signal.lfilter", "complex64"), 0) == []


def test_errors_grow_below_their_allowance():
    (row,) = verify_jobs.growth(named("loop in float16 (NumPy)", "float16"), 0)
    assert row.modulus == PEERS["scan"].growth.modulus
    assert row.lengths == [2**k for k in range(1, 13)]
    assert row.error == sorted(row.error)
    assert row.allowance == sorted(row.allowance)
    assert all(0 <= error <= allowance for error, allowance in zip(row.error, row.allowance, strict=True))


def test_golden_cases_are_answered():
    (row,) = verify_jobs.golden(named("loop in float16 (NumPy)", "float16"))
    assert row.verdict in ("within", "nearest")
    assert row.counts["outside"] == 0 < row.counts["nearest"] + row.counts["within"]


def test_what_a_package_is_missing_for_is_not_run(tmp_path):
    rows = [
        *verify_jobs.check_subject(ABSENT, 0, 1, tmp_path),
        *verify_jobs.golden(ABSENT),
        *verify_jobs.recordings(ABSENT),
    ]
    assert len(rows) == 4
    assert {(row.verdict, row.reason) for row in rows} == {("not run", "no_such_package is not installed (make peers)")}
    assert verify_jobs.growth(ABSENT, 0) == []


# ---------------------------------------------------------------- what is said
def faults(**rows):
    """Of a run that has these rows and no others."""
    nothing = {section: [] for section in (*verify.SECTIONS, "speed")}
    return verify_output.find_faults(nothing | rows)


def test_an_accepted_run_has_no_faults():
    report = full()
    checks = [report.checks[0], report.checks[2]]
    assert faults(lemmas=report.lemmas[:1], checks=checks, mutants=report.mutants[:1], speed=report.speed[:4]) == []
    assert faults(golden=report.golden) == faults(recordings=report.recordings) == []


WRONG = {
    "lemmas": ("lemmas", 0, {"status": "refused", "reason": "a mutant passed"}, "lemma associativity: refused: a mutant passed"),
    "checks": ("checks", 0, {"verdict": "undecided", "reason": "x"}, "diagonal (float32): undecided: x"),
    "outside": ("checks", 1, {}, "peer (float32): outside: integer-cases: proved"),
    "finding": ("checks", 0, {"finding": "known", "verdict": "undecided"}, "diagonal (float32): undecided: not refuted"),
    "mutants": ("mutants", 1, {}, "mutant tail-chunk (complex64) was not rejected: drops the last carry"),
    "recordings": ("recordings", 0, {"verdict": "outside", "reason": "x"}, "diagonal (float32) on eeg.dat: outside: x"),
    "undecided": ("recordings", 0, {"verdict": "undecided", "reason": "x"}, "diagonal (float32) on eeg.dat: undecided: x"),
    "golden": ("golden", 0, {"verdict": "outside", "reason": "x"}, "diagonal (float32) on golden cases: outside: x"),
    "speed": ("speed", 4, {}, "zeros scan on wide: outside: 3 of 9 exceed"),
}


@pytest.mark.parametrize("name", WRONG)
def test_every_reason_is_told_in_one_line(name):
    section, place, change, told = WRONG[name]
    row = getattr(full(), section)[place].model_copy(update=change)
    assert faults(**{section: [row]}) == [told]


def test_a_known_fault_that_is_found_is_none():
    known = full().checks[1].model_copy(update={"finding": "scales by too little"})
    assert faults(checks=[known]) == []


@pytest.mark.parametrize(("name", "dtype", "accepted"), [
    ("numba_kernels.diagonal", "float32", False),
    ("loop in bfloat16 (ml_dtypes)", "bfloat16", True),  # few bits: integer cases decide
    ("numba_kernels.layers.rotrnn", "float32", True),
])  # fmt: skip
def test_recordings_must_be_decided_where_allowances_tell_something(name, dtype, accepted):
    row = full().recordings[0].model_copy(update={"implementation": name, "dtype": dtype, "verdict": "undecided"})
    assert (faults(recordings=[row]) == []) == accepted


def test_the_conclusion_counts_everything():
    assert verify_output.conclusion(full()) == (
        "not accepted: 1 of 2 lemmas proved, 1 of 2 implementations not refuted, 1 of 2 mutants rejected, "
        "1 implementations not run, 72 s"
    )


def test_the_summary_has_a_row_for_everything(capsys):
    verify_output.show(full(), Path("build/index.html"))
    told = capsys.readouterr().out
    for word in ("associativity", "diagonal", "absent", "tail-chunk", "eeg.dat", "peer is outside", "report: build/index.html"):
        assert word in told
    assert told.count("not run") >= 2
