"""How to cite a work, be it a resource or this site: BibTeX through pybtex, and CSL-JSON."""

import json
from collections.abc import Iterable
from typing import Any

from pybtex.database import BibliographyData, Entry, Person
from pybtex.database.output.bibtex import Writer

from readinglist.sources.works import Work

ARXIV = "arXiv:"
TYPES = {  # kind: BibTeX, CSL
    "blog post": ("misc", "post-weblog"),
    "tutorial": ("misc", "webpage"),
    "preprint": ("misc", "article"),
    "conference paper": ("inproceedings", "paper-conference"),
    "journal article": ("article", "article-journal"),
    "website": ("misc", "webpage"),
}
# What holds the work, by the type of BibTeX.
CONTAINER = {"misc": "howpublished", "inproceedings": "booktitle", "article": "journal"}
ADDRESSES = ("url", "doi", "eprint")
BRACES = str.maketrans("", "", "{}")  # they are marks of BibTeX, and would have to match
ORGANISATION = "The "  # how the name of one begins, which has no parts


def bibtex(works: Iterable[Work]) -> str:
    """The works as a BibTeX file."""
    entries = {work.citation_key: _entry(work) for work in works}
    return _Writer("utf-8").to_string(BibliographyData(entries))


def csl_json(works: Iterable[Work]) -> str:
    """The works as a CSL-JSON file, which Zotero, pandoc and others read."""
    items = [_item(work) for work in works]
    return json.dumps(items, indent=1, ensure_ascii=False) + "\n"


class _Writer(Writer):
    """Addresses are for programs: what TeX takes for a sign of its own stays as it is in them."""

    def _write_field(self, stream: Any, type: str, value: str) -> None:
        shown = value if type in ADDRESSES else self._encode(value)
        stream.write(f",\n    {type} = {self.quote(shown)}")


def _entry(work: Work) -> Entry:
    kind = TYPES[work.kind][0]
    fields: dict[str, str | None] = {
        # In braces, or a style would make its capitals small.
        "title": f"{{{work.title.translate(BRACES)}}}",
        "year": str(work.year),
        CONTAINER[kind]: work.venue.translate(BRACES),
        "url": str(work.url),
    }
    if day := work.published:
        fields |= {"month": f"{day:%B}", "day": str(day.day)}
    fields |= {"pages": (work.pages or "").replace("-", "--"), "doi": work.doi}
    if work.venue.startswith(ARXIV):
        fields |= {"eprint": work.venue.removeprefix(ARXIV), "archiveprefix": "arXiv"}
    people = [_person(name) for name in work.authors]
    return Entry(kind, {name: value for name, value in fields.items() if value}, {"author": people})


def _item(work: Work) -> dict[str, Any]:
    day = work.published
    preprint = work.venue if work.venue.startswith(ARXIV) else ""
    item = {
        "id": work.citation_key,
        "type": TYPES[work.kind][1],
        "title": work.title,
        "author": [_csl_name(_person(name)) for name in work.authors],
        "issued": {"date-parts": [[day.year, day.month, day.day] if day else [work.year]]},
        "URL": str(work.url),
        "number": preprint,
        "publisher": "arXiv" if preprint else "",
        "container-title": "" if preprint else work.venue,
        "page": work.pages,
        "DOI": work.doi,
    }
    return {name: value for name, value in item.items() if value}


def _person(name: str) -> Person:
    """The name as BibTeX takes it apart; in braces it is one."""
    return Person(last=f"{{{name}}}") if name.startswith(ORGANISATION) else Person(name)


def _csl_name(person: Person) -> dict[str, str]:
    given = " ".join([*person.first_names, *person.middle_names])
    family = " ".join([*person.prelast_names, *person.last_names])
    return {"family": family, "given": given} if given else {"literal": family.strip("{}")}
