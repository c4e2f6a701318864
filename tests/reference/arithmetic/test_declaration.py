"""The declaration and what is generated from its fields: readers, text, options, neighbours, the docs' table."""

import json
import re
from dataclasses import fields

import pytest
import typer
from typer.testing import CliRunner

from scanproof.cli.app import app
from scanproof.cli.declared import options
from scanproof.cli.options import declares
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import format_of
from scanproof.reference.arithmetic.operations import roundings
from scanproof.reference.arithmetic.word import word_of
from scanproof.reference.systems import SYSTEMS, system_of, tables, weaker
from scanproof.reference.systems import declared as declared_of

NAMES = [f.name for f in fields(Arithmetic)]
SAID = [
    Arithmetic("float32"),
    Arithmetic("bfloat16", "ftz", False, "chunked:8", "float32", "chunk", "tf32", "matrix"),
    Arithmetic("float64", order="fft", assumed=2.0),
    Arithmetic("float32", stages="formed", adjoint="recurrence", sums="blocked", expm="jax", gain="one-minus-square"),
]


def test_the_table_has_a_row_for_every_word():
    rows = tables.declaration().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == NAMES


@pytest.mark.parametrize("said", SAID, ids=str)
def test_words_are_read_again(said):
    words = json.loads(json.dumps(said.words()))
    assert Arithmetic.from_words(words) == said
    assert Arithmetic.from_words({name: getattr(said, name) for name in NAMES}) == said
    assert words.keys() - {"dtype"} == {name for name in NAMES[1:] if getattr(said, name) != getattr(SAID[0], name)}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"dtype": "float32", "stage": "formed"}, f"word: found 'stage', expected one of {', '.join(NAMES)}"),
        ({"order": "any"}, "dtype: found nothing, expected one of float16, bfloat16, "),
        ("float32", "words: found str, expected a mapping over dtype, subnormals, "),
        ({"dtype": {}}, "dtype: found "),
        ({"dtype": "float32", "accumulate": []}, "accumulate: found "),
        ({"dtype": "float32", "stages": "graph"}, "stages: found 'graph', expected one of formed, any"),
        ({"dtype": "float32", "stages": []}, "stages: found [], expected one of formed, any"),
    ],
    ids=str,
)
def test_other_words_are_one_line(words, told):
    with pytest.raises(ValueError, match="^" + re.escape(told)) as error:
        Arithmetic.from_words(words)
    assert "\n" not in str(error.value)


def test_stages_are_told_where_they_are_declared():
    assert str(Arithmetic("float32")) == "float32, gradual subnormals, any contraction, order any"
    for stages in ("formed", "any"):
        assert str(Arithmetic("float32", stages=stages)).endswith(f", order any, stages {stages}")


@pytest.mark.parametrize("said", SAID, ids=str)
def test_options_say_the_declaration(said):
    """The command line that repeats a declaration, read by a command that has its options."""
    heard = []

    def command(*, words: dict) -> None:
        heard.append(Arithmetic.from_words(words))

    one = typer.Typer()
    one.command()(declares(command))
    result = CliRunner().invoke(one, options(said))
    assert (result.exit_code, heard) == (0, [said])


@pytest.mark.parametrize("command", [["check"], ["judge"], ["golden", "judge"]], ids=" ".join)
def test_every_word_has_its_help(command):
    shown = " ".join(CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"}).stdout.split())
    for f in fields(Arithmetic)[1:]:
        assert f"--{f.name}" in shown
        assert " ".join(word_of(f).help.split()) in shown


def test_what_is_proposed_admits_more():
    """Each change is another declaration that its system can have; the likelier first."""
    strict = Arithmetic("float32", contraction=False, order="sequential", accumulate="float64", store="step", stages="formed")
    names = [next(iter(words)) for words in weaker(SYSTEMS["rotrnn"], strict)]
    assert names == [*("gain", "expm", "stages", "subnormals", "subnormals", "contraction", "store", "order", "accumulate"),
                     *("rounding", "rounding", "operands")]  # fmt: skip
    assert weaker(SYSTEMS["scan"], strict) == [words for words in weaker(SYSTEMS["lru"], strict) if "stages" not in words]
    assert weaker(SYSTEMS["expm"], Arithmetic("float32")) == [{"expm": "jax"}]
    assert weaker(SYSTEMS["scan"], Arithmetic("float32", "daz", rounding="matrix", operands="tf32")) == []


@pytest.mark.parametrize(
    ("system", "words", "told"),
    [
        ("scan", {"stages": "any"}, "stages: found any with system scan, which has no such choice, expected nothing declared"),
        ("scan", {"assumed": 2.0}, "assumed: found 2.0 with order any, expected 1: nothing is assumed there"),
        ("lru", {"gain": "one-minus-square"}, "gain: found one-minus-square with system lru, which has no such choice"),
        ("lru", {"dtype": "complex64"}, "dtype: found complex64 with system lru, expected float16, bfloat16, float32 or float64"),
        ("mamba", {}, "system: found 'mamba', expected one of scan, lru, rotrnn, expm"),
    ],
)
def test_a_declaration_of_another_system_is_refused(system, words, told):
    with pytest.raises(ValueError, match=f"^{told}"):
        declared_of(system_of(system), Arithmetic(**{"dtype": "float32"} | words))


def test_what_systems_assume_and_do_not_model():
    added = Arithmetic("float32", "daz", order="angle-sum")
    assert SYSTEMS["rotrnn"].unmodelled(added) is None
    assert SYSTEMS["scan"].unmodelled(added) == "no allowance is known for order angle-sum with subnormals daz"
    assert SYSTEMS["lru"].unmodelled(Arithmetic("float32", order="fft")) == "no allowance is known for order fft in a layer"
    wider = Arithmetic("float32", accumulate="float64")
    assert SYSTEMS["expm"].unmodelled(wider) == "no allowance is known for the matrix exponential with accumulate float64"
    assert [system.assumes(Arithmetic("float32")) for system in SYSTEMS.values()] == [False, True, True, True]


def test_a_format_may_be_declared_itself():
    form = format_of("float32")._replace(name="mine")
    assert str(Arithmetic(form)).startswith("mine, gradual subnormals")
    assert roundings(Arithmetic(form), False) == roundings(Arithmetic("float32"), False)
    assert roundings(Arithmetic(form._replace(components=2)), True) == roundings(Arithmetic("complex64"), True)
