"""How figures look and how they become part of the page.

Colours are written as placeholders and become variables of the style sheet, so a figure follows
light and dark mode.
"""

from __future__ import annotations

import io
import re
from contextlib import AbstractContextManager
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from scanproof.report.markup import Html, escape

COLOURS, MARKERS, GLYPHS = 7, "osD^vP", "●■◆▲▼✚"
INK, SOFT, LIMIT = "#010203", "#010204", "#010205"
SERIES = [f"#0102{16 + i:02x}" for i in range(COLOURS)]
VARIABLES = {INK: "currentColor", SOFT: "var(--soft)", LIMIT: "var(--limit)"}
VARIABLES |= {placeholder: f"var(--c{i})" for i, placeholder in enumerate(SERIES)}
STYLE: dict[str, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "scanproof", "text.parse_math": False, "font.size": 9,
    "figure.constrained_layout.use": True, "axes.spines.top": False, "axes.spines.right": False,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": SOFT,
    "xtick.color": INK, "ytick.color": INK,
}  # fmt: skip


def style() -> AbstractContextManager[None]:
    """matplotlib's own defaults, whatever the user's matplotlibrc says, and STYLE."""
    settings: dict[Any, Any] = {**matplotlib.rcParamsDefault, **STYLE}
    return matplotlib.rc_context(settings)


def colour(key: int) -> str:
    return SERIES[key % COLOURS]


def marker(key: int) -> str:
    return MARKERS[key % len(MARKERS)]


def svg(figure: Figure, name: str, alt: str) -> Html:
    """The figure as an <svg> element whose ids begin with `name`."""
    buffer = io.StringIO()
    figure.savefig(
        buffer,
        format="svg",
        transparent=True,
        metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")),
    )
    return Html(_inline(buffer.getvalue(), name, alt))


def _inline(text: str, name: str, alt: str) -> str:
    """Without prologue, style sheet and fixed size."""
    text = re.sub(r"<style.*?</style>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r' (width|height)="[^"]*pt"', "", text, count=2)
    text = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    for placeholder, variable in VARIABLES.items():
        text = text.replace(placeholder, variable)
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1).strip()
