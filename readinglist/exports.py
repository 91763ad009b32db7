"""The files beside the pages that other programs read: resources, citations, feed, status."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import HttpUrl, TypeAdapter

from readinglist.citations import Work, bibtex, csl_json
from readinglist.feed import atom
from readinglist.link_records import LinkRecord
from readinglist.news import News
from readinglist.record import write_record
from readinglist.resource import FrontMatter, Resource
from readinglist.session import Session
from readinglist.site_citation import SiteWork


class PublishedResource(FrontMatter):
    """A resource in resources.json: its front matter, and where things are."""

    slug: str
    page: HttpUrl | None  # None if it is not annotated here
    archived_url: HttpUrl | None
    snippets: list[str]  # shown on its page


PUBLISHED = TypeAdapter(list[PublishedResource])


@dataclass(frozen=True)
class Exports:
    """What the files need to know of the site."""

    session: Session
    name: str
    description: str
    url: str
    news: list[News]
    itself: SiteWork | None
    shown_by: Callable[[Resource], list[str]]

    def write(self, site: Path) -> None:
        """Writes all of them into the folder of the built site."""
        resources = self.session.catalog.resources
        write_record(self.session, site)
        published = [self._published(resource) for resource in resources]
        _write_json(site / "resources.json", PUBLISHED.dump_python(published, mode="json"))
        _write_json(site / "resources.schema.json", resources_schema())
        own = [self.itself] if self.itself else []
        _write_citations(site / "citations", [*own, *resources])
        for work in own:
            _write_citations(site / "site", [work])
        for resource in resources:
            _write_citations(site / "resources" / resource.slug, [resource])
        (site / "feed.xml").write_bytes(atom(self.news, self.name, self.description, self.url))

    def _published(self, resource: Resource) -> PublishedResource:
        record: LinkRecord | None = self.session.links.get(str(resource.url))
        page = f"{self.url}resources/{resource.slug}.html" if resource.annotated else None
        return PublishedResource.model_construct(
            **{name: getattr(resource, name) for name in FrontMatter.model_fields},
            slug=resource.slug,
            page=page,
            archived_url=record.archived if record else None,
            snippets=self.shown_by(resource),
        )


def resources_schema() -> dict[str, Any]:
    """The JSON Schema of resources.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The resources of a reading list",
        **PUBLISHED.json_schema(mode="serialization"),
    }


def _write_citations(stem: Path, works: Sequence[Work]) -> None:
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_suffix(".bib").write_text(bibtex(works), encoding="utf-8")
    stem.with_suffix(".csl.json").write_text(csl_json(works), encoding="utf-8")


def _write_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
