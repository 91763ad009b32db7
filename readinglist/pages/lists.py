"""What a build knows of its runs, for the status page and for whoever compares two builds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from readinglist.pages.citations import bibtex
from readinglist.pages.embedding import LISTS
from readinglist.pages.path_drawing import draw_path
from readinglist.pages.session import Session
from readinglist.running.pending import PendingRun
from readinglist.sources.reading_order import steps
from readinglist.sources.resource import Resource
from readinglist.sources.works import SiteWork


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


@cache
def _templates(folder: Path) -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(folder)
    env = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    env.filters["breakable"] = lambda name: Markup("_<wbr>").join(name.split("_"))
    return env


@dataclass(frozen=True)
class Lists:
    """Renders the lists for one page; `url_of` turns a source path into a link from that page."""

    templates: Path
    session: Session
    url_of: Callable[[str], str]
    itself: SiteWork | None = None  # the site, to be cited

    def all(self) -> dict[str, Callable[[], str]]:
        """Each list by the name of its block."""
        return {name: getattr(self, name) for name in LISTS}

    def resources(self) -> str:
        """The reading list, in reading order."""
        resources = self.session.catalog.resources
        minutes = sum(resource.minutes for resource in resources)
        return self._render("resources.html", resources=resources, minutes=minutes)

    def snippets(self) -> str:
        """The gallery: every snippet with its concept and its run time."""
        snippets = self.session.catalog.snippets.values()
        return self._render("snippets.html", snippets=snippets, runs=self.session.shelf.runs)

    def path(self) -> str:
        """The reading path: a graph, and its steps with what each of them is for."""
        resources = self.session.catalog.resources
        graph = draw_path(resources, lambda resource: f"#{resource.slug}")
        return self._render("path.html", steps=steps(resources), graph=graph)

    def citations(self) -> str:
        """How to cite this site, and each resource on the list."""
        resources = self.session.catalog.resources
        shown = [(resource, bibtex([resource])) for resource in resources]
        own = bibtex([self.itself]) if self.itself else ""
        return self._render("citations.html", itself=self.itself, own=own, shown=shown)

    def status(self) -> str:
        """The state of every snippet's run."""
        rows = status(self.session)
        return self._render("status.html", rows=rows, snippets=self.session.catalog.snippets)

    def links(self) -> str:
        """Every address that the pages link to, with its archived copy."""
        return self._render("links.html", links=sorted(self.session.links.items()))

    def data(self) -> str:
        """The files that other programs read."""
        return self._render("data.html")

    def _render(self, name: str, **context: object) -> str:
        template = _templates(self.templates).get_template(name)
        return template.render(url_of=self.url_of, archived=self._archived, **context)

    def _archived(self, resource: Resource) -> str:
        record = self.session.links.get(str(resource.url))
        return record.archived if record else ""


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
