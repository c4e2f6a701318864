"""The frame of a page: head, links, headed sections. One file, no script, no outside address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scanproof.report.markup import Html, duration, element, join
from scanproof.report.model import RunReport
from scanproof.report.style import CSS

# Nothing may be loaded or run, even if something unescaped slipped in.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def document(
    title: str,
    header: Html,
    sections: Mapping[str, str],
    parts: Sequence[Html],
    beside: Mapping[str, str],
) -> str:
    """The whole text.

    sections: titles by their id, one part each; beside: titles of other pages by their file's name.
    """
    headed = zip(sections.items(), parts, strict=True)
    main = [
        element("section", element("h2", heading), part, id=name)
        for (name, heading), part in headed
    ]
    addresses = {**{f"#{name}": heading for name, heading in sections.items()}, **beside}
    links = element(
        "nav",
        *(element("a", words, href=to) for to, words in addresses.items()),
        aria_label="Sections",
    )
    body = element("body", header, links, element("main", join(main, "\n")))
    return f'<!DOCTYPE html>\n<html lang="en">{_head(title)}{body}</html>\n'


def _head(title: str) -> Html:
    metas = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    )
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return element(
        "head", Html(metas + policy), element("title", title), element("style", Html(CSS))
    )


def again(report: RunReport, seconds: float) -> Html:
    """How to repeat the run, and on what it was done."""
    facts = {
        "scanproof": report.scanproof,
        "seed": report.seed,
        "started": report.started,
        "took": duration(seconds),
        **report.machine,
    }
    listed = [
        element(tag, value)
        for name, fact in facts.items()
        for tag, value in (("dt", name), ("dd", fact))
    ]
    note = ("The same version with the same seed draws the same cases. All numbers of this page "
            "are in report.json, beside it.")
    return join(
        [
            element("pre", element("code", report.command)),
            element("dl", *listed),
            element("p", note, class_="note"),
        ]
    )
