"""Reports with one of everything, and what a page is made of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from scanproof.report.model import (
    CheckRow,
    GoldenRow,
    Growth,
    LawRow,
    LemmaRow,
    MutantRow,
    RecordingRow,
    RunReport,
    SpeedRow,
)

INF = float("inf")
VOID = {"meta"}
HOSTILE = "<script>alert(1)</script>\"'&amp;$\\frac{_javascript:\x00\u202e\n中"


def law(name: str, verdict: str, ratios: list[float], **counts: int) -> LawRow:
    return LawRow.model_validate({
        "name": name, "statement": f"what {name} says", "verdict": verdict, "counts": counts,
        "ratio": max(ratios, default=0.0), "ratios": ratios, "seconds": 1.25,
    })  # fmt: skip


def timed(contestant: str, output: str, verdict: str, gb_per_s: float | None, reason: str = "") -> SpeedRow:
    """One row of the benchmark; without a timing where gb_per_s is None."""
    numbers = {"first_ms": 1803.25, "median_ms": 2.25, "minimum_ms": 1.875, "quartiles_ms": [2.125, 3.5], "rounds": 7, "calls": 3}
    return SpeedRow.model_validate({
        "case": "wide", "dtype": "complex64", "lam": "constant", "shape": [16, 1024, 256], "contestant": contestant,
        "output": output, "threads": 4, "verdict": verdict, "reason": reason, "sequences": 5, "states": 4096,
        "timing": gb_per_s and numbers | {"moved_bytes": 67110912, "gb_per_s": gb_per_s, "ratio": 0.5625},
    })  # fmt: skip


def full() -> RunReport:
    """Accepted, rejected, not run, not offered, infinite: one of each."""
    ours = [law("integer-cases", "within", [0.0, 0.0], within=2), law("reverse", "not offered", [], **{"not offered": 7})]
    theirs = [law("integer-cases", "outside", [0.0, INF], within=1, outside=1), law("reverse", "undecided", [0.37], undecided=1)]
    return RunReport(
        scanproof="0.1.0", command="scanproof verify --seed 41", seed=41, started="2026-01-02T03:04:05Z", seconds=71.5,
        machine={"system": "Linux", "numpy": "2.4.6"}, accepted=False, faults=["peer is outside", "tail-chunk survived"],
        lemmas=[
            LemmaRow(name="associativity", status="proved", statement="(a b) c = a (b c)", source="Blelloch 1990",
                     method="algebra", N="any", claims=3, mutants=5, seconds=0.21),
            LemmaRow(name="other", status="not run", statement="x", source="y", method="z", N="any", claims=0, mutants=0,
                     seconds=0, reason="the prover is not installed"),
        ],
        checks=[
            CheckRow(implementation="diagonal", ours=True, declared="float32, sequential", dtype="float32", system="scan",
                     verdict="within", reason="not refuted", ratio=0.0, bits_lost=2.5, informative=0.875, laws=ours, seconds=8.5),
            CheckRow(implementation="peer", ours=False, declared="float32, any order", dtype="float32", system="scan",
                     verdict="outside", reason="integer-cases: proved", ratio=INF, bits_lost=13.2, informative=0.625, laws=theirs,
                     not_refuted_under="daz", witness="witness-integer-cases-00ff.json", seconds=9.75),
            CheckRow(implementation="absent", ours=False, declared="float64", dtype="float64", system="lru",
                     verdict="not run", reason="jax is not installed"),
        ],
        mutants=[
            MutantRow(system="scan", name="zeros", fault="returns zeros", dtype="float32", verdict="outside", caught_by=["integer-cases"],
                      ratio=INF, ratios=[INF, 7.5], witness="witness-1"),
            MutantRow(system="scan", name="tail-chunk", fault="drops the last carry", dtype="complex64", verdict="within", caught_by=[],
                      ratio=0.83, ratios=[0.83], witness=None),
        ],
        recordings=[
            RecordingRow(recording="eeg.dat", implementation="diagonal", dtype="float32", verdict="within", reason="not refuted",
                         ratio=0.0123, bits_lost=3.5, steps=800),
            RecordingRow(recording="eeg.dat", implementation="absent", dtype="float64", verdict="not run",
                         reason="jax is missing"),
        ],
        golden=[
            GoldenRow(implementation="diagonal", dtype="float32", verdict="within", reason="21 of 23 cases",
                      counts={"nearest": 4, "within": 17, "outside": 0, "not offered": 2}),
            GoldenRow(implementation="absent", dtype="float64", verdict="not run", reason="jax went missing"),
        ],
        growth=[Growth(implementation="diagonal", dtype="float32", modulus=0.999, lengths=[1, 10, 100],
                       error=[0.0, 1e-7, 3e-7], allowance=[0.0, 1e-6, INF])],
        speed=[timed("numpy copy", "given", "reference", 16.5), timed("numpy copy", "fresh", "reference", 7.75),
               timed("diagonal", "given", "within", 29.25), timed("blind", "fresh", "undecided", 0.625, "too blind"),
               timed("zeros scan", "fresh", "outside", None, "3 of 9 exceed"),
               timed("lazy", "fresh", "not run", None, "jax is away")],
    )  # fmt: skip


def empty(accepted: bool = True) -> RunReport:
    nothing: dict[str, Any] = {name: [] for name in ("lemmas", "checks", "mutants", "recordings", "golden", "growth", "speed")}
    faults = [] if accepted else ["a lemma was refused"]
    return RunReport.model_validate(full().model_dump() | {"accepted": accepted, "faults": faults} | nothing)


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Every string that a user or a machine could have chosen, changed."""
    fixed = {"format", "verdict", "status", "lam", "output"}
    if isinstance(value, dict):
        return {key: item if key in fixed else mapped(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [mapped(item, change) for item in value]
    return change(value) if isinstance(value, str) and value else value


class Page(HTMLParser):
    """Elements in order, texts by the element they are in, ids and references; raises on unbalanced tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"closed, never opened: {tag}"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts.setdefault(tag, []).append(data)

    def values(self, *names: str) -> list[str]:
        return [value for name, value in self.attributes if name in names]

    def text(self, tag: str = "body") -> str:
        return " ".join(self.texts.get(tag, []))


def dangling(text: str) -> list[str]:
    """Ids given twice and references to nothing."""
    parsed = Page(text)
    ids = Counter(parsed.values("id"))
    wanted = [ref[1:] for ref in parsed.values("href", "xlink:href")] + re.findall(r"url\(#([^)]*)\)", text)
    return [name for name, n in ids.items() if n > 1] + [name for name in wanted if name not in ids]


def open_doors(text: str) -> list[str]:
    """Whatever would load or run something."""
    namespaces = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    addresses = re.findall(r"\w+://[^\"'\s<]*|url\((?!#)[^)]*\)|@import", namespaces)
    parsed = Page(text)
    handlers = [name for name, _ in parsed.attributes if name.startswith("on") or name in ("src", "srcdoc", "action", "data")]
    links = [ref for ref in parsed.values("href", "xlink:href") if not ref.startswith("#")]
    active = [tag for tag in parsed.tags if tag in ("script", "iframe", "object", "embed", "link", "base", "form")]
    return addresses + handlers + links + active


def invented(text: str, source: RunReport) -> set[float]:
    """Numbers in cells, headings and lists that are neither in the report nor a count of its rows."""
    number = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?:e[+-]\d+)?(?![\w.]*\w)")
    exact = {float(x) for x in number.findall(source.model_dump_json())}
    known = exact | {float(f"{x:.3g}") for x in exact} | {float(f"{x:.0f}") for x in exact if x >= 1000}
    known |= set(range(1 + max(len(source.checks), len(source.mutants), len(source.recordings), len(source.lemmas))))
    known |= set(range(1 + len({c.implementation for c in source.checks} | {row.contestant for row in source.speed})))
    known |= {len(law.ratios) for check in source.checks for law in check.laws}
    shown = " ".join(Page(text).text(tag) for tag in ("td", "th", "h1", "header", "li", "dd"))
    return {float(x) for x in number.findall(shown)} - known
