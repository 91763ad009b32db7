"""What is made from metadata: the reading list, the gallery, the proof at a page's foot."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2

from readinglist.pending import PendingRun
from readinglist.session import Session


@cache
def _templates(folder: Path) -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(folder)
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)


@dataclass(frozen=True)
class Lists:
    """Renders the lists for one page; `url_of` turns a source path into a link from that page."""

    templates: Path
    session: Session
    url_of: Callable[[str], str]

    def resources(self) -> str:
        """The reading list, in reading order."""
        resources = self.session.catalog.resources
        minutes = sum(resource.minutes for resource in resources)
        return self._render("resources.html", resources=resources, minutes=minutes)

    def snippets(self) -> str:
        """The gallery: every snippet with its concept and its run time."""
        snippets = self.session.catalog.snippets.values()
        return self._render("snippets.html", snippets=snippets, runs=self.session.shelf.runs)

    def _render(self, name: str, **context: object) -> str:
        return _templates(self.templates).get_template(name).render(url_of=self.url_of, **context)


@dataclass(frozen=True)
class Proof:
    """What the build knows of the runs behind a page."""

    date: str
    seconds: float
    assertions: int
    snippets: int
    python: str
    torch: str
    pending: list[str]  # snippets that run while the site is served


def proof(session: Session, names: Iterable[str]) -> Proof | None:
    """The proof for a page that shows these snippets, or None if it shows none."""
    shown = {name: session.shelf.runs[name] for name in names}
    if not shown:
        return None
    pending = [name for name, run in shown.items() if isinstance(run, PendingRun)]
    runs = [run for name, run in shown.items() if name not in pending]
    torch = next((run.versions["torch"] for run in runs if "torch" in run.versions), "")
    return Proof(
        date=min((run.date for run in runs), default=""),
        seconds=math.fsum(run.seconds for run in runs),  # the same in any order
        assertions=sum(run.assertions for run in runs),
        snippets=len(runs),
        python=runs[0].versions["python"] if runs else "",
        torch=torch,
        pending=pending,
    )
