"""The files beside the pages that other programs read: resources, citations, feed, status."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import lxml.html
import markdown
from feedgen.feed import FeedGenerator
from pydantic import HttpUrl, TypeAdapter

from readinglist.pages.citations import bibtex, csl_json
from readinglist.running.project import Project
from readinglist.running.status import status
from readinglist.settings import STATUS, Settings
from readinglist.sources.news import NEWS, News
from readinglist.sources.resource import FrontMatter, Resource
from readinglist.sources.works import Work


class PublishedResource(FrontMatter):
    """A resource in resources.json: its front matter, and where things are."""

    slug: str
    page: HttpUrl | None  # None if it is not annotated here
    archived_url: HttpUrl | None
    snippets: list[str]  # shown on its page


RESOURCES = TypeAdapter(list[PublishedResource])


def write_exports(
    project: Project, shown_by: Callable[[Resource], list[str]], folder: Path
) -> None:
    """Writes all of them into the folder of the built site."""
    published = [_published(project, r, shown_by(r)) for r in project.resources]
    _write_json(folder / STATUS, status(project))
    _write_json(folder / "resources.json", RESOURCES.dump_python(published, mode="json"))
    _write_json(folder / "resources.schema.json", resources_schema())
    own = [project.site_work] if project.site_work else []
    _write_citations(folder / "citations", [*own, *project.resources])
    for work in own:
        _write_citations(folder / "site", [work])
    for resource in project.resources:
        _write_citations(folder / "resources" / resource.slug, [resource])
    (folder / "feed.xml").write_bytes(atom(project.news, project.settings))


def _published(project: Project, resource: Resource, snippets: list[str]) -> PublishedResource:
    page = f"{project.settings.site_url}resources/{resource.slug}.html"
    return PublishedResource.model_construct(
        **{name: getattr(resource, name) for name in FrontMatter.model_fields},
        slug=resource.slug,
        page=page if resource.annotated else None,
        archived_url=project.archived(resource) or None,
        snippets=snippets,
    )


def resources_schema() -> dict[str, Any]:
    """The JSON Schema of resources.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The resources of a reading list",
        **RESOURCES.json_schema(mode="serialization"),
    }


def _write_citations(stem: Path, works: Sequence[Work]) -> None:
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_suffix(".bib").write_text(bibtex(works), encoding="utf-8")
    stem.with_suffix(".csl.json").write_text(csl_json(works), encoding="utf-8")


def _write_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def atom(news: list[News], settings: Settings) -> bytes:
    """The feed of the news, the latest first. The same news give the same bytes."""
    feed = FeedGenerator()
    feed.id(settings.site_url)
    feed.title(settings.site_name)
    feed.subtitle(settings.site_description)
    feed.author(name=settings.site_name)
    feed.link(href=settings.site_url, rel="alternate")
    feed.link(href=urljoin(settings.site_url, "feed.xml"), rel="self")
    feed.updated(max((item.day for item in news), default=datetime(1970, 1, 1, tzinfo=UTC)))
    for item in news:
        html, title, url = _told(item, settings.site_url)
        entry = feed.add_entry(order="append")
        # Two items may speak of one page on one day.
        words = re.sub(r"\W+", "-", title.lower()).strip("-")
        entry.id(f"{url}#{item.day:%Y-%m-%d}-{words}")
        entry.title(title)
        entry.link(href=url)
        entry.updated(item.day)
        entry.content(html, type="html")
    return feed.atom_str(pretty=True)


def _told(item: News, site_url: str) -> tuple[str, str, str]:
    """An item as HTML with links that hold anywhere, its title, and the page that it speaks of."""
    (paragraph,) = lxml.html.fromstring(f"<div>{markdown.markdown(item.markdown)}</div>")
    page_url = urljoin(site_url, NEWS.replace(".md", ".html"))
    paragraph.make_links_absolute(page_url, handle_failures="ignore")
    paragraph.rewrite_links(
        lambda link: (
            re.sub(r"\.(?:md|ipynb)(?=#|$)", ".html", link) if link.startswith(site_url) else link
        )
    )
    links = paragraph.xpath(".//a/@href")
    inner = (paragraph.text or "") + "".join(
        lxml.html.tostring(child, encoding="unicode") for child in paragraph
    )
    title = " ".join(paragraph.text_content().split()).split(": ")[0].rstrip(".")
    return inner, title, links[0] if links else page_url
