"""The feed of new and changed resources, as Atom."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import urljoin

from feedgen.feed import FeedGenerator

from readinglist.news import News


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
