"""What tests of golden cases share."""

from __future__ import annotations

from typing import Any

import pytest

from scanproof.golden import judging
from scanproof.reference.allowance.certificate import certify
from scanproof.reference.arithmetic.declaration import Arithmetic

CERTIFIED: dict[Any, Any] = {}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Certifies a case once for many answers, and looks for no weaker declaration."""

    def certificate(call: Any, arithmetic: Arithmetic, got: Any) -> Any:
        key = call.system, call.reverse, *(x.tobytes() for x in call.arguments.values()), arithmetic
        if key not in CERTIFIED:
            [CERTIFIED[key]] = certify(call, arithmetic)
        return CERTIFIED[key]

    monkeypatch.setattr(judging, "certificate", certificate)
    monkeypatch.setattr(judging, "_fits", lambda *_: {})
