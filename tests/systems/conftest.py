"""The toy systems of tests/toy, registered as docs/adding-a-system.md says: one line each."""

import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from toy import toys

from scanproof.golden.recipes import COLLECTIONS
from scanproof.properties import recheck
from scanproof.properties.systems import ROOMS
from scanproof.reference.systems import SYSTEMS

TOYS = Path(__file__).parents[1] / "toy"


@pytest.fixture(scope="module", autouse=True)
def _toys() -> Iterator[None]:
    """The registry lines."""
    with pytest.MonkeyPatch.context() as patch:
        for name, room in toys.ROOMS.items():
            patch.setitem(SYSTEMS, name, room.system)
            patch.setitem(ROOMS, name, room)
            patch.setitem(COLLECTIONS, name, toys.COLLECTIONS[name])
        yield


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the stand-alone programs, with those of the toys."""
    found = tmp_path_factory.mktemp("copy") / "recheck"
    shutil.copytree(Path(str(recheck.__file__)).parent, found)
    for name in ("leaky", "gated"):
        shutil.copy(TOYS / f"recheck_{name}.py", found / f"{name}.py")
    return found


@pytest.fixture(scope="session")
def rechecked(folder: Path) -> Any:
    """What the stand-alone program says of a file, in this process."""
    spec = spec_from_file_location(
        "copied_recheck", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    sys.modules[spec.name] = module_from_spec(spec)
    core, reading = (import_module(f"{spec.name}.{name}") for name in ("core", "_witness"))
    return lambda path: core.recheck(reading.witness(reading.load(str(path))))
