"""Everything that is written: snippets, resources and what belongs to them, checked together."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from readinglist.faults import Fault, Faults, read_text
from readinglist.settings import Settings, read_settings
from readinglist.sources.dependencies import read_pins
from readinglist.sources.glossary import GLOSSARY, Term, read_terms
from readinglist.sources.link_records import LinkRecord, read_link_records
from readinglist.sources.news import News, read_news
from readinglist.sources.reading_order import order_faults
from readinglist.sources.resource import Resource, read_resource
from readinglist.sources.snippet import Snippet, read_snippet
from readinglist.sources.works import Work, read_site_work

PALETTE = Path("docs", "assets", "css", "palette.css")
# Colours of the page itself; every other one in the palette is that of a quantity.
PAGE_COLOURS = {"paper", "raised", "ink", "muted", "line", "accent"}


@dataclass(frozen=True)
class Catalog:
    """A project as it is written, before anything has run."""

    root: Path
    settings: Settings = field(default_factory=Settings)
    snippets: dict[str, Snippet] = field(default_factory=dict)  # by name
    resources: list[Resource] = field(default_factory=list)  # in reading order
    links: dict[str, LinkRecord] = field(default_factory=dict)  # by address
    palette: dict[str, str] = field(default_factory=dict)  # quantity: #rrggbb
    terms: list[Term] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    site_work: Work | None = None  # the site, as others cite it

    def archived(self, resource: Resource) -> str:
        """The address of the archived copy, or nothing."""
        record = self.links.get(str(resource.url))
        return record.archived if record else ""


def read_catalog(root: Path) -> Catalog:
    """Reads the project at `root`.

    Raises:
        Faults: everything that is wrong in any of its parts.
    """
    catalog, faults = examine(root)
    if faults:
        raise Faults(faults)
    return catalog


def examine(root: Path) -> tuple[Catalog, list[Fault]]:
    """What can be read of the project at `root`, and what is wrong with the rest."""
    faults: list[Fault] = []

    def tried(read: Callable[..., Any], *arguments: object, otherwise: Any = None) -> Any:
        try:
            return read(*arguments)
        except Faults as error:
            faults.extend(error.faults)
            return otherwise

    settings = tried(read_settings, root, otherwise=Settings())
    paths = sorted((root / "snippets").glob("*.py"))
    names, pins = {path.stem for path in paths}, read_pins(root)
    snippets = [tried(read_snippet, path, pins, names) for path in paths]
    folder = root / "docs" / "resources"
    # What stands in a folder of its own comes last, to be told of what it repeats.
    pages = sorted(folder.rglob("*.md"), key=lambda path: (len(path.parts), path))
    resources = [resource for path in pages if (resource := tried(read_resource, path))]
    faults += _repetitions(resources, root)
    message = "a resource's page stands in docs/resources/ itself; move it there"
    faults += [Fault(r.path, 1, message) for r in resources if r.path.parent != folder]
    resources.sort(key=lambda resource: resource.order)
    faults += order_faults(resources, {p.stem for p in pages} - {r.slug for r in resources})
    glossary = root / "docs" / GLOSSARY
    news, bad_days = read_news(root)
    catalog = Catalog(
        root,
        settings,
        {snippet.name: snippet for snippet in snippets if snippet},
        resources,
        tried(read_link_records, root, otherwise={}),
        read_palette(root),
        read_terms(read_text(glossary)) if glossary.exists() else [],
        news,
        tried(read_site_work, root, settings, news),
    )
    return catalog, [*faults, *bad_days]


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


def read_palette(root: Path) -> dict[str, str]:
    """The quantities of the project at `root`: name to #rrggbb, as the light scheme has it."""
    path = root / PALETTE
    first_rule = path.read_text(encoding="utf-8").split("}")[0] if path.exists() else ""
    colours = re.findall(r"--([a-z]+):\s*(#[0-9a-f]{6})", first_rule)
    return {name: colour for name, colour in colours if name not in PAGE_COLOURS}
