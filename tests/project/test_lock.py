"""The locks install on every supported Python from any index; no file of the repository names an index or a machine."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13")
LOCKS = {"requirements.lock": "dev", "docs/requirements.lock": "docs"}   # the dependency group of each
LINUX = {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux", "platform_machine": "x86_64",
         "platform_python_implementation": "CPython"}
PIN = re.compile(r"(?P<requirement>[\w.-]+==[^\s;]+( ; [^\\]+?)?)(?P<hashes>( \\\n    --hash=sha256:[0-9a-f]{64})+)\n")
COMMENT = re.compile(r"^ *#.*\n", re.MULTILINE)
# Written so that no pattern matches its own text.
FORBIDDEN = re.compile(
    r"(?<!no-emit-)index[-]url|extra[-]index|find[-]links|trusted[-]host|file[:]//|pypi[.]org"
    r"|(?<![\w.])/(home|root|tmp|work|opt|Users)[/]\w"
)


def pins(lock: str) -> list[Requirement]:
    return [Requirement(match["requirement"]) for match in PIN.finditer(COMMENT.sub("", lock))]


def pinned(lock: str, python: str) -> dict[str, str]:
    """Name and version of what the lock installs on Linux x86-64 with that Python."""
    environment = LINUX | {"python_version": python, "python_full_version": f"{python}.0"}
    chosen = [pin for pin in pins(lock) if pin.marker is None or pin.marker.evaluate(environment)]
    assert len({pin.name for pin in chosen}) == len(chosen), "two versions of one distribution"
    return {pin.name: str(pin.specifier).removeprefix("==") for pin in chosen}


def wanted(lock: str) -> list[Requirement]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())
    own = [] if lock.startswith("docs") else table["project"]["dependencies"]
    return [Requirement(line) for line in own + table["dependency-groups"][LOCKS[lock]]]


def strangers(lock: str) -> list[str]:
    """What is left of the lock when comments and hashed pins are taken away."""
    return PIN.sub("", COMMENT.sub("", lock)).split()


def addresses(text: str) -> list[str]:
    return [match[0] for match in FORBIDDEN.finditer(text)]


def repository_files() -> list[Path]:
    """Tracked, or new and not ignored; a link to a folder is listed as itself and is not a file."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_holds_hashed_pins_only(name: str) -> None:
    lock = (ROOT / name).read_text()
    assert strangers(lock) == []
    assert re.findall(r"https?|://|(?:^|\s)/\w", lock) == []


@pytest.mark.parametrize("line", [
    "numpy==2.4.6",
    "numpy>=2 \\\n    --hash=sha256:" + "0" * 64,
    "numpy==2.4.6 \\\n    --hash=md5:" + "0" * 32,
    "--extra-" + "index" + "-url https://example.org",
    "-e .",
    "numpy @ https://example.org/numpy.whl",
])
def test_a_planted_line_is_found_in_the_lock(line: str) -> None:
    assert strangers((ROOT / "requirements.lock").read_text() + line + "\n") != []


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_satisfies_pyproject(name: str, python: str) -> None:
    versions = pinned((ROOT / name).read_text(), python)
    missing = [str(need) for need in wanted(name) if not need.specifier.contains(versions.get(need.name, "0"))]
    assert missing == [], "run `make lock`"


@pytest.mark.parametrize("python", PYTHONS)
def test_both_locks_fit_into_one_environment(python: str) -> None:
    first, second = (pinned((ROOT / name).read_text(), python) for name in LOCKS)
    assert {name: (first[name], second[name]) for name in first.keys() & second.keys() if first[name] != second[name]} == {}


def test_no_file_names_an_index_or_a_machine() -> None:
    files = repository_files()
    assert ROOT / "tests/project/test_lock.py" in files
    found = {path.name: addresses(path.read_bytes().decode(errors="replace")) for path in files}
    assert {name: strings for name, strings in found.items() if strings} == {}


@pytest.mark.parametrize("text", [
    "pip install --" + "index" + "-url x",
    "--" + "find" + "-links=wheels",
    "https://pypi" + ".org/project/numpy",
    "open('/ho" + "me/me/scan.py')",
    "see /tm" + "p/report",
    "file" + ":///srv/wheels",
])
def test_a_planted_address_is_found(text: str) -> None:
    assert len(addresses(text)) == 1


@pytest.mark.parametrize("text", ["uv --no-emit-index-url", "docs/home/page.md", "https://example.org/work/a"])
def test_honest_text_is_left_alone(text: str) -> None:
    assert addresses(text) == []
