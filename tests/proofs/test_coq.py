"""The Coq layer: what is shipped is proved by coqc, every planted fault is refused by name, and a missing prover is not run."""

import importlib
import json
import re
import shutil
from pathlib import Path

import pytest
from coq_model import RUN
from typer.testing import CliRunner

from scanproof import proofs
from scanproof.cli import app, exits
from scanproof.proofs.coq import coq_build, coq_layer, coq_table
from scanproof.proofs.coq.coq_layer import SOURCES

pytestmark = pytest.mark.xdist_group("coq")   # one worker, so that everything is compiled once
needs_coq = pytest.mark.skipif(shutil.which("coqc") is None, reason=f"not run: coqc not found: {coq_build.INSTALL}")

MODELS = ("test_coq_algebra", "test_coq_matrices", "test_coq_links", "test_coq_circuits", "test_gappa")   # Coq's definitions, run
ALGEBRA = ("Adjoint", "Cayley", "ConjugatePairs", "Flow", "Householder", "Moments", "Norm", "Parity", "Rotation", "Scan", "Series",
           "Theta")
TABLE = 'assumptions = "nothing"\nN = "general N"\npython = []\n'

# what is planted: copy, original, text, replacement, theorem that must be refused, words of the reason
FAULTS = (
    ("Constant", "Householder", "0 <= b <= 2%:R <-> (", "0 <= b <= 3%:R <-> (", "house_contraction", "in or after house_contraction"),
    ("Factor", "Moments", "(1 - g) ^+ 2 * square (x t)", "(1 - g) * square (x t)", "repeated_input", "in or after repeated_input"),
    ("Transpose", "Adjoint", "(A t.+1)^T *m a t.+1 + g t", "A t.+1 *m a t.+1 + g t", "adjoint", "in or after adjoint_until"),
    ("Order", "Scan", "(q.1 *m p.1, q.1 *m p.2 + q.2)", "(q.1 *m p.1, p.1 *m q.2 + p.2)", "act_compose", "in or after"),
    ("Unproved", "Cayley", "by rewrite /skew linearB /= trmxK opprB. Qed.", "Admitted.", "skew_difference",
     "in or after skew_difference"),
    ("Assumed", "Norm", "End Positive.", "End Positive.\nAxiom unused : False.", "square_eq0", "Axiom at line"),
    ("Loose", "Flow", 'assumptions = "reals"', 'assumptions = "nothing"', "flow_orthogonal",
     "rests on ClassicalDedekindReals.sig_not_dec, ClassicalDedekindReals.sig_forall_dec, FunctionalExtensionality"),
)  # fmt: skip

# sources of their own: text, assumptions, status, words of the reason
CLASSICAL = "From Coq Require Import Classical.\nTheorem planted P : P \\/ ~ P. Proof. exact (classic P). Qed.\n"
TRIVIAL = "Theorem planted : True. Proof. exact I. Qed.\n"
OTHERS = {
    "Classic": (CLASSICAL, "reals", "refused", "rests on Classical_Prop.classic; allowed: ClassicalDedekindReals"),
    "Allowed": (CLASSICAL, "classical reals", "proved", ""),
    "Leaning": ("From Scanproof Require Import Unproved.\n"
                "Theorem planted : True. Proof. exact (let _ := @skew_difference in I). Qed.\n", "nothing", "refused", "rests on Unproved.skew_difference"),
    "Behind": (f"From Scanproof Require Import Constant.\n{TRIVIAL}", "nothing", "refused", "needs Constant.v: coqc rejects Constant.v"),
    "Typo": (f"From mathcomp Require Import ssralgebra.\n{TRIVIAL}", "nothing", "refused", "ssralgebra"),
    "NoLibrary": (f"From Nowhere Require Import nothing.\n{TRIVIAL}", "nothing", "not run", "apt-get install libcoq-nowhere"),
    "AfterIt": (f"From Scanproof Require Import NoLibrary.\n{TRIVIAL}", "nothing", "not run", "needs NoLibrary.v: a library is not"),
    "Unending": (f"{TRIVIAL}(* no end\n", "nothing", "refused", "Unterminated comment"),
    "Defined": ("Definition planted := I.\n", "nothing", "refused", "Defined.v states 0 theorems of this name"),
}  # fmt: skip


def plant_copies(sources: Path) -> None:
    for copy, original, text, replacement, *_ in FAULTS:
        for suffix in (".v", ".toml"):
            shutil.copy(SOURCES / f"{original}{suffix}", sources / f"{copy}{suffix}")
        record = (SOURCES / f"{original}.statements.toml").read_text(encoding="utf-8").replace(f"{original}.", f"{copy}.")
        (sources / f"{copy}.statements.toml").write_text(record, encoding="utf-8")
        [file] = [file for file in (sources / f"{copy}.v", sources / f"{copy}.toml") if text in file.read_text()]
        file.write_text(file.read_text().replace(text, replacement))


