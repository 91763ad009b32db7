"""What can be cited: a work, its citation in words, and this site itself as a work."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import AfterValidator, BaseModel, Field, HttpUrl, ValidationError, field_validator

from readinglist.faults import Fault, Faults, read_text
from readinglist.settings import Settings
from readinglist.sources.news import News

CITATION_FILE = "CITATION.cff"
ARXIV_PDF = re.compile(
    r"^https?://(?:www\.|export\.)?arxiv\.org/pdf/(?P<number>[\w.\-/]+?)(?:v\d+)?(?:\.pdf)?$"
)
Text = Annotated[str, Field(min_length=1)]
Kind = Literal["blog post", "tutorial", "preprint", "conference paper", "journal article"]
KINDS = get_args(Kind)


def pdf_remedy(url: str) -> str:
    """The page with the abstract, for the PDF of a paper on arXiv; empty for any other address."""
    match = ARXIV_PDF.match(url)
    return f"https://arxiv.org/abs/{match['number']}" if match else ""


def _no_pdf(url: HttpUrl) -> HttpUrl:
    if better := pdf_remedy(str(url)):
        raise ValueError(f"this is a PDF; link to its abstract, {better}")
    return url


class Work(BaseModel):
    """What a citation tells of a work."""

    model_config = {"extra": "forbid", "strict": True}

    title: Text
    authors: Annotated[list[Text], Field(min_length=1)]
    year: Annotated[int, Field(ge=1940, le=date.max.year)]
    day: Annotated[str, Field(pattern=r"^\d\d-\d\d$")] | None = None
    kind: Kind
    venue: Text
    pages: Annotated[str, Field(pattern=r"^\d+(-\d+)?$")] | None = None
    doi: Annotated[str, Field(pattern=r"^10\.\d{4,}/\S+$")] | None = None
    # A strict field would take no string, and front matter has nothing else.
    url: Annotated[HttpUrl, Field(strict=False), AfterValidator(_no_pdf)]
    licence: Text
    citation_key: Annotated[str, Field(pattern=r"^[a-z]+[0-9]{4}[a-z]+$")]

    @field_validator("day")
    @classmethod
    def _is_a_day(cls, value: str | None, info: Any) -> str | None:
        if value and "year" in info.data:
            date.fromisoformat(f"{info.data['year']}-{value}")
        return value

    @property
    def published(self) -> date | None:
        """The day, where the original has one."""
        return date.fromisoformat(f"{self.year}-{self.day}") if self.day else None

    @property
    def when(self) -> str:
        """The day as a reader writes it, or the year."""
        day = self.published
        return f"{day.day} {day:%B} {day.year}" if day else str(self.year)

    @property
    def citation(self) -> str:
        """Authors (date). Title. Venue, pages. Or the address of what has no venue."""
        *others, last = self.authors
        names = f"{', '.join(others)} and {last}" if others else last
        stop = "" if self.title.endswith(("?", "!", ".")) else "."
        begin = f"{names} ({self.when}). {self.title}{stop}"
        if not self.venue:
            return f"{begin} {self.url}"
        if not self.pages:
            return f"{begin} {self.venue}."
        word = "pages" if "-" in self.pages else "page"
        return f"{begin} {self.venue}, {word} {self.pages.replace('-', '–')}."


class _CitationFile(BaseModel):
    """What a citation takes from CITATION.cff."""

    title: str
    authors: Annotated[list[dict[str, Any]], Field(min_length=1)]

    @property
    def names(self) -> list[str]:
        """An organisation has the first part of a name alone, and a person the others."""
        parts = ("name", "given-names", "name-particle", "family-names")
        return [" ".join(str(a[part]) for part in parts if a.get(part)) for a in self.authors]


def read_site_work(root: Path, settings: Settings, news: list[News]) -> Work | None:
    """The site as a work, of the day of its latest news; None if it tells no author or no news.

    Raises:
        Faults: a CITATION.cff that cannot be read.
    """
    path = root / CITATION_FILE
    if not (path.exists() and news):
        return None
    file, day = _read_citation_file(path), news[0].day
    return Work.model_construct(
        title=file.title,
        authors=file.names,
        year=day.year,
        day=f"{day:%m-%d}",
        kind="website",
        venue="",
        url=settings.site_url,
        citation_key=f"{re.split(r'[^a-z]', file.title.lower())[0]}{day.year}",
    )


def _read_citation_file(path: Path) -> _CitationFile:
    try:
        return _CitationFile.model_validate(yaml.safe_load(read_text(path)))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        message = f"is not YAML: {error.problem}"
    except ValidationError as error:
        line, first = 1, error.errors()[0]
        message = f"{'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}"
    remedy = "`make check` holds the file against the schema of the Citation File Format"
    raise Faults([Fault(path, line, f"{message}; {remedy}")])
