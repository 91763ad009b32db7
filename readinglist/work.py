"""A work to cite, be it a resource or this site, and its citation in words."""

from __future__ import annotations

from datetime import date
from typing import Protocol


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
