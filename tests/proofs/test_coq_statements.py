"""What the theorems of Coq say is pinned: a weaker statement, which coqc accepts, is refused, and so is what needs a changed definition."""

import re
import shutil
from typing import NamedTuple

import pytest

from scanproof.proofs.coq import coq_build, coq_layer, coq_record, coq_statements, coq_table
from scanproof.proofs.coq.coq_layer import SOURCES

pytestmark = pytest.mark.xdist_group("coq statements")   # one worker, so that everything is compiled once
needs_coq = pytest.mark.skipif(shutil.which("coqc") is None, reason=f"not run: coqc not found: {coq_build.INSTALL}")


class Weakening(NamedTuple):
    """A hypothesis more, with which the proof goes through."""

    file: str
    theorem: str
    before: str  # the words of the statement before which it is put
    hypothesis: str
    printed: str  # by Coq, from the first word on that differs
    first: str  # the first step of the proof, which is then told of it
    then: str


WEAKENINGS = (
    Weakening("BoundTheorem", "rounding_any_order", "honest K V", "u = 0 -> beta = 0 -> loss = 0 ->", "u = 0 -> beta = 0 -> loss = 0 ->",
              "by move=> h", "by move=> _ _ _ h"),
    Weakening("Recurrence", "sequential", "(n = 0%N ->", "rs = [::] ->", "rs = [::] ->", "elim:", "move=> _; elim:"),
    Weakening("Flow", "flow_orthogonal", "flows E ->", "t = 0 ->", "t = 0 ->", "intros ode", "intros _ ode"),
    Weakening("Parity", "no_parity", "{homo f", "(0 = 1)%N ->", "0%N = 1%N ->", "move=> /(mono", "move=> _ /(mono"),
    Weakening("Householder", "house_product", "(forall bk,", "s = [::] ->", "s = [::] ->", "elim: s", "move=> _; elim: s"),
)  # fmt: skip
NEEDED = ("BoundNear", "BoundTree", "BoundMultiplier", "BoundState", "BoundTop", "BoundCount", "Rotation", "Norm")
TABLE = 'assumptions = "nothing"\nN = "all"\npython = []\n[theorem.planted]\nstatement = "planted"\n'
PLANTED = "Definition bound := 3.\nTheorem planted : 2 <= bound. Proof. unfold bound; repeat constructor. Qed.\n"


def weakened(text, weakening):
    start = re.search(rf"^Theorem {weakening.theorem}\b", text, re.MULTILINE).start()
    end = text.index("Qed.", start)
    theorem = text[start:end].replace(weakening.before, f"{weakening.hypothesis} {weakening.before}", 1)
    assert weakening.hypothesis in theorem
    return text[:start] + theorem.replace(weakening.first, weakening.then, 1) + text[end:]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """By file and name."""
    sources = tmp_path_factory.mktemp("sources")
    for name in (*NEEDED, *(weakening.file for weakening in WEAKENINGS)):
        for path in SOURCES.glob(f"{name}.*"):
            shutil.copy(path, sources)
    for weakening in WEAKENINGS:
        path = sources / f"{weakening.file}.v"
        path.write_text(weakened(path.read_text(encoding="utf-8"), weakening), encoding="utf-8")
    return {(result.file, result.name): result for result in coq_layer.check(sources, tmp_path_factory.mktemp("build"))}


@pytest.mark.slow
@needs_coq
@pytest.mark.parametrize("weakening", WEAKENINGS, ids=lambda weakening: weakening.theorem)
def test_a_weakened_theorem_is_refused_for_what_it_says(results, weakening):
    result = results[f"{weakening.file}.v", weakening.theorem]
    assert result.status == "refused"
    assert result.reason.startswith(f"{weakening.theorem} is not as in {weakening.file}.statements.toml: found '{weakening.printed}")
    assert "\n" not in result.reason


@pytest.mark.slow
@needs_coq
def test_nothing_else_is_refused(results):
    weak = {(f"{weakening.file}.v", weakening.theorem) for weakening in WEAKENINGS}
    assert {name for name, result in results.items() if result.status != "proved"} == weak
    assert len(results) > 20


