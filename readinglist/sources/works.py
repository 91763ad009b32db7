"""The site as a work to cite: what CITATION.cff says of it, at the day of its latest news."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Protocol

import yaml
from pydantic import BaseModel, Field, ValidationError

from readinglist.faults import Fault, Faults, read_text
from readinglist.sources.news import NEWS, latest_day, news_problems

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
        return citation(self)


class Author(BaseModel):
    """A person, or an organisation, as CITATION.cff writes them."""

    name: str = ""
    given: str = Field("", alias="given-names")
    particle: str = Field("", alias="name-particle")
    family: str = Field("", alias="family-names")

    def __str__(self) -> str:
        return self.name or " ".join(filter(None, (self.given, self.particle, self.family)))


class About(BaseModel):
    """What a citation takes from CITATION.cff."""

    title: str
    authors: Annotated[list[Author], Field(min_length=1)]


def read_site_work(root: Path, url: str) -> SiteWork | None:
    """The site at `url`, built from the project at `root`; None if it tells no author or no news.

    Raises:
        Faults: a CITATION.cff that cannot be read, headings of the news that are no days.
    """
    path, news = root / FILE, root / "docs" / NEWS
    if not (path.exists() and news.exists()):
        return None
    text = read_text(news)
    if problems := list(news_problems(text)):
        raise Faults([Fault(news.relative_to(root), *problem) for problem in problems])
    about, day = _read_about(path), latest_day(text)
    return SiteWork(about.title, [str(a) for a in about.authors], url, day.date()) if day else None


def _read_about(path: Path) -> About:
    try:
        return About.model_validate(yaml.safe_load(read_text(path)))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        message = f"is not YAML: {error.problem}"
    except ValidationError as error:
        line, first = 1, error.errors()[0]
        message = f"{'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}"
    remedy = "`make check` holds the file against the schema of the Citation File Format"
    raise Faults([Fault(Path(path.name), line, f"{message}; {remedy}")])


class Work(Protocol):
    """What a citation tells of a work; `venue` may be empty."""

    @property
    def citation_key(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def authors(self) -> list[str]: ...
    @property
    def venue(self) -> str: ...
    @property
    def pages(self) -> str | None: ...
    @property
    def doi(self) -> str | None: ...
    @property
    def url(self) -> object: ...
    @property
    def year(self) -> int: ...
    @property
    def published(self) -> date | None: ...


def when(work: Work) -> str:
    """The day as a reader writes it, or the year."""
    day = work.published
    return f"{day.day} {day:%B} {day.year}" if day else str(work.year)


def citation(work: Work) -> str:
    """Authors (date). Title. Venue, pages. Or the address of what has no venue."""
    *others, last = work.authors
    names = f"{', '.join(others)} and {last}" if others else last
    stop = "" if work.title.endswith(("?", "!", ".")) else "."
    begin = f"{names} ({when(work)}). {work.title}{stop}"
    if not work.venue:
        return f"{begin} {work.url}"
    if not work.pages:
        return f"{begin} {work.venue}."
    word = "pages" if "-" in work.pages else "page"
    return f"{begin} {work.venue}, {word} {work.pages.replace('-', '–')}."
