"""The news: what docs/whats-new.md tells, by day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import lxml.html

NEWS = "whats-new.md"


HEADING = re.compile(r"^## (.*?)\s*$", re.MULTILINE)


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


def latest_day(text: str) -> datetime | None:
    """The day of the first heading, if there is one. Raises ValueError if it is no day."""
    match = HEADING.search(text)
    return read_day(match[1]) if match else None


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
