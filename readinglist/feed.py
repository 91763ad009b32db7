"""The feed of new and changed resources: what docs/whats-new.md tells, as Atom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin

import lxml.html
from feedgen.feed import FeedGenerator

NEWS = "whats-new.md"


@dataclass(frozen=True)
class News:
    """One line of the news."""

    day: datetime
    title: str
    html: str
    url: str  # of what it speaks of


def read_day(text: str) -> datetime:
    """The day of a heading, as '27 November 2026'. Raises ValueError if it is none."""
    return datetime.strptime(text, "%d %B %Y").replace(tzinfo=UTC)


def news_problems(text: str) -> Iterator[tuple[int, str]]:
    """What keeps the page's headings from being days, the latest first: line and message."""
    last = None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.startswith("## "):
            continue
        try:
            day = read_day(line.removeprefix("## ").strip())
        except ValueError:
            yield number, f"the heading '{line[3:]}' is not a day; write it as ## 27 November 2026"
            continue
        if last and day >= last:
            yield number, f"the heading '{line[3:]}' stands below an earlier day; the latest first"
        last = day


def read_news(html: str, page_url: str) -> list[News]:
    """The lines below each day of the rendered page, with links that hold anywhere."""
    tree = lxml.html.fromstring(f"<div>{html}</div>")
    tree.make_links_absolute(page_url, handle_failures="ignore")
    for link in tree.find_class("headerlink"):
        link.drop_tree()
    found = []
    for heading in tree.iter("h2"):
        day = read_day(heading.text_content().strip())
        items = heading.getnext()
        for item in [] if items is None else items.iter("li"):
            inner = (item.text or "") + "".join(
                lxml.html.tostring(child, encoding="unicode") for child in item
            )
            links = [link for link in item.iter("a") if link.get("href")]
            url = links[0].get("href") if links else page_url
            title = " ".join(item.text_content().split()).split(": ")[0].rstrip(".")
            found.append(News(day, title, " ".join(inner.split()), url))
    return found


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
