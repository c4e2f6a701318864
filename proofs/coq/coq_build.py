"""Compiling sources of Coq and asking what their theorems rest on and say: coqdep, coqc and
coqtop in a build folder.

    coqdep  which sources need which, and which libraries are not installed
    coqc    each source as soon as those that it needs are done, several at a time
    coqtop  `Print Assumptions` of each theorem, and what the source states; it goes on after an
            error, which coqc does not
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from scanproof.proofs.coq.coq_statements import answers, changed, questions
from scanproof.proofs.coq.coq_table import place, uncommented
from scanproof.proofs.engine.run import Status, one_line

LIBRARY = "Scanproof"
WRITTEN_FOR = "8.16"  # another Coq may reject what this one accepts, and a rejection then says so
LIMIT = 300  # seconds for one source, which takes below 10
MADE = (".v", ".vo", ".vos", ".vok", ".glob", ".aux", ".out")  # what a build leaves
PROGRAMS = ("coqc", "coqdep", "coqtop")
PACKAGES = {  # of Debian, and a line that needs the package
    "libcoq-mathcomp-algebra": "From mathcomp Require ssralg.",
    "libcoq-mathcomp-algebra-tactics": "From mathcomp Require ring.",
    "libcoq-flocq": "From Flocq Require Core.",
    "libcoq-coquelicot": "From Coquelicot Require Coquelicot.",
    "libcoq-gappa": "From Gappa Require Gappa_tactic.",
}
INSTALL = f"apt-get install coq {' '.join(PACKAGES)} gappa"

NEEDS = re.compile(r"^(\w+)\.vo .*?: \w+\.v(.*)$", re.MULTILINE)
ABSENT = re.compile(
    r"in file (?:.*/)?(\w+)\.v, library \S+ is required from root (\w+) and has not been found"
)
REJECTED = re.compile(r"line (\d+), characters [^\n]*\n(.*?Error:.*)", re.DOTALL)


@dataclass(frozen=True)
class Asked:
    """What to ask about one source: what theorems rest on, and whether all is stated as pinned
    (None: however it is)."""

    theorems: Sequence[str] = ()
    pinned: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of one source: `proved` if it compiles and its definitions are as pinned.

    Then what each theorem rests on (None: there is no such), and how those that are not stated as
    pinned differ.
    """

    status: Status
    reason: str = ""
    seconds: float = 0.0
    assumptions: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    statements: Mapping[str, str] = field(default_factory=dict)
    changed: Mapping[str, str] = field(default_factory=dict)


def prepare(sources: Path, build: Path) -> None:
    """A build folder with the sources and nothing of an earlier build; other files there are left
    alone.

    Raises:
        ValueError: the build folder is that of the sources.
    """
    if build.resolve() == sources.resolve():
        raise ValueError(f"build: found the folder of the sources {sources}, expected another one")
    build.mkdir(parents=True, exist_ok=True)
    for old in build.iterdir():
        if old.suffix in MADE:
            old.unlink()
    for source in sources.glob("*.v"):
        shutil.copyfile(source, build / source.name)


def compiled(build: Path, names: Mapping[str, Asked]) -> dict[str, Outcome]:
    """Every source of `names`, each with what to ask about it."""
    needs, lacking = dependencies(build, names)
    outcomes: dict[str, Outcome] = {}
    running: dict[Future[Outcome], str] = {}
    order = TopologicalSorter(needs)
    try:
        order.prepare()
    except CycleError as error:
        return dict.fromkeys(
            names, Outcome("refused", f"sources need each other: {', '.join(error.args[1])}")
        )
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        while order.is_active():
            for name in order.get_ready():
                before = {need: outcomes[need] for need in needs[name]}
                running[pool.submit(one, build, name, names[name], before, lacking[name])] = name
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(done)
                outcomes[name] = done.result()
                order.done(name)
    return outcomes


