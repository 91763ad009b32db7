"""What is known of each address that the pages link to: its archived copy, and when it was seen.

One file, docs/links.json, holds it. `python -m readinglist links` keeps it complete, and with
`--refresh`, which a scheduled job runs, asks the addresses themselves.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from readinglist.faults import Fault, Faults, line_of, read_text

LINKS = Path("docs", "links.json")
ARCHIVE = "https://web.archive.org/web/"
REMEDY = "python -m readinglist links puts the file in order"


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
    content = RECORDS.dump_json(dict(sorted(records.items())), indent=1)
    (root / LINKS).write_bytes(content + b"\n")


def new_record(url: str, today: date) -> LinkRecord:
    """An address that nobody has asked yet. The archive shows the copy that is next to the day."""
    return LinkRecord(archived=f"{ARCHIVE}{today:%Y%m%d}/{url}")


def is_external(link: str, owner_url: str) -> bool:
    """Whether a link leads to what others keep: not to our repositories, nor to an archive."""
    own = (ARCHIVE, owner_url or ARCHIVE)
    return link.startswith(("http://", "https://")) and not link.startswith(own)
