"""The files beside the pages that other programs read: resources, citations, feed, status."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from feedgen.feed import FeedGenerator
from pydantic import HttpUrl, TypeAdapter

from readinglist.pages.citations import bibtex, csl_json
from readinglist.pages.lists import status
from readinglist.pages.session import Session
from readinglist.project import RECORD
from readinglist.sources.link_records import LinkRecord
from readinglist.sources.news import News
from readinglist.sources.resource import FrontMatter, Resource
from readinglist.sources.works import SiteWork, Work


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


def write_record(session: Session, site: Path) -> None:
    """Writes the status into the folder of the built site."""
    text = json.dumps(status(session), indent=1, ensure_ascii=False) + "\n"
    (site / RECORD).write_text(text, encoding="utf-8")


def atom(news: list[News], name: str, subtitle: str, site_url: str) -> bytes:
    """The feed, the latest first. The same news give the same bytes."""
    address = urljoin(site_url, "feed.xml")
    feed = FeedGenerator()
    feed.id(site_url)
    feed.title(name)
    feed.subtitle(subtitle)
    feed.author(name=name)
    feed.link(href=site_url, rel="alternate")
    feed.link(href=address, rel="self")
    feed.updated(max((item.day for item in news), default=datetime(1970, 1, 1, tzinfo=UTC)))
    for item in news:
        entry = feed.add_entry(order="append")
        # Two lines may speak of one page on one day.
        words = re.sub(r"\W+", "-", item.title.lower()).strip("-")
        entry.id(f"{item.url}#{item.day:%Y-%m-%d}-{words}")
        entry.title(item.title)
        entry.link(href=item.url)
        entry.updated(item.day)
        entry.content(item.html, type="html")
    return feed.atom_str(pretty=True)
