"""What is known of each address that the pages link to: its archived copy, and when it was seen.

One file, docs/links.json, holds it. `python -m readinglist links` keeps it complete, and with
`--refresh`, which a scheduled job runs, asks the addresses themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from html import escape, unescape
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from readinglist.faults import Fault, Faults, line_of, read_text

LINKS = Path("docs", "links.json")
OURS = "https://github.com/recurrent-list/"
ARCHIVE = "https://web.archive.org/web/"
REMEDY = "python -m readinglist links puts the file in order"
ANCHOR = re.compile(r'<a (?P<before>[^>]*?)href="(?P<url>https?://[^"]+)"')


class LinkRecord(BaseModel):
    """One address. An archived copy is by another address if the original has moved."""

    model_config = ConfigDict(extra="forbid")

    archived: str = Field(pattern=r"^https://")
    seen: date | None = None  # the last day on which it answered
    gone: date | None = None  # the first day on which it said that there is nothing (any more)


RECORDS = TypeAdapter(dict[str, LinkRecord])


def read_link_records(root: Path) -> dict[str, LinkRecord]:
    """The records of the project at `root`, by address.

    Raises:
        Faults: the file is not what it should be.
    """
    path = root / LINKS
    if not path.exists():
        return {}
    try:
        return RECORDS.validate_json(read_text(path), strict=False)
    except ValidationError as error:
        raise Faults(_faults(path, error)) from None


def _faults(path: Path, error: ValidationError) -> Iterator[Fault]:
    for problem in error.errors():
        where = [str(part) for part in problem["loc"]]
        line = line_of(path, re.escape(json.dumps(where[0]))) if where else 1
        what = f"'{'.'.join(where[1:])}' of '{where[0]}'" if where else "the file"
        yield Fault(path, line, f"{what} is not in order: {problem['msg']}; {REMEDY}")


def write_link_records(root: Path, records: Mapping[str, LinkRecord]) -> None:
    """Writes the records in an order that does not vary."""
    data = {url: record.model_dump(mode="json") for url, record in sorted(records.items())}
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    (root / LINKS).write_text(text, encoding="utf-8")


def new_record(url: str, today: date) -> LinkRecord:
    """An address that nobody has asked yet. The archive shows the copy that is next to the day."""
    return LinkRecord(archived=f"{ARCHIVE}{today:%Y%m%d}/{url}")


def is_external(link: str) -> bool:
    """Whether a link leads to what others keep: not to our repository, nor to an archive."""
    return link.startswith(("http://", "https://")) and not link.startswith((OURS, ARCHIVE))


@dataclass(frozen=True)
class Used:
    """One address, and the first place that links to it."""

    url: str
    path: Path
    line: int


def record_faults(
    used: Iterable[Used], records: Mapping[str, LinkRecord], all_read: bool
) -> Iterator[Fault]:
    """The addresses that have no record, and if all pages could be read, the records too many."""
    needed = set()
    for link in used:
        if link.url not in records and link.url not in needed:
            message = f"links to '{link.url}', which has no archived copy in {LINKS}"
            yield Fault(link.path, link.line, f"{message}; run 'python -m readinglist links'")
        needed.add(link.url)
    for url in records.keys() - needed if all_read else ():
        message = f"no page links to '{url}'; run 'python -m readinglist links'"
        yield Fault(LINKS, 0, message)


def lead_to_copies(html: str, records: Mapping[str, LinkRecord]) -> str:
    """The page with the archived copy in the place of every original that is gone."""

    def lead(anchor: re.Match[str]) -> str:
        record = records.get(unescape(anchor["url"]))
        if not record or not record.gone:
            return anchor[0]
        told = f"The original was found gone on {record.gone}. This is its archived copy."
        return (
            f'<a {anchor["before"]}data-gone title="{told}" '
            f'href="{escape(record.archived, quote=True)}"'
        )

    return ANCHOR.sub(lead, html)
