"""The report: strict reading, a page that is whole, closed and honest, and plots whose dots lie where the numbers say."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from reports import HOSTILE, INF, Page, dangling, empty, full, invented, mapped, open_doors, timed

import scanproof.report.page
from scanproof import report
from scanproof.report.model import Growth, RunReport
from scanproof.report.page import page
from scanproof.report.plots import Bar, Strip, bars, growth, strips
from scanproof.report.tables import WORDS


@pytest.mark.parametrize("made", [full(), empty(), empty(accepted=False)])
def test_what_is_written_is_read_again(made: RunReport, tmp_path: Path) -> None:
    index = report.write(made, tmp_path / "build" / "report")
    assert index == tmp_path / "build" / "report" / "index.html"
    assert report.read(index.with_name("report.json")) == made
    assert sorted(path.name for path in index.parent.iterdir()) == ["index.html", "report.json"]


def changed(**new: Any) -> bytes:
    return json.dumps(json.loads(full().model_dump_json()) | new).encode()


TEXT = full().model_dump_json()


@pytest.mark.parametrize(("content", "says"), [
    (b"", "Invalid JSON"),
    (TEXT[: len(TEXT) // 2].encode(), "Invalid JSON"),
    (TEXT.encode() + b"}", "Invalid JSON"),
    (TEXT.encode("utf-16"), "Invalid JSON"),
    (b"[]", "file: "),
    (changed(surprise=1), "surprise: "),
    (changed(format="scanproof-report/1", surprise=1), "format: .*scanproof-report/3.*scanproof-report/1"),
    (TEXT.replace('"steps":800', '"steps":800,"speed":1').encode(), r"recordings\.0\.speed: "),
    (TEXT.replace('"verdict":"outside"', '"verdict":"correct"').encode(), r"checks\.1\.verdict: "),
    (TEXT.replace(',"steps":800', "").encode(), "missing, doubled or converted"),
    (TEXT.replace('"seed":41', '"seed":"41"').encode(), "missing, doubled or converted"),
    (TEXT.replace('"seed":41', '"seed":40,"seed":41').encode(), "missing, doubled or converted"),
    (TEXT.replace('"ours":true', '"ours":1').encode(), "missing, doubled or converted"),
])  # fmt: skip
def test_a_file_in_another_form_is_refused_in_one_line(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=says) as caught:
        report.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read .*none\.json: No such file"):
        report.read(tmp_path / "none.json")


def test_white_space_is_free(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(json.loads(TEXT), indent=4))
    assert report.read(path) == full()


def test_a_failing_page_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = report.write(full(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def broken(_: RunReport) -> str:
        raise RuntimeError("no page")

    monkeypatch.setattr(scanproof.report.page, "page", broken)
    with pytest.raises(RuntimeError):
        report.write(empty(), index.parent)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_importing_the_report_does_not_import_matplotlib() -> None:
    code = "import sys, scanproof.report; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    """Also in another process, with other hashes and with the user's own matplotlib settings."""
    first = report.write(full(), tmp_path / "a").read_bytes()
    with matplotlib.rc_context({"font.size": 23, "axes.grid": True, "lines.linewidth": 7, "savefig.pad_inches": 3}):
        assert report.write(full(), tmp_path / "b").read_bytes() == first
    code = "import sys; from scanproof import report; report.write(report.read(sys.argv[1]), sys.argv[2])"
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    subprocess.run([sys.executable, "-c", code, tmp_path / "a/report.json", tmp_path / "c"], check=True, env=environment)
    assert (tmp_path / "c/index.html").read_bytes() == first


@pytest.mark.parametrize("made", [full(), empty(), empty(accepted=False)])
def test_the_page_is_well_formed_and_closed(made: RunReport) -> None:
    text = page(made)
    assert text.startswith("<!DOCTYPE html>")
    assert dangling(text) == []
    assert open_doors(text) == []


@pytest.mark.parametrize("planted", [
    "<img src='x'>", "<p>http://example.org</p>", "<style>p { background: url(x.png) }</style>", "<script></script>",
    "<p onclick='x'></p>", "<a href='javascript:x'></a>",
])  # fmt: skip
def test_a_planted_door_is_found(planted: str) -> None:
    assert open_doors(f"<body>{planted.replace('<img', '<meta')}</body>")


@pytest.mark.parametrize("planted", ["<p>", "</p>", "<b><i></b></i>", "<main>"])
def test_a_planted_tag_is_found(planted: str) -> None:
    with pytest.raises(AssertionError):
        Page(page(empty()).replace("<main>", "<main>" + planted))


