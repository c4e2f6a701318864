"""What the pages show is what the commands print and the files hold today.

    python docs/tools/outputs.py            # exit 1 if a page shows something else
    python docs/tools/outputs.py --write    # writes it into the pages: make outputs

tests/project/test_docs.py runs the first.

A block below `<!-- output -->` or `<!-- output, exit 1 -->` begins with `$ ` and a command, which
is run in a fresh copy of examples/, with that exit code expected; the blocks of one page are run in
order, in one folder. A block below `<!-- file: PATH -->` holds that file. Times, the digits of a
witness's name and the folder are not compared.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(
    r"<!-- (?:output(?:, exit (?P<exit>\d+))?|file: (?P<file>\S+)) -->\n+"
    r"```(?P<language>\w*)\n(?P<body>.*?)```\n",
    re.DOTALL,
)
VARYING = (
    (re.compile(r"\b\d+(\.\d+)? s\b"), "N s"),
    (re.compile(r"(witness-[a-z-]+-)[0-9a-f]{6,}"), r"\1HASH"),
)


def pages() -> list[Path]:
    """The pages that have such blocks."""
    every = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in every if BLOCK.search(page.read_text(encoding="utf-8"))]


def workplace(folder: Path) -> dict[str, str]:
    """Fills the folder in which a page's commands run; the environment to run them in."""
    shutil.copytree(
        ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / "properties").symlink_to(ROOT / "properties")
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join([programs, os.environ.get("PATH", "")])
    return os.environ | {
        "PATH": path,
        "NO_COLOR": "1",
        "COLUMNS": "100",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def printed(command: str, exit_code: int, folder: Path, environment: dict[str, str]) -> str:
    """What the command prints, errors included.

    Raises:
        ValueError: if it ends with another exit code.
    """
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != exit_code:
        raise ValueError(f"{command}: exit {done.returncode}, expected {exit_code}\n{done.stdout}")
    lines = [line.rstrip() for line in done.stdout.replace(f"{folder}/", "").splitlines()]
    return "".join(f"{line}\n" for line in "\n".join(lines).strip("\n").splitlines())


def today(page: str) -> str:
    """The page with every block as it is today."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = workplace(folder)

        def replaced(match: re.Match[str]) -> str:
            start, end = (place - match.start() for place in match.span("body"))
            if match["file"]:
                body = (ROOT / match["file"]).read_text(encoding="utf-8")
            else:
                command = match["body"].split("\n", 1)[0].removeprefix("$ ")
                body = (
                    f"$ {command}\n{printed(command, int(match['exit'] or 0), folder, environment)}"
                )
            return match[0][:start] + body + match[0][end:]

        return BLOCK.sub(replaced, page)


def comparable(page: str) -> list[str]:
    """Its lines without what may vary from run to run."""
    for pattern, stand_in in VARYING:
        page = pattern.sub(stand_in, page)
    return page.splitlines()


def differences(page: str, now: str) -> list[str]:
    """Lines of a diff, none if the page shows what it should."""
    return list(
        difflib.unified_diff(comparable(page), comparable(now), "page", "today", lineterm="", n=0)
    )


def main(write: bool) -> int:
    failed = False
    for path in pages():
        page = path.read_text(encoding="utf-8")
        now = today(page)
        found = differences(page, now)
        if found and write:
            path.write_text(now, encoding="utf-8")
        print(
            f"{path.relative_to(ROOT)}: "
            f"{('written' if write else 'differs') if found else 'as today'}"
        )
        if not write:
            print("\n".join(found), end="\n" if found else "")
        failed |= bool(found) and not write
    return int(failed)


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["--write"]):
        sys.exit(f"usage: {sys.argv[0]} [--write]")
    sys.exit(main(write=bool(sys.argv[1:])))
