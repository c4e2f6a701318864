"""What one `scanproof verify` leaves behind: report.json for programs and index.html for people
(claims.html, if asked for).

    index = report.write(run_report, Path("build/report"))
    again = report.read(index.with_name("report.json"))
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from scanproof.report.claims_model import NAME
from scanproof.report.model import RunReport

__all__ = ["RunReport", "read", "write"]


def write(report: RunReport, folder: Path | str) -> Path:
    """Writes report.json, index.html and, with claims, claims.html into `folder`, each whole or not
    at all; index.html's path."""
    from scanproof.properties.files import write_atomically
    from scanproof.report.claims_page import claims_page  # imports matplotlib
    from scanproof.report.page import page

    text, index = page(report), Path(folder) / "index.html"
    claims = claims_page(report) if report.claims else None
    write_atomically(index.with_name("report.json"), report.model_dump_json(indent=1) + "\n")
    if claims:
        write_atomically(index.with_name(NAME), claims)
    write_atomically(index, text)
    return index


def read(path: Path | str) -> RunReport:
    """Reads a report.json strictly.

    Raises:
        ValueError: the file is missing, truncated, altered in form or of another format; one line.
    """
    try:
        content = Path(path).read_bytes()
        report = RunReport.model_validate_json(content)
    except OSError as error:
        raise ValueError(f"report: cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        raise ValueError(f"report: {path}: {_fault(error)}") from error
    # a default filled in, a "1" taken for a 1, a field given twice
    if _form(content) != _form(report.model_dump_json()):
        raise ValueError(
            f"report: {path}: found a missing, doubled or converted field, expected the form that "
            "scanproof writes"
        )
    return report


def _fault(error: ValidationError) -> str:
    """The first fault in one line; that is the format, the first field, if the format is wrong."""
    first, count = error.errors()[0], error.error_count()
    place = ".".join(map(str, first["loc"])) or "file"
    found = f", found {str(first['input'])[:40]!r}" if place == "format" else ""
    return f"{place}: {first['msg']}{found} ({count} faults in all)"


def _form(text: bytes | str) -> str:
    """Everything in a JSON text but its white space."""
    return repr(json.loads(text, object_pairs_hook=list))
