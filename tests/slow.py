"""Which tests are slow is measured: `slow.txt` lists the functions that take most of the time.

    make test ARGS="--junitxml=build/tests.xml" && .venv/bin/python tests/slow.py build/tests.xml

The list begins with the slowest and goes on until the rest takes REST seconds of one core; a
function counts with all its parameters. conftest.py marks them `slow`.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

LIST = Path(__file__).with_name("slow.txt")
REST = 55.0  # of one core: with imports and the start of two workers some two minutes on two cores


def functions(report: Path) -> Iterator[tuple[str, float]]:
    """Function and seconds of every test of a JUnit report."""
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.get("name", "").partition("[")[0].partition("@")[0]
        yield f"{case.get('classname')}.{name}", float(case.get("time", 0))


def slowest(seconds: Mapping[str, float], rest: float = REST) -> list[str]:
    """The slowest functions, until the others take `rest` seconds."""
    left, found = sum(seconds.values()), []
    for name in sorted(seconds, key=lambda each: -seconds[each]):
        if left <= rest:
            break
        left -= seconds[name]
        found.append(name)
    return sorted(found)


def listed() -> frozenset[str]:
    """The names in the list: module and function, with dots."""
    return frozenset(LIST.read_text(encoding="utf-8").split())


def main(report: str) -> None:
    """Writes the list."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for name, spent in functions(Path(report)):
        seconds[name] += spent
    LIST.write_text("\n".join(slowest(seconds)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
