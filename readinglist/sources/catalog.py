"""Everything there is: snippets and resources, read and checked against each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from readinglist.faults import Fault, Faults
from readinglist.sources.dependencies import read_pins
from readinglist.sources.link_records import LinkRecord, read_link_records
from readinglist.sources.reading_order import path_faults
from readinglist.sources.resource import Resource, read_resource
from readinglist.sources.snippet import Snippet, read_snippet


@dataclass(frozen=True)
class Catalog:
    """The snippets by name, the resources in reading order, what is known of external links."""

    root: Path
    snippets: dict[str, Snippet]
    resources: list[Resource]
    links: dict[str, LinkRecord] = field(default_factory=dict)

    def following(self, resource: Resource) -> Resource | None:
        """The next one in reading order."""
        later = [other for other in self.resources if other.order > resource.order]
        return later[0] if later else None

    def relative(self, faults: Iterable[Fault]) -> list[Fault]:
        """The same faults with paths as a contributor types them, from the project's root."""
        return _relative(faults, self.root)


def read_catalog(root: Path) -> Catalog:
    """Reads `snippets/` and `docs/resources/` under `root`.

    Raises:
        Faults: everything that is wrong in any of them.
    """
    catalog, faults = examine(root)
    if faults:
        raise Faults(faults)
    return catalog


def examine(root: Path) -> tuple[Catalog, list[Fault]]:
    """What can be read of `snippets/` and `docs/resources/`, and what is wrong with the rest."""
    paths = sorted((root / "snippets").glob("*.py"))
    names = {path.stem for path in paths}
    pins = read_pins(root)
    faults: list[Fault] = []
    snippets: dict[str, Snippet] = {}
    for path in paths:
        try:
            snippets[path.stem] = read_snippet(path, pins, names)
        except Faults as error:
            faults += error.faults
    resources: list[Resource] = []
    folder = root / "docs" / "resources"
    # What stands in a folder of its own comes last, to be told of what it repeats.
    for path in sorted(folder.rglob("*.md"), key=lambda path: (len(path.parts), path)):
        try:
            resources.append(read_resource(path))
        except Faults as error:
            faults += error.faults
    faults += [*_repetitions(resources, root), *_misplaced(resources, folder)]
    resources.sort(key=lambda resource: resource.order)
    unread = {path.stem for path in folder.rglob("*.md")} - {r.slug for r in resources}
    faults += path_faults(resources, unread)
    links: dict[str, LinkRecord] = {}
    try:
        links = read_link_records(root)
    except Faults as error:
        faults += error.faults
    catalog = Catalog(root, snippets, resources, links)
    return catalog, catalog.relative(faults)


def _repetitions(resources: Iterable[Resource], root: Path) -> Iterator[Fault]:
    for name in ("slug", "citation_key", "order", "url"):
        first: dict[object, Resource] = {}
        for resource in resources:
            value = getattr(resource, name)
            other = first.setdefault(value, resource)
            if other is not resource:
                where = other.path.relative_to(root)
                message = f"repeats the {name} '{value}' of {where}; each needs its own"
                yield Fault(resource.path, resource.lines.get(name, 1), message)


def _misplaced(resources: Iterable[Resource], folder: Path) -> Iterator[Fault]:
    for resource in resources:
        if resource.path.parent != folder:
            message = "a resource's page stands in docs/resources/ itself; move it there"
            yield Fault(resource.path, 1, message)


def _relative(faults: Iterable[Fault], root: Path) -> list[Fault]:
    return [
        Fault(
            f.path.relative_to(root) if f.path.is_relative_to(root) else f.path, f.line, f.message
        )
        for f in faults
    ]
