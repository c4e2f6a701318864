"""HTML from plain functions.

Text is escaped unless it is `Html`, so nothing enters a page unescaped by oversight.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable


class Html(str):
    """Markup made by this package."""


def element(tag: str, *children: object, **attributes: object) -> Html:
    """<tag ...>children</tag>.

    `class_` stands for class, `aria_label` for aria-label; empty attributes are left out.
    """
    written = "".join(
        f' {_attribute(name)}="{escape(value)}"'
        for name, value in attributes.items()
        if value not in ("", None)
    )
    return Html(f"<{tag}{written}>{join(children)}</{tag}>")


def join(parts: Iterable[object], between: str = "") -> Html:
    """Parts one after the other; `between` is markup."""
    return Html(between.join(part if isinstance(part, Html) else escape(part) for part in parts))


def table(label: str, headers: Iterable[object], rows: Iterable[Html]) -> Html:
    """A table that scrolls inside its own box when it is wider than the page.

    label: its name for screen readers.
    """
    head = element(
        "thead", element("tr", *(element("th", header, scope="col") for header in headers))
    )
    body = element("tbody", join(rows, "\n"))
    return element(
        "div",
        element("table", head, body),
        class_="scroll",
        role="region",
        tabindex=0,
        aria_label=label,
    )


def row(first: object, *cells: object, class_: str = "") -> Html:
    return element(
        "tr",
        element("th", first, scope="row"),
        *(element("td", cell) for cell in cells),
        class_=class_,
    )


def number(x: float) -> str:
    """Three digits; as many more as it takes that a ratio beside 1 does not look like 1."""
    if not math.isfinite(x):
        return "not a number" if math.isnan(x) else "∞"
    texts = (f"{x:.{digits}g}" for digits in range(3, 18))
    return next(text for text in texts if x == 1 or float(text) != 1)


def duration(seconds: float) -> Html:
    return element(
        "span", f"{seconds:.3g} s" if seconds < 1000 else f"{seconds:.0f} s", class_="duration"
    )


def several(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def escape(value: object) -> str:
    """Escapes text; what does not print (control characters and such) becomes U+FFFD."""
    return html.escape("".join(c if c.isprintable() else "\ufffd" for c in str(value)))