def dependencies(
    build: Path, names: Mapping[str, object]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """For every source, the sources that it needs and the packages that are not installed."""
    probes = {package.replace("-", "_"): package for package in PACKAGES}
    for probe, package in probes.items():
        (build / f"{probe}.v").write_text(PACKAGES[package] + "\n")
    text = run(build, "coqdep", "-R", ".", LIBRARY, *(f"{name}.v" for name in (*names, *probes)))
    words = {name: [Path(word).stem for word in text.split()] for name, text in NEEDS.findall(text)}
    roots: dict[str, set[str]] = {}
    for name, root in ABSENT.findall(text):
        roots.setdefault(name, set()).add(root)
    lacking = {
        name: [
            package
            for probe, package in probes.items()
            if roots.get(name, set()) & roots.get(probe, set())
        ]
        for name in names
    }
    for name in names:
        if (
            "From Gappa" in (build / f"{name}.v").read_text(encoding="utf-8")
            and shutil.which("gappa") is None
        ):
            lacking[name].append("gappa")
    return {
        name: [need for need in words.get(name, []) if need in names] for name in names
    }, lacking


def one(
    build: Path, name: str, asked: Asked, before: Mapping[str, Outcome], lacking: list[str]
) -> Outcome:
    """Compile one source, and ask what its theorems rest on and what it states."""
    if lacking:
        return Outcome(
            "not run", f"a library is not installed: apt-get install {' '.join(lacking)}"
        )
    for need, outcome in before.items():
        if outcome.reason:
            return Outcome(outcome.status, f"needs {need}.v: {outcome.reason}")
    start = time.perf_counter()
    text = run(build, "coqc", "-q", "-w", "-all", "-R", ".", LIBRARY, f"{name}.v")
    if not (build / f"{name}.vo").exists():
        return Outcome("refused", rejection(build / f"{name}.v", text), time.perf_counter() - start)
    rests, statements = interrogated(build, name, asked.theorems)
    other = {} if asked.pinned is None else changed(name, statements, asked.pinned)
    reason = one_line(
        next((text for what, text in other.items() if what not in asked.theorems), "")
    )
    return Outcome(
        "refused" if reason else "proved",
        reason,
        time.perf_counter() - start,
        rests,
        statements,
        other,
    )


def rejection(source: Path, text: str) -> str:
    """Coq's first error in one line, with the statement in whose proof it is."""
    version = run(source.parent, "coqc", "--print-version").split(" ")[0]
    other = "" if version.startswith(WRITTEN_FOR) else f" (Coq {version}, expected {WRITTEN_FOR})"
    found = REJECTED.search(text)
    if found is None:
        return one_line(f"coqc{other} rejects {source.name}: {text}")
    where = place(uncommented(source.read_text(encoding="utf-8")), int(found[1]))
    return one_line(f"coqc{other} rejects {source.name} {where}: {found[2]}")


def interrogated(
    build: Path, name: str, theorems: Sequence[str]
) -> tuple[dict[str, tuple[str, ...] | None], dict[str, str]]:
    """What each theorem rests on, None if Coq knows no such theorem; and what the source states."""
    text = uncommented((build / f"{name}.v").read_text(encoding="utf-8"))
    asked = [
        f'Redirect "{name}.{theorem}" Print Assumptions {LIBRARY}.{name}.{theorem}.'
        for theorem in theorems
    ]
    script = [f"Require {LIBRARY}.{name}.", *asked, *questions(LIBRARY, name, text), "Quit.", ""]
    run(build, "coqtop", "-q", "-w", "-all", "-R", ".", LIBRARY, text="\n".join(script))
    return {theorem: listed(build / f"{name}.{theorem}.out") for theorem in theorems}, answers(
        build, name, text
    )


def listed(answer: Path) -> tuple[str, ...] | None:
    """The names in an answer of `Print Assumptions`: each starts a line, before a colon."""
    lines = answer.read_text(encoding="utf-8").split("\n") if answer.exists() else []
    said = [
        line for line in lines if line.strip() and not line.startswith("Fetching opaque proofs")
    ]
    if said == ["Closed under the global context"]:
        return ()
    if said[:1] != ["Axioms:"]:
        return None
    return tuple(line.split(" :")[0].strip() for line in said[1:] if not line.startswith(" "))


def run(build: Path, *command: str, text: str = "") -> str:
    """What a program of Coq prints, its errors too."""
    try:
        done = subprocess.run(
            command, cwd=build, input=text, capture_output=True, text=True, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        return f"no answer of {command[0]} within {LIMIT} s"
    return done.stdout + done.stderr