def plant_others(sources: Path) -> None:
    for name, (text, allowed, *_) in OTHERS.items():
        (sources / f"{name}.v").write_text(text)
        (sources / f"{name}.toml").write_text(TABLE.replace("nothing", allowed) + '[theorem.planted]\nstatement = "planted"\n')
    (sources / "Allowed.statements.toml").write_text("planted = '''forall P : Prop, P \\/ ~ P'''\n")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Every theorem of the algebra, and every planted fault, compiled once; by file and name."""
    sources, build = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("build")
    for name in ALGEBRA:
        for path in SOURCES.glob(f"{name}.*"):
            shutil.copy(path, sources)
    plant_copies(sources)
    plant_others(sources)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(coq_build.PACKAGES, "libcoq-nowhere", "From Nowhere Require all.")
        found = coq_layer.check(sources, build)
    return {(Path(result.file).stem, result.name): result for result in found}


# ---------------------------------------------------------------- what is shipped
@pytest.mark.slow
@needs_coq
@pytest.mark.parametrize("name", ALGEBRA)
def test_every_theorem_of_the_algebra_is_proved(results, name):
    stated = {theorem.name: theorem for theorem in coq_table.theorems(SOURCES / f"{name}.v")}
    found = {theorem: result for (file, theorem), result in results.items() if file == name}
    assert stated
    assert {result.name: (result.status, result.reason) for result in found.values()} == dict.fromkeys(stated, ("proved", ""))
    assert all(result.seconds > 0 for result in found.values())
    assert all(set(result.assumptions) <= set(stated[name].allowed) for name, result in found.items())


@pytest.mark.parametrize("source", sorted(SOURCES.glob("*.v")), ids=lambda source: source.stem)
def test_source_and_table_agree(source):
    known = {lemma.name for lemma in proofs.lemmas()}
    for theorem in coq_table.theorems(source):
        assert theorem.objection == ""
        assert set(theorem.lemmas) <= known
        for function in theorem.python:
            module, name = function.split(":")
            assert callable(getattr(importlib.import_module(f"scanproof.{module}"), name))


def test_every_theorem_that_python_relies_on_is_run_on_data(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    for module in MODELS:
        importlib.import_module(module)
    theorems = {f"{source.stem}.{theorem.name}": theorem for source in SOURCES.glob("*.v") for theorem in coq_table.theorems(source)}
    assert {name for name, theorem in theorems.items() if theorem.python} <= RUN <= theorems.keys()


def test_every_table_and_every_record_has_a_source():
    assert {path.name.partition(".")[0] for path in SOURCES.glob("*.toml")} <= {source.stem for source in SOURCES.glob("*.v")}


def test_every_source_says_what_it_is_for():
    for source in SOURCES.glob("*.v"):
        assert source.read_text().startswith("(* ")
        assert len(source.read_text().split("\n")) <= 200


# ---------------------------------------------------------------- what is planted
@pytest.mark.slow
@needs_coq
@pytest.mark.parametrize(("copy", "theorem", "reason"), [(fault[0], *fault[4:]) for fault in FAULTS], ids=lambda x: x)
def test_a_planted_fault_is_refused_by_name(results, copy, theorem, reason):
    result = results[copy, theorem]
    assert result.status == "refused"
    assert reason in result.reason
    assert "\n" not in result.reason
    assert all(result.status == "refused" for (file, _), result in results.items() if file == copy)


@pytest.mark.slow
@needs_coq
@pytest.mark.parametrize("name", OTHERS)
def test_a_planted_source_is_told_apart(results, name):
    *_, status, reason = OTHERS[name]
    assert results[name, "planted"].status == status
    assert reason in results[name, "planted"].reason
    assert bool(results[name, "planted"].reason) == (status != "proved")


@pytest.mark.slow
@needs_coq
def test_a_proof_that_does_not_end_is_refused(monkeypatch, tmp_path):
    (tmp_path / "Endless.v").write_text("Ltac go := idtac; go.\nTheorem planted : True. Proof. go. Qed.\n")
    (tmp_path / "Endless.toml").write_text(TABLE + '[theorem.planted]\nstatement = "planted"\n')
    monkeypatch.setattr(coq_build, "LIMIT", 2)
    [result] = coq_layer.check(tmp_path, tmp_path / "build")
    assert (result.status, result.reason) == ("refused", "coqc rejects Endless.v: no answer of coqc within 2 s")


@pytest.mark.slow
@needs_coq
def test_sources_that_need_each_other_are_refused(tmp_path):
    for name, other in (("One", "Two"), ("Two", "One")):
        (tmp_path / f"{name}.v").write_text(f"From Scanproof Require Import {other}.\n{TRIVIAL}")
        (tmp_path / f"{name}.toml").write_text(TABLE + '[theorem.planted]\nstatement = "planted"\n')
    results = coq_layer.check(tmp_path, tmp_path / "build")
    assert [(r.status, r.reason[:23]) for r in results] == [("refused", "sources need each other")] * 2


@pytest.mark.slow
@needs_coq
def test_lemmas_alone_are_told_only_when_they_fail(tmp_path):
    (tmp_path / "Steps.v").write_text("Lemma step : True. Proof. exact I. Qed.\n")
    assert coq_layer.check(tmp_path, tmp_path / "build") == []
    (tmp_path / "Steps.v").write_text("Lemma step : False. Proof. exact I. Qed.\n")
    [result] = coq_layer.check(tmp_path, tmp_path / "build")
    assert (result.name, result.status) == ("Steps.v", "refused")
    assert "in or after step" in result.reason


@pytest.mark.parametrize(("table", "reason"), [
    (None, "Planted.toml: No such file or directory"),
    (TABLE, "Planted.v states it, and its table has no entry for it"),
    (TABLE + '[theorem.other]\nstatement = "s"', "and Planted.v states 0 theorems of this name"),
    (TABLE + "[theorem.planted]", "found the keys [], expected statement"),
    (TABLE.replace("nothing", "everything") + '[theorem.planted]\nstatement = "s"', "assumptions: found 'everything', expected one of"),
    ("N = 3", "found the keys ['N'], expected assumptions, N, python and theorem"),
    ("not TOML", "Planted.toml: "),
])  # fmt: skip
def test_a_table_that_disagrees_is_objected_to(tmp_path, table, reason):
    (tmp_path / "Planted.v").write_text(TRIVIAL)
    if table is not None:
        (tmp_path / "Planted.toml").write_text(table if "[theorem" in table or "N = 3" in table else f"{table}[theorem]\n")
    assert reason in coq_table.theorems(tmp_path / "Planted.v")[0].objection


@pytest.mark.parametrize("word", [
    "Admitted", "admit", "give_up", "Axiom", "Axioms", "Parameter", "Parameters", "Conjecture", "bypass_check",
    "Unset Guard Checking", "Unset  Positivity Checking",
])  # fmt: skip
def test_words_that_prove_nothing_are_found_outside_of_comments(word):
    assert coq_table.unproved(f"Lemma a : b.\n{word}.") == f"{' '.join(word.split())} at line 2, in or after a"
    assert coq_table.unproved(coq_table.uncommented(f"(* {word} (* nested *) {word} *)")) == ""


# ---------------------------------------------------------------- what is missing
def test_without_coqc_every_theorem_is_not_run_and_the_packages_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    results = coq_layer.check(build=tmp_path / "build")
    assert {result.status for result in results} == {"not run"}
    packages = "coq libcoq-mathcomp-algebra libcoq-mathcomp-algebra-tactics libcoq-flocq libcoq-coquelicot libcoq-gappa gappa"
    assert {result.reason for result in results} == {f"coqc, coqdep, coqtop not found: apt-get install {packages}"}
    assert not (tmp_path / "build").exists()


@pytest.mark.slow
@needs_coq
def test_without_gappa_what_needs_it_is_not_run(monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    for program in coq_build.PROGRAMS:
        (tmp_path / "bin" / program).symlink_to(str(shutil.which(program)))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "Planted.v").write_text(f"From Gappa Require Import Gappa_tactic.\n{TRIVIAL}")
    (tmp_path / "Planted.toml").write_text(TABLE + '[theorem.planted]\nstatement = "planted"\n')
    [result] = coq_layer.check(tmp_path, tmp_path / "build")
    assert (result.status, re.findall("gappa$", result.reason)) == ("not run", ["gappa"])


def test_the_command_tells_both_layers(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    called = CliRunner().invoke(app.app, ["prove", "--coq", "--lemma", "scan-action", "--json"])
    told = json.loads(called.stdout)
    assert called.exit_code == exits.UNDECIDED
    assert [(lemma["name"], lemma["status"]) for lemma in told["lemmas"]] == [("scan-action", "proved")]
    assert [(theorem["name"], theorem["status"]) for theorem in told["theorems"]] == [("act_compose", "not run")]
    shown = CliRunner().invoke(app.app, ["prove", "--coq", "--lemma", "scan-action"])
    assert re.search(r"scan-action .* proved +not run", shown.stdout)
    assert shown.stdout.count("apt-get install coq") == 1


def test_without_coq_the_command_says_nothing_of_it(monkeypatch):
    monkeypatch.setattr(coq_layer, "check", None)
    told = json.loads(CliRunner().invoke(app.app, ["prove", "--lemma", "scan-action", "--json"]).stdout)
    assert told.keys() == {"format", "lemmas"}


def test_the_sources_are_not_a_build_folder():
    with pytest.raises(ValueError, match="build: found the folder of the sources"):
        coq_build.prepare(SOURCES, SOURCES)
