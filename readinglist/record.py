"""What a build knows of its runs, for the status page and for whoever compares two builds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from readinglist.pending import PendingRun
from readinglist.session import Session

RECORD = "status.json"


def status(session: Session) -> dict[str, dict[str, Any]]:
    """Each snippet's run without its outputs, which its notebook has."""
    return {name: _entry(session, name) for name in sorted(session.shelf.runs)}


def _entry(session: Session, name: str) -> dict[str, Any]:
    run, snippet = session.shelf.runs[name], session.catalog.snippets[name]
    return {
        "date": run.date,
        "seconds": run.seconds,
        "assertions": run.assertions,
        "cache": _cache_state(session, name),
        "versions": run.versions,
        "warnings": run.warnings,
        "deprecations": snippet.deprecations,
        "timed": [cell.name for cell in snippet.code.values() if cell.timed],
    }


def _cache_state(session: Session, name: str) -> str:
    if isinstance(session.shelf.runs[name], PendingRun):
        return "not run yet"
    return "run by this build" if name in session.fresh else "stored by an earlier build"


def write_record(session: Session, site: Path) -> None:
    """Writes the status into the folder of the built site."""
    text = json.dumps(status(session), indent=1, ensure_ascii=False) + "\n"
    (site / RECORD).write_text(text, encoding="utf-8")
