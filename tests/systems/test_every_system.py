"""The whole contract over every registered system, and over two toys that are registered here."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import derivatives
import flint
import numpy as np
import pytest
from layer_truth import BITS, Dual, agree, ball
from toy import toys

import scanproof
from scanproof.golden import answers, judging, lint, making, store
from scanproof.golden.recipes import COLLECTIONS
from scanproof.properties import check, shrink
from scanproof.properties.domain import Domain
from scanproof.properties.files import numbers
from scanproof.properties.implementation import Question
from scanproof.properties.laws import laws_of
from scanproof.properties.results import received
from scanproof.properties.room import Draw, FaultyImplementation, Room
from scanproof.properties.systems import ROOMS
from scanproof.properties.verdict import judged
from scanproof.properties.witness import Witness, contradiction, read
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.call import Call
from scanproof.reference.numbers import namespace
from scanproof.reference.systems import SYSTEMS, speaks, tables

ROOM: dict[str, Room] = {**ROOMS, **toys.ROOMS}
EVERY = list(ROOM)
BATCHED = [name for name in EVERY if ROOM[name].system.timed]
ADJOINTS = [name for name in EVERY if ROOM[name].system.gradients]
GOLDEN = [*COLLECTIONS, *toys.COLLECTIONS]
FAULTS = [(name, fault) for name in EVERY for fault in ROOM[name].faults()]
SHORT, LONG = (1, 2, 3), (1, 2, 3, 5, 9, 17)  # a chunk of 16 and one step, and halves of it
OF_CHUNKS = re.compile("drops-carry|scales-carry|tail-chunk")  # shown by 17 steps, others by 2
OF_GRADIENTS = re.compile("gradient|skewed")
OTHER_FORM = {"rotrnn-B-as-output", "rotrnn-D-batch"}  # results that are no results
ROOT = Path(__file__).parents[2]
CONTRACT = (ROOT / "docs/contract.md").read_text(encoding="utf-8")
ADDING = (ROOT / "docs/adding-a-system.md").read_text(encoding="utf-8")


def small(room: Room, lengths: tuple[int, ...] = SHORT, others: tuple[int, ...] = (1, 2)) -> Domain:
    """Few sizes of every axis that a domain may speak of; states are even, as rotations need."""
    sizes = {"lengths": lengths, "channels": others, "states": tuple(2 * n for n in others)}
    accepted: dict[str, Any] = {name: frozenset(sizes[name]) for name in room.axes}
    return Domain(**accepted)


def words(room: Room, dtype: str) -> dict[str, Any]:
    """A declaration that needs no second judgement."""
    return {"dtype": dtype} | ({"stages": "formed"} if speaks(room.system, "stages") else {})


def drawn(name: str, two: bool = False, **sizes: int) -> Call:
    """A call with everything that the system has, in two sequences and few steps."""
    room = ROOM[name]
    chosen = {**room.deck(small(room), 3)[-1], **sizes}
    draw = Draw(room, Arithmetic("float64"), small(room), chosen, seed=1)
    return draw.pulled(draw.started(draw.call(two=two)))


def plain(call: Call) -> dict[str, Any]:
    """The arguments that `run` needs: all but cotangents."""
    return {name: call[name] for name in call.arguments if call.system.argument[name].of is None}


def balls(call: Call) -> Call:
    return Call(call.system, {name: ball(x) for name, x in call.arguments.items()}, call.reverse)


def run(call: Call) -> dict[str, Any]:
    more = {"reverse": True} if call.reverse else {}
    return scanproof.run(call.system, **plain(call), **more)


def vjp(call: Call) -> dict[str, Any]:
    return scanproof.vjp(call.system, call.cotangents(), **plain(call), reverse=call.reverse)


# ---------------------------------------------------------------- the search


@pytest.mark.parametrize("name", EVERY)
def test_an_honest_program_is_within(name: str) -> None:
    room = ROOM[name]
    report = scanproof.check(
        name, room.honest, domain=small(room), cases=1, **words(room, "float32")
    )
    assert report.verdict == "within", str(report)
    verdicts = {law.name: law.verdict for law in report.laws}
    assert list(verdicts) == [law.name for law in laws_of(room)]
    assert set(verdicts.values()) <= {"within", "not offered", "not run"}
    assert not room.system.gradients or verdicts["gradients"] == "within"


def refuted(name: str, fault: FaultyImplementation) -> Any:
    """The report of the first law that refutes a fault, among those that decide."""
    room, dtype = ROOM[name], fault.dtypes[0]
    domain = small(room, LONG if OF_CHUNKS.search(fault.name) else SHORT)
    laws = room.decisive(Arithmetic(dtype), domain)
    if OF_GRADIENTS.search(fault.name):
        laws, domain = ["gradients"], small(room, (1, 2), (1,))
    for law in laws:
        report = scanproof.check(
            name, fault.implementation, laws=[law], domain=domain, cases=1, **words(room, dtype)
        )
        if report.verdict == "outside" or report.fault:
            return report
    raise AssertionError(f"{fault.name}: found no law that refutes it")


@pytest.fixture
def shrunk(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Call, Call]]:
    """Failing calls and what they shrink to, without a deadline or a search for explanations."""
    pairs = []

    def spy(call: Call, *more: Any) -> Call:
        pairs.append((call, shrink.shrink(call, *more)))
        return pairs[-1][1]

    monkeypatch.setattr(shrink, "SECONDS", np.inf)
    monkeypatch.setattr(check, "shrink", spy)
    monkeypatch.setattr(check, "explained", lambda verdict, *_: verdict)
    return pairs


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[fault.name for _, fault in FAULTS])
def test_every_fault_is_refuted_shrunk_and_told_in_a_witness(
    name: str, fault: FaultyImplementation, shrunk: list[tuple[Call, Call]], rechecked: Any, tmp_path: Path
) -> None:
    report = refuted(name, fault)
    assert (report.headline == "contract broken") == (fault.name in OTHER_FORM), str(report)
    if report.fault:
        return
    [(failing, smallest)] = shrunk
    assert all(smallest.size(axis) <= failing.size(axis) for axis in failing.layout.sizes)
    assert smallest.size("time") <= (17 if OF_CHUNKS.search(fault.name) else 2)
    witness = report.witness
    assert witness.call().described() == smallest.described()
    path = witness.write(tmp_path)
    assert read(path) == witness
    again = judged(witness.got(), witness.call(), witness.declared())
    assert again.verdict == "outside"
    assert contradiction(witness, again) is None
    assert rechecked(path) == "confirmed"
    for lie in lies(witness, report.failure.worst.error):
        assert contradiction(lie, again) is not None
        assert rechecked(lie.write(tmp_path)).startswith("refuted: ")


def lies(witness: Witness, error: float) -> list[Witness]:
    """The same witness with an allowance that admits it, and with another truth."""
    found = [witness.model_copy(update={"allowance": (2 * error).hex()})]
    exact, parts = witness.evidence.exact, witness.evidence.parts
    if exact:
        raised = [hex(int(n, 16) + 2**exact.exponent) for n in exact.numerators]
        other: dict[str, Any] = {"exact": exact.model_copy(update={"numerators": raised})}
    elif parts:
        other = {"parts": [((float.fromhex(head) + 1).hex(), tail) for head, tail in parts]}
    else:
        return found  # a direction proves what it proves, and is no truth
    evidence = witness.evidence.model_copy(update=other)
    return [*found, witness.model_copy(update={"evidence": evidence})]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.usefixtures("shrunk")
def test_a_witness_is_confirmed_by_a_program_of_its_own(
    name: str, folder: Path, tmp_path: Path
) -> None:
    fault = next(each for each in ROOM[name].faults() if each.name not in OTHER_FORM)
    path = refuted(name, fault).witness.write(tmp_path)
    done = subprocess.run(
        [sys.executable, "-I", str(folder), str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "confirmed, given the recorded allowance\n"


@pytest.mark.parametrize("name", toys.ROOMS)
def test_a_failure_of_a_new_system_is_explained(name: str) -> None:
    report = refuted(name, toys.ROOMS[name].faults()[0])
    weaker = report.failure.weakest
    assert "tf32" not in weaker
    assert "tf32" in report.failure.not_refuted_under
    assert "daz" in weaker


# ---------------------------------------------------------------- golden cases


@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_case_is_made_linted_and_answered(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "_fits", lambda *_: {})  # looks for no weaker declaration
    case = golden(name)
    path = store.write(case, tmp_path)
    assert store.read(path) == case
    assert list(lint.faults(tmp_path)) == []
    asked = answers.question(case)
    assert {"results", "truth", "magnitude", "allowances"} & asked.keys() == {"results"}
    got = received(ROOM[name].honest(**case.call().keywords()), case.call().system)
    assert set(got) <= set(asked["results"])
    assert any(each.startswith("gradient") for each in got) == (name in ADJOINTS)
    arithmetic = case.allowances[0].declared()
    assert status(case, got, arithmetic) in ("nearest", "within")
    for each in (next(iter(got)), list(got)[-1]):
        wrong = got | {each: got[each] * got[each].dtype.type(1.5)}
        assert status(case, wrong, arithmetic) == "outside"


def golden(name: str) -> Any:
    """The case of the shortest call of a system, one with cotangents if there are such."""
    collection = COLLECTIONS[name]
    bars, found = collection.system.named("cotangent"), []
    for recipe in collection.recipes:
        call = recipe.draw(making.Draw(recipe.dtypes[0], recipe.slug))
        if all(bar in call for bar in bars):
            found.append((making.called(collection.system, call).size("time"), recipe))
    recipe = min(found, key=lambda each: each[0])[1]
    return making.make(recipe, recipe.dtypes[0], collection)


def status(case: Any, got: dict[str, Any], arithmetic: Arithmetic) -> str:
    """The verdict over answers that went through a line of text."""
    line = json.dumps({"id": case.id, **{name: numbers(x).model_dump() for name, x in got.items()}})
    found = answers.collect([line], {case.id: case})
    return judging.judge([case], found, {case.dtype: arithmetic}).cases[0].status


# ---------------------------------------------------------------- the reference


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", ADJOINTS)
def test_gradients_are_those_of_dual_numbers(
    name: str, reverse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(namespace.OBJECTS, Dual, lambda: derivatives.NAMESPACE)
    second = any(each.second for each in ROOM[name].system.arguments)
    with flint.ctx.workprec(BITS):
        call = balls(drawn(name, two=second and reverse, batch=2).but(reverse=reverse))
        found, expected = vjp(call), derivatives.gradients(call)
        assert list(found) == [each for each in call.system.gradients if each in call.arguments]
        for argument in found:
            assert agree(found[argument], expected[argument]), argument
            assert not agree(found[argument] + 1, expected[argument])


@pytest.mark.parametrize("name", BATCHED)
def test_a_call_without_a_batch_axis_is_a_row_of_one_with(name: str) -> None:
    with flint.ctx.workprec(BITS):
        call = balls(drawn(name, batch=2))
        whole = run(call)
        for row in range(2):
            alone = run(bare(call, row))
            assert all(agree(alone[each], whole[each][row]) for each in whole)
        if call.system.gradients:
            grads, alone = vjp(call.take("batch", [1])), vjp(bare(call, 1))
            lost = {each for each in grads if grads[each].ndim != alone[each].ndim}
            assert lost == {each for each in grads if "batch" in call.axes(each)}
            assert all(agree(grads[each].squeeze(), alone[each].squeeze()) for each in grads)


def bare(call: Call, row: int) -> Call:
    """One row of a call, without its batch axis."""
    one = {name: x[row] if "batch" in call.axes(name) else x for name, x in call.arguments.items()}
    return Call(call.system, one, call.reverse)


@pytest.mark.parametrize("name", [name for name in EVERY if ROOM[name].system.timed])
def test_reverse_is_flip_run_flip(name: str) -> None:
    second = any(each.second for each in ROOM[name].system.arguments)
    with flint.ctx.workprec(BITS):
        call = balls(drawn(name, two=second).but(reverse=True))
        found, flipped, forwards = run(call), run(call.flipped()), run(call.but(reverse=False))
        for each, x in flipped.items():
            time = call.time_axis(each)
            assert agree(found[each], x if time is None else np.flip(x, time))
        assert not all(agree(found[each], forwards[each]) for each in found)


@pytest.mark.parametrize("name", EVERY)
def test_a_question_travels_to_another_process(name: str) -> None:
    call = drawn(name)
    call = call.but(reverse=True) if call.system.timed else call
    question = Question.of(call, poison=True)
    again = pickle.loads(pickle.dumps(question))
    assert again.keywords.keys() == question.keywords.keys()
    assert all(np.array_equal(x, again.keywords[key]) for key, x in question.keywords.items())
    told = (again.required, again.described, again.poison)
    assert told == (call.system.required, call.described(), True)


# ---------------------------------------------------------------- what is refused, and the docs


def refusal(call: Call, **changes: Any) -> str:
    """The one line in which `run` refuses a call."""
    arguments = {name: x for name, x in {**plain(call), **changes}.items() if x is not None}
    with pytest.raises((TypeError, ValueError)) as caught:
        scanproof.run(call.system, **arguments)
    [line] = str(caught.value).splitlines()
    assert re.fullmatch(r"\w+: found .*, expected .*", line), line
    return line


@pytest.mark.parametrize("name", EVERY)
def test_unknown_and_missing_arguments_are_named_in_one_line(name: str) -> None:
    call = drawn(name)
    assert refusal(call, zeta=call.arguments).startswith("zeta: found another argument, expected ")
    for each in call.system.required:
        assert refusal(call, **{each: None}).startswith(f"{each}: found none, expected ")


@pytest.mark.parametrize("name", EVERY)
def test_axes_that_do_not_fit_are_named_in_one_line(name: str) -> None:
    call = drawn(name)
    shared = Counter(axis for each in plain(call) for axis in call.axes(each))
    for each in plain(call):
        deeper = np.expand_dims(call[each], (0, 1, 2))
        assert refusal(call, **{each: deeper}).startswith(f"{each}: found shape ")
        for place, axis in enumerate(call.axes(each)):
            if shared[axis] > 1:
                longer = np.concatenate([call[each], call[each].take([0], place)], place)
                line = refusal(call, **{each: longer})
                assert line.partition(":")[0] in plain(call)
                assert axis in line


@pytest.mark.parametrize("name", EVERY)
def test_the_table_of_a_system_is_generated(name: str) -> None:
    system = {**SYSTEMS, **{each: room.system for each, room in toys.ROOMS.items()}}[name]
    lines = list(tables.section(system))
    rows = [line.split("`")[1] for line in lines if line.startswith("| `")]
    assert rows == [*system.keywords, *system.result]
    assert ("\n".join(lines) in CONTRACT) == (name not in toys.ROOMS)


def test_the_page_on_adding_a_system_shows_the_toy() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/toy").glob("*.py"))
    shown = re.findall(r"```python\n(.*?)```", ADDING, re.DOTALL)
    assert len(shown) == 2
    assert all(block in code for block in shown)


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_files_of_a_system_are_where_the_page_says(name: str) -> None:
    rows = re.findall(r"^\| `(\S+NAME.py)` \| .* \| (.*) \|$", ADDING, re.MULTILINE)
    assert len(rows) == 4
    for file, registry in rows if name in GOLDEN else rows[:3]:
        assert (ROOT / file.replace("NAME", name)).is_file()
        for module in re.findall(r"`(\S+\.py)`", registry):
            assert re.search(rf"\b{name}\.[A-Z]+\b", (ROOT / module).read_text(encoding="utf-8"))
