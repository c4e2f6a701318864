"""Hooks of MkDocs: links that leave docs/ become plain text, and `folder/` in the navigation its
pages.

On a page of the repository `[text](../reference/scan.py)` leads to the file. The site holds the
pages alone, so there the text stays and the link goes, if the file exists. A link to a file that
does not exist is left as it is, and `mkdocs build --strict` refuses it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>(?:\.\./)+[^)#\s]+)(?:#[^)\s]*)?\)")


def inside(markdown: str, page: Path, docs: Path) -> str:
    """The page without links to files outside docs."""

    def shown(match: re.Match[str]) -> str:
        target = (page.parent / match["target"]).resolve()
        return match["text"] if target.exists() and not target.is_relative_to(docs) else match[0]

    return LINK.sub(shown, markdown)


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """MkDocs calls this with every page before it is rendered."""
    return inside(markdown, Path(page.file.abs_src_path).resolve(), Path(config.docs_dir).resolve())


def expanded(nav: list[Any], docs: Path) -> list[Any]:
    """The navigation with each entry `folder/` replaced by the pages of that folder."""
    entries: list[Any] = []
    for entry in nav:
        if isinstance(entry, dict):
            [(title, part)] = entry.items()
            entries.append({title: expanded(part, docs) if isinstance(part, list) else part})
        elif entry.endswith("/"):
            entries += [
                page.relative_to(docs).as_posix() for page in sorted((docs / entry).glob("*.md"))
            ]
        else:
            entries.append(entry)
    return entries


def on_config(config: Any, **_: Any) -> Any:
    """MkDocs calls this once."""
    config.nav = expanded(config.nav, Path(config.docs_dir))
    return config
