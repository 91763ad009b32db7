"""How to cite a resource, and the list: BibTeX through pybtex, and CSL-JSON for everything else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pybtex.database import BibliographyData, Entry, Person
from pybtex.database.output.bibtex import Writer

from readinglist.resource import Resource

ARXIV = "arXiv:"
TYPES = {  # kind: BibTeX, CSL
    "blog post": ("misc", "post-weblog"),
    "tutorial": ("misc", "webpage"),
    "preprint": ("misc", "article"),
    "conference paper": ("inproceedings", "paper-conference"),
    "journal article": ("article", "article-journal"),
}
# What holds the work, by the type of BibTeX.
CONTAINER = {"misc": "howpublished", "inproceedings": "booktitle", "article": "journal"}
ADDRESSES = ("url", "doi", "eprint")
BRACES = str.maketrans("", "", "{}")  # they are marks of BibTeX, and would have to match
# A name of an organisation is one name, not a given one and a family's.
ORGANISATIONS = ("The ",)


def bibtex(resources: Iterable[Resource]) -> str:
    """The resources as a BibTeX file."""
    entries = {resource.citation_key: _entry(resource) for resource in resources}
    return _Writer("utf-8").to_string(BibliographyData(entries))


def csl_json(resources: Iterable[Resource]) -> str:
    """The resources as a CSL-JSON file, which Zotero, pandoc and others read."""
    items = [_item(resource) for resource in resources]
    return json.dumps(items, indent=1, ensure_ascii=False) + "\n"


class _Writer(Writer):
    """Addresses are for programs: what TeX takes for a sign of its own stays as it is in them."""

    def _write_field(self, stream: Any, type: str, value: str) -> None:
        shown = value if type in ADDRESSES else self._encode(value)
        stream.write(f",\n    {type} = {self.quote(shown)}")


def _is_organisation(name: str) -> bool:
    return name.startswith(ORGANISATIONS)


def _entry(resource: Resource) -> Entry:
    kind = TYPES[resource.kind][0]
    fields = {
        # In braces, or a style would make its capitals small.
        "title": f"{{{resource.title.translate(BRACES)}}}",
        "year": str(resource.year),
        CONTAINER[kind]: resource.venue.translate(BRACES),
        "url": str(resource.url),
    }
    if day := resource.published:
        fields |= {"month": f"{day:%B}", "day": str(day.day)}
    if resource.pages:
        fields["pages"] = resource.pages.replace("-", "--")
    if resource.doi:
        fields["doi"] = resource.doi
    if resource.venue.startswith(ARXIV):
        fields |= {"eprint": resource.venue.removeprefix(ARXIV), "archiveprefix": "arXiv"}
    people = [
        Person(last=f"{{{name}}}") if _is_organisation(name) else Person(name)
        for name in resource.authors
    ]
    return Entry(kind, fields, {"author": people})


def _item(resource: Resource) -> dict[str, Any]:
    day = resource.published
    item = {
        "id": resource.citation_key,
        "type": TYPES[resource.kind][1],
        "title": resource.title,
        "author": [_name(name) for name in resource.authors],
        "issued": {"date-parts": [[day.year, day.month, day.day] if day else [resource.year]]},
        "container-title": resource.venue,
        "URL": str(resource.url),
    }
    if resource.venue.startswith(ARXIV):
        item |= {"number": item.pop("container-title"), "publisher": "arXiv"}
    if resource.pages:
        item["page"] = resource.pages
    if resource.doi:
        item["DOI"] = resource.doi
    return item


def _name(name: str) -> dict[str, str]:
    if _is_organisation(name):
        return {"literal": name}
    person = Person(name)
    given = " ".join([*person.first_names, *person.middle_names])
    family = " ".join([*person.prelast_names, *person.last_names])
    return {"family": family, "given": given} if given else {"literal": family}
