"""The pages: links lead somewhere, outputs are what the commands print today, the README stays short, the site builds."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from reports import full

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted((ROOT / "docs").rglob("*.md"))
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NEEDS_MKDOCS = pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="MkDocs is not installed: make docs")


def tool(name: str) -> ModuleType:
    """A module of docs/tools, which is no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / f"docs/tools/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


implementations, outputs, site = tool("implementations"), tool("outputs"), tool("site")


def anchors(page: str) -> set[str]:
    """The names of its headings, as GitHub and MkDocs make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()) for title in headings]
    return {title.strip().replace(" ", "-") for title in plain}


def dead(page: Path, text: str) -> list[str]:
    """Links that lead nowhere, as written."""
    found = []
    for link in LINK.findall(re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if re.match(r"https?:", link):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    assert dead(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("link", ["no-such-page.md", "glossary.md#no-such-word", "../reference/no_such_file.py", "#no-such-heading"])
def test_a_planted_link_is_found(link: str) -> None:
    assert dead(ROOT / "docs/index.md", f"see [there]({link})") == [link]


def test_the_readme_is_read_in_five_minutes() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert len(text.split()) <= 900
    assert [table for table in tables if table.count("\n") - 2 > 10] == []


@pytest.mark.parametrize("page", outputs.pages(), ids=lambda page: page.name)
def test_outputs_are_those_of_today(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert outputs.differences(text, outputs.today(text)) == [], "run `make outputs`, and read the text around what changed"


PLANTED = "<!-- output -->\n```console\n$ echo 'took 1.2 s: within'\ntook 7 s: {}\n```\n"


def test_another_output_is_found_and_another_time_is_not() -> None:
    same, other = PLANTED.format("within"), PLANTED.format("outside")
    assert outputs.differences(same, outputs.today(same)) == []
    assert "+took N s: within" in outputs.differences(other, outputs.today(other))


def test_another_exit_code_is_refused() -> None:
    with pytest.raises(ValueError, match="exit 3, expected 0"):
        outputs.today("<!-- output -->\n```console\n$ exit 3\n```\n")


def test_links_into_the_repository_become_text_and_dead_ones_stay() -> None:
    docs = ROOT / "docs"
    for link, shown in (("../reference/inputs.py", "there"), ("../no.py", "[there](../no.py)"), ("index.md", "[there](index.md)")):
        assert site.inside(f"[there]({link})", docs / "page.md", docs) == shown


def build(root: Path, target: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(target)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


@NEEDS_MKDOCS
def test_the_site_is_built_and_a_dead_link_is_refused(tmp_path: Path) -> None:
    built = build(ROOT, tmp_path / "site")
    assert built.returncode == 0, built.stdout + built.stderr
    assert 'id="scanproof.check"' in (tmp_path / "site/api.html").read_text(encoding="utf-8")
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "docs", copy / "docs")
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").replace("paths: [src]", f"paths: [{ROOT / 'src'}]")
    (copy / "mkdocs.yml").write_text(config, encoding="utf-8")
    page = copy / "docs/index.md"
    page.write_text(page.read_text(encoding="utf-8") + "\nsee [there](no-such-page.md)\n", encoding="utf-8")
    refused = build(copy, tmp_path / "refused")
    assert refused.returncode != 0
    assert "no-such-page.md" in refused.stdout + refused.stderr


def test_the_table_of_implementations_has_a_line_each_and_refuses_what_did_not_run() -> None:
    report = full()
    run = [row for row in report.checks if row.verdict != "not run"]
    found = implementations.table(report.model_copy(update={"checks": run}))
    assert [row.implementation for row in run] == re.findall(r"^\| (\S+) \|", found, re.MULTILINE)[2:]
    with pytest.raises(ValueError, match="not run, expected all: make peers"):
        implementations.line(run[0].model_copy(update={"verdict": "not run"}))
