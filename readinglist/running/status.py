"""What is known of the runs: the status of each, and the proof at the foot of a page."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from readinglist.running.pending import PendingRun
from readinglist.running.project import Project


def status(project: Project) -> dict[str, dict[str, Any]]:
    """Each snippet's run without its outputs, which its notebook has."""
    return {name: _of_run(project, name) for name in sorted(project.runs)}


def _of_run(project: Project, name: str) -> dict[str, Any]:
    run, snippet = project.runs[name], project.snippets[name]
    state = "run by this build" if name in project.fresh else "stored by an earlier build"
    return {
        "date": run.date,
        "seconds": run.seconds,
        "assertions": run.assertions,
        "cache": "not run yet" if isinstance(run, PendingRun) else state,
        "versions": run.versions,
        "warnings": run.warnings,
        "deprecations": snippet.deprecations,
        "timed": [cell.name for cell in snippet.code.values() if cell.timed],
    }


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
    versions = {
        label: run.versions[name]
        for name, label in ((package, package), ("python", "Python"))
        for run in reversed(runs)
        if name in run.versions
    }
    return Proof(
        date=min((run.date for run in runs), default=""),
        seconds=math.fsum(run.seconds for run in runs),  # the same in any order
        assertions=sum(run.assertions for run in runs),
        snippets=len(runs),
        versions=[f"{label} {version}" for label, version in versions.items()],
        pending=pending,
    )
