"""The feed, read back by a reader of feeds, and the days that the news must have."""

from __future__ import annotations

import feedparser
import markdown
import pytest

from readinglist.site.exports import atom
from readinglist.sources.news import news_problems, read_news

SITE = "https://reader.example/recurrent/"
PAGE = f"{SITE}whats-new.html"
TEXT = """# News

## 27 November 2026

- A page on [a thing](resources/thing.html): what it says, & why.
- Another line on [it](resources/thing.html).

## 3 January 2026

- The list.
"""


@pytest.fixture
def news():
    return read_news(markdown.markdown(TEXT), PAGE)


def test_a_reader_of_feeds_reads_it(news):
    feed = feedparser.parse(atom(news, "Recurrent", "A list.", SITE))
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
    assert first.link == second.link == f"{SITE}resources/thing.html"
    assert last.link == PAGE
    assert [entry.updated[:10] for entry in feed.entries] == ["2026-11-27"] * 2 + ["2026-01-03"]
    assert len({entry.id for entry in feed.entries}) == 3
    assert f'href="{SITE}resources/thing.html"' in first.content[0].value
    assert "& why" in first.content[0].value.replace("&amp;", "&")


def test_the_same_news_give_the_same_bytes(news):
    assert atom(news, "R", "A", SITE) == atom(news, "R", "A", SITE)


def test_an_empty_page_gives_an_empty_feed():
    feed = feedparser.parse(atom([], "R", "A", SITE))
    assert not feed.bozo
    assert feed.entries == []


def test_days_in_order_are_in_order():
    assert list(news_problems(TEXT)) == []


def test_a_heading_that_is_no_day():
    assert list(news_problems("# News\n\n## Soon\n")) == [
        (3, "the heading 'Soon' is not a day; write it as ## 27 November 2026")
    ]


@pytest.mark.parametrize("later", ["28 November 2026", "27 November 2026"])
def test_a_day_that_stands_below_an_earlier_one(later):
    text = TEXT.replace("3 January 2026", later)
    assert list(news_problems(text)) == [
        (8, f"the heading '{later}' stands below an earlier day; the latest first")
    ]
