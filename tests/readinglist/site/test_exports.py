"""The feed, read back by a reader of feeds, and the days that the news must have."""

from __future__ import annotations

import feedparser
import pytest

from readinglist.settings import Settings
from readinglist.site.exports import atom
from readinglist.sources.news import read_news

SITE = "https://reader.example/recurrent/"
PAGE = f"{SITE}whats-new.html"
TEXT = """# News

## 27 November 2026

- A page on [a thing](resources/thing.md): what it says, & why.
- Another line
  on [it](resources/thing.md#there).

## 3 January 2026

- The list.
"""


SETTINGS = Settings(site_name="Recurrent", site_description="A list.", site_url=SITE)


@pytest.fixture
def read(tmp_path):
    """The news and the faults of a page of this text."""
    (tmp_path / "docs").mkdir()

    def call(text):
        (tmp_path / "docs" / "whats-new.md").write_text(text)
        return read_news(tmp_path)

    return call


@pytest.fixture
def news(read):
    return read(TEXT)[0]


def test_a_reader_of_feeds_reads_it(news):
    feed = feedparser.parse(atom(news, SETTINGS))
    assert not feed.bozo
    assert feed.version == "atom10"
    assert (feed.feed.title, feed.feed.subtitle, feed.feed.id) == ("Recurrent", "A list.", SITE)
    assert feed.feed.updated.startswith("2026-11-27")
    links = {link.rel: link.href for link in feed.feed.links}
    assert links == {"alternate": SITE, "self": f"{SITE}feed.xml"}
    assert [entry.title for entry in feed.entries] == [
        "A page on a thing",
        "Another line on it",
        "The list",
    ]
    first, second, last = feed.entries
    assert first.link == f"{SITE}resources/thing.html"
    assert second.link == f"{SITE}resources/thing.html#there"
    assert last.link == PAGE
    assert [entry.updated[:10] for entry in feed.entries] == ["2026-11-27"] * 2 + ["2026-01-03"]
    assert len({entry.id for entry in feed.entries}) == 3
    assert f'href="{SITE}resources/thing.html"' in first.content[0].value
    assert "& why" in first.content[0].value.replace("&amp;", "&")


def test_the_same_news_give_the_same_bytes(news):
    assert atom(news, SETTINGS) == atom(news, SETTINGS)


def test_an_empty_page_gives_an_empty_feed():
    feed = feedparser.parse(atom([], SETTINGS))
    assert not feed.bozo
    assert feed.entries == []


def test_days_in_order_are_in_order(read):
    assert read(TEXT)[1] == []


@pytest.mark.parametrize(
    ("later", "told"),
    [
        ("Soon", "is not a day; write it as ## 27 November 2026"),
        ("28 November 2026", "stands below an earlier day; the latest first"),
        ("27 November 2026", "stands below an earlier day; the latest first"),
    ],
)
def test_a_heading_that_is_no_later_day(read, later, told):
    (fault,) = read(TEXT.replace("3 January 2026", later))[1]
    assert (fault.line, fault.message) == (9, f"the heading '{later}' {told}")
