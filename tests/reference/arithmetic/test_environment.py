"""A process that flushes subnormals, or rounds otherwise, cannot judge: it must say so instead of proving nonsense."""

import platform
import subprocess
import sys

import numpy as np
import pytest

import scanproof
from scanproof.reference.arithmetic.environment import require_ieee

# Loads the control word of the vector unit, as the start-up code of a library built with -ffast-math does.
CHANGED = """
import ctypes, mmap, sys
import numpy as np
import scanproof
from scanproof.reference.truth import truth
lam, b = np.array([0.5]), np.array([[[1.0], [1e-310]]])
got = np.array([[[1.0], [0.5]]])
assert scanproof.judge("scan", got, lam=lam, b=b).verdict != "outside"
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes([0x0F, 0xAE, 0x17, 0xC3]))  # ldmxcsr [rdi]; ret
load = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
word = ctypes.c_uint32(int(sys.argv[1], 16))
load(ctypes.addressof(word))
try:
    scanproof.judge("scan", got, lam=lam, b=b)
except FloatingPointError as error:
    print(error)
"""


def test_an_ordinary_process_is_ieee():
    require_ieee()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="machine code for x86-64")
@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("0x9f80", "subnormals flushed to zero"),  # results
        ("0x1fc0", "subnormals flushed to zero"),  # inputs
        ("0x3f80", "a rounding mode other than to nearest"),  # down
        ("0x5f80", "a rounding mode other than to nearest"),  # up
        ("0x7f80", "a rounding mode other than to nearest"),  # towards zero
    ],
)
def test_a_changed_process_refuses_to_judge(word, found):
    run = subprocess.run([sys.executable, "-c", CHANGED, word], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert f"environment: found {found}" in run.stdout
    assert len(run.stdout.splitlines()) == 1


def test_what_is_no_declaration_is_named():
    b = np.zeros((1, 2, 1), np.float32)
    for wrong in ("float32", np.float32):
        with pytest.raises(TypeError, match=r"arithmetic: found .*float32.*, expected a declaration"):
            scanproof.judge("scan", b, lam=b[0, 0], b=b, arithmetic=wrong)
        with pytest.raises(TypeError, match=r"arithmetic: found .*float32.*, expected a declaration"):
            scanproof.check("scan", lambda lam, b: b, arithmetic=wrong)


@pytest.mark.parametrize("order", ["unknown", "reversible"])
def test_orders_without_an_allowance_are_undecided_and_nothing_is_called(order):
    report = scanproof.check("scan", lambda lam, b: 1 / 0, arithmetic=scanproof.Arithmetic("bfloat16", order=order))
    assert (report.verdict, report.reason, report.fault) == ("undecided", f"no allowance is known for order {order}", None)


def test_public_names_are_listed():
    assert {"check", "judge", "suite", "Arithmetic", "Domain"} <= set(dir(scanproof))
