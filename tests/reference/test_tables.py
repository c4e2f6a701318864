"""The tables of docs/contract.md and docs/declaration.md: those of the systems and words, and what they say is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calls import drawn

import scanproof
from scanproof.reference.call import kinds_of
from scanproof.reference.systems import SYSTEMS, tables

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "contract.md").read_text()
CASES = [
    (name, dtype, two)
    for name, system in SYSTEMS.items()
    for dtype in ("float32", "float64")
    for two in ((False, True) if any(each.second for each in system.arguments) else (False,))
]


@pytest.mark.parametrize("name", tables.PAGES)
def test_the_committed_page_is_the_generated_one(name: str, tmp_path: Path) -> None:
    for page in tables.PAGES:
        (tmp_path / page).write_text((DOCS / page).read_text().replace("| ", "| old "))
    tables.main(tmp_path)
    before, _, rest = (DOCS / name).read_text().partition(tables.BEGIN)
    assert (tmp_path / name).read_text().partition(tables.BEGIN)[2] == rest, "run python -m scanproof.reference.systems.tables docs"
    assert len(before) > 500


def test_a_page_without_a_place_for_tables_is_refused() -> None:
    for page in ("", tables.BEGIN, f"{tables.END}{tables.BEGIN}"):
        with pytest.raises(ValueError, match=r"^page: found no place for tables, expected <!-- generated: begin -->"):
            tables.inserted(page, "")
    assert tables.inserted(f"a {tables.BEGIN} old {tables.END} b", "new") == f"a {tables.BEGIN}\n\nnew\n{tables.END} b"


def section(system: str) -> str:
    return next(part for part in re.split("^### ", PAGE, flags=re.MULTILINE) if part.startswith(f"`{system}`"))


def rows(system: str) -> list[list[str]]:
    """Name, role, axes, numbers, meaning."""
    lines = re.findall(r"^\| (`.*) \|$", section(system), re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def said(system: str, dtype: str, two: bool, roles: str) -> dict[str, set[tuple[Any, str]]]:
    """Every shape, in names of axes, and every dtype that the page allows."""
    kinds, found = kinds_of(dtype), {}
    for name, role, axes, numbers, _ in rows(system):
        if re.match(roles, role) and axes:
            texts = [text if two else text.replace("[directions], ", "") for text in axes.split(" or ")]
            shapes = [tuple(re.findall(r"\w+", text)) for text in texts]
            found[name.strip("`")] = {(shape, kinds[number]) for shape in shapes for number in numbers.split(" or ")}
    return found


@pytest.mark.parametrize(("system", "dtype", "two"), CASES)
def test_arguments_and_results_are_as_the_page_says(system: str, dtype: str, two: bool) -> None:
    timed, known = SYSTEMS[system].timed, SYSTEMS[system]
    call = drawn(system, dtype, start=timed, bars=bool(known.gradients), two=two)
    told = said(system, dtype, two, "(?!result)")
    for name, x in call.arguments.items():
        assert (tuple(call.axes(name)), x.dtype.name) in told[name]
    assert told.keys() - call.arguments.keys() == {each.name for each in known.arguments if each.second and not two}
    optional = {name.strip("`") for name, role, *_ in rows(system) if "optional" in role}
    assert optional == {*known.keywords} - known.required
    results = {name: (call.layout.shape(known.result[name].axes), x) for name, x in said(system, dtype, two, "result").items()}
    expected = call.expected(dtype)
    assert {name: form for name, form in expected.items() if not name.startswith("gradient")} == {
        name: (shape, next(iter(forms))[1]) for name, (shape, forms) in results.items()
    }
    assert {name for name in expected if name.startswith("gradient")} == {
        f"gradient {name}" for name in named(system, "gradient_NAME") if name in call.arguments
    }
    assert {*named(system, "constant_NAME")} == {name.removeprefix("constant ") for name in call.expected_constants(dtype)}


def named(system: str, group: str) -> list[str]:
    """The names that the page lists for gradients or constants."""
    line = re.search(f"^- `{group}`.*: (.*)$", section(system), re.MULTILINE)
    return re.findall(r"`(\w+)`", line.group(1)) if line else []


def test_a_complex_gradient_is_that_of_the_page() -> None:
    """y = Re(C lam h0) + ... of one step: d sum(y_bar y) / d h0 = conj(C lam) y_bar, as dRe + i dIm."""
    call = drawn("lru", "float64", {"time": 1}, start=True, bars=True)
    lam = np.exp(-np.exp(call["nu_log"]) + 1j * np.exp(call["theta_log"]))
    C = call["C_re"] + 1j * call["C_im"]
    exact = np.conj(lam) * np.einsum("ws,bw->bs", np.conj(C), call["y_bar"][:, 0])
    assert scanproof.judge("lru", {"grads": {"h0": exact}}, **call.arguments).verdict in ("within", "nearest")
    assert scanproof.judge("lru", {"grads": {"h0": exact.conj()}}, **call.arguments).verdict == "outside"
