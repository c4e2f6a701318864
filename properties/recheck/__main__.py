"""Rechecks one witness: `python properties/recheck witness.json`, in a folder copied anywhere too.

The folder makes itself a package named `recheck`, so that nothing of Scanproof is imported.
"""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path


def _package(folder: Path) -> str:
    """Makes the folder importable, whatever lies beside it, and returns the name it has."""
    start, places = folder / "__init__.py", [str(folder)]
    spec = spec_from_file_location("recheck", start, submodule_search_locations=places)
    if spec is None:
        raise ImportError(f"{start}: found no module, expected one")
    sys.modules[spec.name] = module_from_spec(spec)
    return spec.name


if __name__ == "__main__":
    sys.exit(import_module(f"{_package(Path(__file__).resolve().parent)}.core").main(sys.argv[1:]))
