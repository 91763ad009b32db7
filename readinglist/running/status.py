"""What is known of the runs: the status of each, and the proof at the foot of a page."""

import math
from collections import ChainMap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from readinglist.running.pending import PendingRun
from readinglist.running.project import Project


def status(project: Project) -> dict[str, dict[str, Any]]:
    """Each snippet's run without its outputs, which its notebook has."""
    record: dict[str, dict[str, Any]] = {}
    for name, run in sorted(project.runs.items()):
        state = "run by this build" if name in project.fresh else "stored by an earlier build"
        snippet = project.snippets[name]
        record[name] = {
            "date": run.date,
            "seconds": run.seconds,
            "assertions": run.assertions,
            "cache": "not run yet" if isinstance(run, PendingRun) else state,
            "versions": run.versions,
            "warnings": run.warnings,
            "deprecations": snippet.deprecations,
            "timed": [cell.name for cell in snippet.code.values() if cell.timed],
        }
    return record


@dataclass(frozen=True)
class Proof:
    """What the build knows of the runs behind a page."""

    date: str
    seconds: float
    assertions: int
    snippets: int
    versions: list[str]  # of the package that the settings name, and of Python
    pending: list[str]  # snippets that run while the site is served


def proof(project: Project, names: Iterable[str]) -> Proof | None:
    """The proof for a page that shows these snippets, or None if it shows none."""
    shown = {name: project.runs[name] for name in names}
    if not shown:
        return None
    pending = [name for name, run in shown.items() if isinstance(run, PendingRun)]
    runs = [run for name, run in shown.items() if name not in pending]
    package = project.settings.proof_package
    versions = ChainMap(*(run.versions for run in runs))
    labels = {package: package, "python": "Python"}
    return Proof(
        date=min((run.date for run in runs), default=""),
        seconds=math.fsum(run.seconds for run in runs),  # the same in any order
        assertions=sum(run.assertions for run in runs),
        snippets=len(runs),
        versions=[f"{labels[name]} {versions[name]}" for name in labels if name in versions],
        pending=pending,
    )