@pytest.mark.parametrize("planted", ["<p id='words'></p>", "<a href='#nowhere'></a>"])
def test_a_planted_reference_is_found(planted: str) -> None:
    assert dangling(page(empty()).replace("<main>", "<main>" + planted)) != []


def test_hostile_text_stays_text() -> None:
    """Strings full of markup change no element and no attribute name, and are shown as they are."""
    plain = page(full())
    hostile = page(RunReport.model_validate(mapped(full().model_dump(), lambda text: text + HOSTILE)))
    assert Page(hostile).tags == Page(plain).tags
    assert [name for name, _ in Page(hostile).attributes] == [name for name, _ in Page(plain).attributes]
    assert (open_doors(hostile), dangling(hostile)) == ([], [])
    shown = "<script>alert(1)</script>\"'&amp;$\\frac{_javascript:\ufffd\ufffd\ufffd中"
    for text in ("peer", "jax is missing", "returns zeros", "associativity", "eeg.dat", "peer is outside", "Linux", "witness-1"):
        assert text + shown in Page(hostile).text()


def test_every_number_comes_from_the_report() -> None:
    assert invented(page(full()), full()) == set()
    assert invented(page(full()).replace("</h1>", "</h1><td>97.3</td>"), full()) == {97.3}
    assert invented(page(full()), full().model_copy(update={"seconds": 1.0})) == {71.5}


@pytest.mark.parametrize("shown", [
    "∞", "0.83", "0.0123", "13.2", "0.875", "800", "8.5 s", "71.5 s", "41", "0.21 s", "0.37", "not offered 7 calls", "1 within",
])  # fmt: skip
def test_the_numbers_of_the_report_are_shown(shown: str) -> None:
    assert shown in Page(page(full())).text()


def test_a_ratio_beyond_one_never_looks_like_one() -> None:
    check = full().checks[0].model_copy(update={"ratio": 1.0000001})
    assert "1.0000001" in page(full().model_copy(update={"checks": [check]}))


def test_the_headline_says_why() -> None:
    rejected, accepted = Page(page(full())), Page(page(full().model_copy(update={"accepted": True, "faults": []})))
    assert rejected.text("h1") == "Not accepted: peer is outside."
    assert "tail-chunk survived" in rejected.text("header")
    assert accepted.text("h1") == (
        "Accepted: 1 of 2 lemmas proved, 1 of 2 checks of honest implementations refuted, 1 of 2 mutants rejected."
    )
    assert Page(page(empty(accepted=False))).text("h1") == "Not accepted: a lemma was refused."
    assert Page(page(empty())).text("h1").startswith("Accepted: 0 of 0 lemmas proved")


def test_a_surviving_mutant_screams() -> None:
    survivor = "1 mutant survived: tail-chunk (complex64)."
    assert survivor in Page(page(full())).text("strong")
    healthy = page(full().model_copy(update={"mutants": full().mutants[:1]}))
    assert ("survived:" in healthy, 'class="alarm"' in healthy) == (False, False)


@pytest.mark.parametrize("update", [{"caught_by": []}, {"verdict": "undecided"}, {"verdict": "not offered"}])
def test_only_a_proof_by_a_law_rejects_a_mutant(update: dict[str, Any]) -> None:
    mutant = full().mutants[0].model_copy(update=update)
    assert "1 mutant survived: zeros (float32)" in page(full().model_copy(update={"mutants": [mutant]}))


def test_what_was_not_run_has_no_figures() -> None:
    rows = [row for row in re.findall(r"<tr>.*?</tr>", page(full())) if "absent" in row]
    assert len(rows) == 4  # summary, laws, recordings, golden cases
    cells = [Page(row).text("td").replace("float64", "") for row in rows]
    assert all("not run" in text for text in cells)
    assert [re.findall(r"\d", text) for text in cells] == [[]] * 4


def test_nothing_is_called_correct() -> None:
    text = Page(page(full())).text()
    allowed = sum(meaning.count("correct") for meaning in WORDS.values())
    assert len(re.findall("correct", text)) == allowed == 2  # correct rounding; never "correct"
    assert all(meaning in text for meaning in WORDS.values())


