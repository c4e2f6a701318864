"""What `scanproof judge` does: the verdict over a recorded call (.npz) or a witness (.json)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scanproof.cli.check_output import NONE
from scanproof.cli.declared import declared
from scanproof.cli.exits import OF_VERDICT
from scanproof.cli.output import console, element, number, print_json, waiting, word
from scanproof.cli.recorded import read as read_recorded
from scanproof.properties.explain import explained
from scanproof.properties.judge import judge
from scanproof.properties.verdict import Verdict, judged
from scanproof.properties.witness import contradiction, read
from scanproof.reference.systems import system_of

Words = Mapping[str, Any]  # of the declaration, but its dtype
WINDOW = (
    "error and allowance: of its window, from the printed state before it; truth: of the whole call"
)


def run(
    file: Path, system: str, dtype: str | None, words: Words, as_json: bool, quiet: bool
) -> int:
    """Judges the file in the declared arithmetic and returns the exit code."""
    with waiting("judging", quiet or as_json):
        witness = file.suffix == ".json"
        verdict = of_witness(file) if witness else of_recorded(file, system, dtype, words)
    if as_json:
        print_json({"format": "scanproof-verdict/1", "file": str(file), **verdict.as_dict()})
    elif quiet:
        console().print(word(verdict.verdict))
    else:
        show(verdict)
    return OF_VERDICT[verdict.verdict]


def of_recorded(file: Path, system: str, dtype: str | None, words: Words) -> Verdict:
    """The verdict over an .npz file. Raises ValueError or TypeError, in one line."""
    known = system_of(system)
    content = read_recorded(file, known, dtype)
    arithmetic = declared(system, {**words, "dtype": dtype or content.dtype})
    return judge(known, content.results, **content.arguments, arithmetic=arithmetic)


def of_witness(file: Path) -> Verdict:
    """The verdict over the call of a witness.

    Raises:
        ValueError: no witness, or one that does not say what judging its call again says.
    """
    content = read(file)
    call, got = content.call(), content.got()
    verdict = judged(got, call, content.declared())
    wrong = contradiction(content, verdict)
    if wrong:
        raise ValueError(f"witness: {file}: {wrong}")
    return explained(verdict, call, got)


def show(verdict: Verdict) -> None:
    """The verdict in a few lines."""
    out = console()
    grade = f" ({verdict.grade})" if verdict.grade else ""
    out.print(f"{word(verdict.verdict)}{grade}: ", end="")
    out.print(verdict.reason, markup=False)
    for line in _lines(verdict):
        out.print(line, markup=False)


def _lines(verdict: Verdict) -> Iterator[str]:
    yield f"as {verdict.arithmetic}"
    yield (
        f"largest error/allowance {number(verdict.ratio)}, bits lost {number(verdict.bits_lost)}, "
        f"informative {verdict.informative:.0%} of the sequences, "
        f"{verdict.rounded:.1%} of the elements correctly rounded"
    )
    if verdict.worst:
        yield element(verdict.worst)
    if verdict.window:
        yield f"  {WINDOW}"
    if verdict.unless:
        yield f"  outside if declared     {verdict.unless} (--{verdict.unless})"
    if verdict.verdict == "outside":
        yield f"  it fits                 {verdict.not_refuted_under or NONE}"
        yield f"  still outside as        {verdict.weakest}"
