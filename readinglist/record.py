"""What a build writes down of its runs, beside its pages, for whoever compares two builds."""

from __future__ import annotations

import json
from pathlib import Path

from readinglist.session import Session

RECORD = "runs.json"


def write_record(session: Session, site: Path) -> None:
    """Writes each snippet's run without its outputs, which its notebook has."""
    record = {
        name: {
            "seconds": run.seconds,
            "date": run.date,
            "assertions": run.assertions,
            "versions": run.versions,
            "timed": [c.name for c in session.catalog.snippets[name].code.values() if c.timed],
        }
        for name, run in sorted(session.shelf.runs.items())
    }
    (site / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
