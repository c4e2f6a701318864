"""A hook of MkDocs: links that leave docs/ are shown as plain text in the site, if the file that they name exists.

On a page of the repository `[text](../reference/scan.py)` leads to the file. The site holds the pages alone, so
there the text stays and the link goes. A link to a file that does not exist is left as it is: `mkdocs build --strict`
refuses it.
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
