"""The navigation: that of the settings, with every resource and snippet in its place."""

import re
from collections.abc import Iterator
from typing import Any

from readinglist.faults import Fault, line_of
from readinglist.running.project import Project
from readinglist.settings import FILE


def navigation(project: Project) -> list[Any]:
    """The settings' entries, with `resources/` and `snippets/` as the pages that stand in them."""
    snippets = [{s.title: f"snippets/{s.name}.ipynb"} for s in project.snippets.values()]
    folders: dict[Any, list[Any]] = {
        "resources/": [f"resources/{r.slug}.md" for r in project.resources if r.annotated],
        "snippets/": ["snippets/index.md", *snippets],
    }
    nav: list[Any] = []
    for entry in project.settings.nav:
        if isinstance(entry, dict):
            ((title, target),) = entry.items()
            entry = {title: folders[target]} if str(target) in folders else entry
        nav.append(entry)
    return nav


def navigation_faults(project: Project, nav: list[Any]) -> Iterator[Fault]:
    """The pages that no list leads to, and the entries that lead to no page."""
    docs, settings = project.root / "docs", project.root / FILE
    pages = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    targets, resources = set(_targets(nav)), {f"resources/{r.slug}.md" for r in project.resources}
    for page in pages - targets - resources:
        message = "no list leads to this page; a resource's page stands in docs/resources/"
        yield Fault(docs / page, 0, message)
    for page in targets - pages:
        if page.endswith(".md"):
            message = f"the navigation names '{page}', which is not in docs/; write it or remove it"
            yield Fault(settings, line_of(settings, re.escape(page)), message)


def _targets(nav: list[Any]) -> Iterator[str]:
    """Every page that a navigation names."""
    for entry in nav:
        target = next(iter(entry.values())) if isinstance(entry, dict) else entry
        if isinstance(target, str):
            yield target
        else:
            yield from _targets(target)