# ---------------------------------------------------------------- definitions, and records
def plant(folder, text=PLANTED):
    (folder / "Planted.v").write_text(text)
    (folder / "Planted.toml").write_text(TABLE)
    (folder / "Above.v").write_text("From Scanproof Require Import Planted.\nTheorem planted : True. Proof. exact I. Qed.\n")
    (folder / "Above.toml").write_text(TABLE)


def reasons(folder):
    return {result.file: result.reason for result in coq_layer.check(folder, folder / "build")}


@pytest.mark.slow
@needs_coq
def test_what_was_recorded_is_proved(tmp_path):
    plant(tmp_path)
    assert coq_record.write(tmp_path, tmp_path / "build") == []
    assert reasons(tmp_path) == {"Planted.v": "", "Above.v": ""}
    assert set(coq_statements.recorded(tmp_path / "Planted.v")) == {"bound", "planted"}


@pytest.mark.slow
@needs_coq
@pytest.mark.parametrize(("text", "found", "expected"), [
    (PLANTED.replace("3", "4"), "bound is not as in Planted.statements.toml: found '4%nat : nat'", "3%nat : nat"),
    (PLANTED + "Definition other := bound.\n",
     "other is not as in Planted.statements.toml: found 'Planted.other = Planted.bound : nat'", "nothing"),
    (PLANTED.replace("Definition bound := 3", "Notation bound := 3"),
     "bound is not as in Planted.statements.toml: found 'nothing'", "Planted.bound = 3%nat : nat"),
])  # fmt: skip
def test_a_changed_definition_refuses_what_needs_it(tmp_path, text, found, expected):
    plant(tmp_path)
    coq_record.write(tmp_path, tmp_path / "build")
    plant(tmp_path, text.replace("unfold bound; ", "" if "Notation" in text else "unfold bound; "))
    reason = f"{found}, expected '{expected}'"
    assert reasons(tmp_path) == {"Planted.v": reason, "Above.v": f"needs Planted.v: {reason}"}


@pytest.mark.slow
@needs_coq
def test_without_a_record_nothing_is_proved(tmp_path):
    (tmp_path / "Planted.v").write_text("Theorem planted : True. Proof. exact I. Qed.\n")
    (tmp_path / "Planted.toml").write_text(TABLE)
    assert reasons(tmp_path) == {"Planted.v": "planted is not as in Planted.statements.toml: found 'True', expected 'nothing'"}


@pytest.mark.slow
@needs_coq
def test_what_does_not_compile_keeps_its_record(tmp_path):
    plant(tmp_path)
    coq_record.write(tmp_path, tmp_path / "build")
    before = coq_statements.recorded(tmp_path / "Planted.v")
    plant(tmp_path, PLANTED.replace("3", "1"))
    first, second = sorted(coq_record.write(tmp_path, tmp_path / "build"))
    assert first.startswith("Above: needs Planted.v")
    assert second.startswith("Planted: coqc rejects Planted.v at line 2")
    assert coq_statements.recorded(tmp_path / "Planted.v") == before


@pytest.mark.parametrize("source", sorted(SOURCES.glob("*.v")), ids=lambda source: source.stem)
def test_everything_that_a_source_states_is_recorded(source):
    text = coq_table.uncommented(source.read_text(encoding="utf-8"))
    assert list(coq_statements.recorded(source)) == list(coq_statements.stated(text))
    assert {name for kind, name in coq_table.STATED.findall(text) if kind == "Theorem"} <= coq_statements.stated(text).keys()


def test_definitions_of_every_kind_are_seen():
    kinds = ("Definition", "Local Definition", "Fixpoint", "CoFixpoint", "Inductive", "CoInductive", "Record", "Structure", "Class",
             "Instance", "Canonical", "Variant", "Theorem")  # fmt: skip
    text = "\n".join(f"{kind} name{i}' := 0." for i, kind in enumerate(kinds))
    assert list(coq_statements.stated(text)) == [f"name{i}'" for i in range(len(kinds))]
