"""The whole project as the rules of `check` see it, without a run."""

from dataclasses import dataclass
from pathlib import Path

from readinglist.faults import Fault, Faults, read_text
from readinglist.memory import MEMORY
from readinglist.pages.embedding import Page, embed
from readinglist.pages.links import Linked, read_links
from readinglist.pages.lists import list_names
from readinglist.running.pending import pending_run
from readinglist.running.project import Project
from readinglist.sources.catalog import examine
from readinglist.sources.resource import split_front_matter


@dataclass(frozen=True)
class Reading:
    """What could be read, and what was wrong with the rest."""

    project: Project
    pages: list[Page]
    linked: list[Linked]  # the links of each page
    unread: set[str]  # snippets that are there, but cannot be read
    complete: bool  # whether all snippets and resources could be read
    faults: list[Fault]

    @property
    def root(self) -> Path:
        return self.project.root


def read_project(root: Path) -> Reading:
    """Reads everything below `root` that a rule may ask for."""
    MEMORY.open(root)
    catalog, faults = examine(root)
    complete, snippets = not faults, catalog.snippets.values()
    # Pending runs stand in the place of results.
    project = Project(**vars(catalog), runs={s.name: pending_run(s) for s in snippets})
    unread = {path.stem for path in (root / "snippets").glob("*.py")} - set(catalog.snippets)
    # A snippet that could not be read is there nevertheless.
    absent = tuple(f"there is no snippet '{name}'" for name in unread)
    pages, linked = [], []
    for path in sorted((root / "docs").rglob("*.md")):
        try:
            _, body, before = split_front_matter(read_text(path))
            pages.append(Page(path, body, before, lists=dict.fromkeys(list_names(root), str)))
            linked.append(read_links(path, body, catalog))
            embed(pages[-1], project)
        except Faults as error:
            faults += [fault for fault in error.faults if not fault.message.startswith(absent)]
    return Reading(project, pages, linked, unread, complete, faults)
