"""The site as a work to cite: what CITATION.cff says of it, at the day of its latest news."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from readinglist.faults import Fault, Faults, read_text
from readinglist.news import NEWS, latest_day, news_problems

FILE = "CITATION.cff"


@dataclass(frozen=True)
class SiteWork:
    """This site, in the fields that the citation of any work has."""

    title: str
    authors: list[str]
    url: str
    published: date
    kind: str = "website"
    venue: str = ""
    pages: str | None = None
    doi: str | None = None

    @property
    def year(self) -> int:
        return self.published.year

    @property
    def citation_key(self) -> str:
        """The title's first word and the year."""
        return f"{re.split(r'[^a-z]', self.title.lower())[0]}{self.year}"

    @property
    def citation(self) -> str:
        """Authors (date). Title. Address."""
        day = f"{self.published.day} {self.published:%B} {self.year}"
        return f"{', '.join(self.authors)} ({day}). {self.title}. {self.url}"


def read_site_work(root: Path, url: str) -> SiteWork | None:
    """The site at `url`, built from the project at `root`; None if it tells no author or no news.

    `make check` holds CITATION.cff against its schema.

    Raises:
        Faults: the headings of the news that are no days.
    """
    about, news = root / FILE, root / "docs" / NEWS
    if not (about.exists() and news.exists()):
        return None
    text = read_text(news)
    if problems := list(news_problems(text)):
        raise Faults([Fault(news.relative_to(root), *problem) for problem in problems])
    data, day = yaml.safe_load(read_text(about)), latest_day(text)
    authors = [_name(author) for author in data["authors"]]
    return SiteWork(data["title"], authors, url, day.date()) if day else None


def _name(author: dict[str, str]) -> str:
    return author.get("name") or f"{author['given-names']} {author['family-names']}"
