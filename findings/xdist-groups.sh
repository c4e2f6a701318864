#!/usr/bin/env bash
# pytest 9.2.0 with pytest-xdist 3.8.0: `--dist loadgroup` no longer keeps a group on one worker.
#
# Expected: eight tests of one `xdist_group` run on one of two workers, as the option promises, so
# that a costly module fixture is made once. Seen: with pytest 9.1.1 all eight run on one worker,
# with 9.2.0 both workers run some, and nothing warns. The plugin marks a group by assigning to the
# private attribute `_nodeid` of a test; pytest 9.2.0 computes `nodeid` from another attribute, so
# the mark is lost. In this project each of four Coq builds ran twice because of it.
#
# Run by hand: bash findings/xdist-groups.sh    (needs network; exit 0 while it behaves like this)
set -euo pipefail

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
cat > test_group.py <<'END'
import os
import time

import pytest

pytestmark = pytest.mark.xdist_group("one")


@pytest.mark.parametrize("n", range(8))
def test_it(n):
    time.sleep(0.2)
    with open("workers", "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\n")
END

workers() { # version of pytest: how many workers ran the group
  python3 -m venv "$1"
  "$1/bin/python" -m pip --disable-pip-version-check install --quiet "pytest==$1" pytest-xdist==3.8.0
  rm -f workers
  "$1/bin/python" -m pytest -q -n 2 --dist loadgroup -p no:cacheprovider test_group.py > "$1.log"
  sort -u workers | wc -l
}

before=$(workers 9.1.1)
after=$(workers 9.2.0)
echo "workers that ran one group: $before with pytest 9.1.1, $after with pytest 9.2.0"
[ "$before" = 1 ] && [ "$after" = 2 ]