def test_what_is_outside_or_not_run_has_no_speed() -> None:
    text = page(full())
    section = text[text.index('id="throughput"') : text.index('id="lemmas"')]
    rows = {Page(row).text("th"): re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>.*?</tr>", section)[1:]}
    measured = {name.split(" output")[0][2:].strip(): cells[1:8] for name, cells in rows.items()}
    times = ["2.25", "1.88", "2.12 – 3.5"]
    assert measured == {
        "numpy copy": [*times, "7.75", "0.562", "1803", "4"],  # the second one, with a fresh output
        "diagonal": [*times, "29.2", "0.562", "1803", "4"],
        "blind": [*times, "0.625", "0.562", "1803", "4"],
        "zeros scan": ["–"] * 7,
        "lazy": ["–"] * 7,
    }
    assert "zeros scan" not in section[: section.index("<table")].split("</ul>")[1]  # no bar, and none in its description


def test_a_timing_of_a_refuted_scan_is_no_report() -> None:
    for verdict in ("outside", "not run", "not offered"):
        with pytest.raises(ValueError, match=f"timing must be absent where the verdict is {verdict}"):
            timed("x", "given", verdict, 1.5)


def ends(svg: str, colour: str) -> tuple[float, float]:
    """Where the bar of this colour begins and ends."""
    (path,) = re.findall(rf'<path d="([^"]*)"[^>]*style="fill: var\({colour}\)', svg)
    xs = [float(x) for x in re.findall(r"[ML] ([\d.]+) ", path)]
    return min(xs), max(xs)


def test_bars_are_as_long_as_their_throughput_and_the_copy_is_a_line() -> None:
    svg = bars([Bar(0, "given", 20.0), Bar(1, "fresh", 5.0)], 10.0, "x", "")
    (left, long), (start, short) = ends(svg, "--c0"), ends(svg, "--c1")
    limit = next(line[0][0] for line in lines(svg, "--limit") if len({x for x, _ in line}) == 1)
    assert left == start
    assert [round((x - left) / (long - left), 4) for x in (short, limit)] == [0.25, 0.5]
    assert not lines(bars([Bar(0, "given", 20.0)], None, "x", ""), "--limit")


def test_the_bar_of_an_undecided_scan_says_so() -> None:
    assert [text.count("undecided") for text in (bars([Bar(0, "given", 2.0, u)], 1.0, "x", "") for u in (False, True))] == [0, 1]


def points(svg: str, colour: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(rf'<use [^>]*x="([\d.]+)" y="([\d.]+)" style="[^"]*var\({colour}\)', svg)]


def lines(svg: str, colour: str) -> list[list[tuple[float, float]]]:
    paths = re.findall(rf'<path d="([^"]*)"[^>]*style="[^"]*stroke: var\({colour}\)', svg)
    return [[(float(x), float(y)) for x, y in re.findall(r"[ML] ([\d.]+) ([\d.]+)", path)] for path in paths]


def test_a_dot_is_right_of_the_line_exactly_when_its_ratio_is_beyond_one() -> None:
    ratios = [0.0, 1e-30, 1e-3, 0.9, 1.1, 1e3, 1e30, INF]
    svg = strips([Strip("a", 0, ratios), Strip("mutants", None, [INF, 0.5])], "x", "")
    limit = next(line[0][0] for line in lines(svg, "--limit") if len({x for x, _ in line}) == 1)
    at = sorted(x for x, _ in points(svg, "--c0"))
    assert len(at) == len(ratios)
    assert [x > limit for x in at] == [ratio > 1 for ratio in ratios]
    assert at[0] < at[1] <= at[2]
    assert at[-2] < at[-1]
    assert [x > limit for x, _ in points(svg, "--limit")[-2:]] == [False, True]


@pytest.mark.parametrize("error", [[1e-9, 1e-8], [1e-3, 1e-2], [0.0, 1e-8], [1e-9, INF]])
def test_the_error_is_drawn_under_its_allowance_exactly_when_it_is(error: list[float]) -> None:
    row = Growth(implementation="a", dtype="float32", modulus=1.0, lengths=[1, 1000], error=error, allowance=[1e-6, 1e-5])
    dashed, solid = (line for line in lines(growth([row], {"a": 0}, "x", ""), "--c0") if len(line) == 2)
    assert [s[0] for s in solid] == [d[0] for d in dashed]
    assert [s[1] > d[1] for s, d in zip(solid, dashed, strict=True)] == [e < a for e, a in zip(error, row.allowance, strict=True)]


def test_text_of_the_user_is_only_in_the_label_of_a_figure() -> None:
    svg = strips([Strip(HOSTILE, 0, [0.5])], "x", HOSTILE)
    assert "script" not in svg.replace(re.findall(r'aria-label="[^"]*"', svg)[0], "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accepted": True}, "accepted must be true exactly when there are no faults"),
        ({"growth": [{**full().growth[0].model_dump(), "lengths": [1, 10]}]}, "must be equally long"),
        ({"growth": [{**full().growth[0].model_dump(), "lengths": [0, 10, 100]}]}, "lengths positive"),
    ],
)
def test_a_report_that_contradicts_itself_is_no_report(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RunReport.model_validate(full().model_dump() | change)
