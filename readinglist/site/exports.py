"""The files beside the pages that other programs read: resources, citations, feed, status."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin

import lxml.html
import markdown
from feedgen.feed import FeedGenerator
from pydantic import HttpUrl, TypeAdapter

from readinglist.pages.citations import bibtex, csl_json
from readinglist.running.project import Project, status
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
    site_url = project.settings.site_url
    published = [
        PublishedResource.model_construct(
            **{name: getattr(resource, name) for name in FrontMatter.model_fields},
            slug=resource.slug,
            page=f"{site_url}resources/{resource.slug}.html" if resource.annotated else None,
            archived_url=project.archived(resource) or None,
            snippets=shown_by(resource),
        )
        for resource in project.resources
    ]
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The resources of a reading list",
        **RESOURCES.json_schema(mode="serialization"),
    }
    data = {
        STATUS: status(project),
        "resources.json": RESOURCES.dump_python(published, mode="json", warnings=False),
        "resources.schema.json": schema,
    }
    for name, content in data.items():
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (folder / name).write_text(text, encoding="utf-8")
    own: dict[str, list[Work]] = {"site": [project.site_work]} if project.site_work else {}
    cited = own | {f"resources/{resource.slug}": [resource] for resource in project.resources}
    cited["citations"] = [work for works in cited.values() for work in works]
    for name, works in cited.items():
        stem = folder / name
        stem.parent.mkdir(parents=True, exist_ok=True)
        stem.with_suffix(".bib").write_text(bibtex(works), encoding="utf-8")
        stem.with_suffix(".csl.json").write_text(csl_json(works), encoding="utf-8")
    (folder / "feed.xml").write_bytes(atom(project.news, project.settings))


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
        _add_entry(feed, item, settings.site_url)
    return feed.atom_str(pretty=True)


def _add_entry(feed: FeedGenerator, item: News, site_url: str) -> None:
    """Adds an item of the news, with links that hold anywhere."""
    paragraph = lxml.html.fragment_fromstring(markdown.markdown(item.markdown))
    page_url = urljoin(site_url, NEWS.replace(".md", ".html"))
    paragraph.make_links_absolute(page_url, handle_failures="ignore")
    source = re.compile(rf"^({re.escape(site_url)}[^#]*)\.(?:md|ipynb)(?=#|$)")
    paragraph.rewrite_links(lambda link: source.sub(r"\1.html", link))
    html = lxml.html.tostring(paragraph, encoding="unicode")
    title = " ".join(paragraph.text_content().split()).split(": ")[0].rstrip(".")
    url = next(iter(paragraph.xpath(".//a/@href")), page_url)
    # Two items may speak of one page on one day.
    words = re.sub(r"\W+", "-", title.lower()).strip("-")
    entry = feed.add_entry(order="append")
    entry.id(f"{url}#{item.day:%Y-%m-%d}-{words}")
    entry.title(title)
    entry.link(href=url)
    entry.updated(item.day)
    entry.content(html.removeprefix("<p>").removesuffix("</p>"), type="html")
