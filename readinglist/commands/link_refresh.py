"""Asks the addresses that the pages link to if they are still there, as a scheduled job does."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import requests
from tqdm import tqdm

from readinglist.faults import Fault, Faults
from readinglist.sources.link_records import ARCHIVE, LINKS, LinkRecord

AVAILABLE = "https://archive.org/wayback/available"
GONE = {404, 410}
# A host that does not answer may be back next week; after this time, it is taken for gone.
PATIENCE = timedelta(days=60)
SECONDS = 20
DATED_COPY = re.compile(rf"^{re.escape(ARCHIVE)}\d{{14}}/")


@dataclass(frozen=True)
class Answer:
    """What an address said: its status, or None if nothing came back."""

    status: int | None

    @property
    def alive(self) -> bool:
        # A host that refuses programs, or has too much to do, is there.
        return self.status is not None and (self.status < 400 or self.status in (401, 403, 429))


Ask = Callable[[str, str], Answer]  # an address, and the name of the site that asks
Copy = Callable[[str], str | None]


def ask(url: str, site: str) -> Answer:
    """The answer of an address, redirects followed, to the site that asks."""
    headers = {"User-Agent": f"Mozilla/5.0 (compatible; {site}-link-check)"}
    try:
        with requests.get(url, timeout=SECONDS, stream=True, headers=headers) as got:
            return Answer(got.status_code)
    except requests.RequestException:
        return Answer(None)


def archived_copy(url: str) -> str | None:
    """The newest dated copy that the archive has of an address, or None if it does not say."""
    try:
        got = requests.get(AVAILABLE, params={"url": url}, timeout=SECONDS)
        closest = got.json()["archived_snapshots"]["closest"]
        return str(closest["url"]).replace("http://", "https://", 1)
    except (requests.RequestException, ValueError, KeyError, TypeError):
        return None


def refreshed(
    records: Mapping[str, LinkRecord],
    today: date,
    site: str,
    ask: Ask = ask,
    copy: Copy = archived_copy,
) -> dict[str, LinkRecord]:
    """The records after asking every address once.

    Raises:
        Faults: nothing answered at all, which says more of our network than of theirs.
    """
    answers = {url: ask(url, site) for url in tqdm(records, desc="links", disable=None)}
    if records and all(answer.status is None for answer in answers.values()):
        message = "no address answered; is there a network? The file is left as it was"
        raise Faults([Fault(Path(LINKS), 0, message)])
    return {url: _judged(record, answers[url], url, today, copy) for url, record in records.items()}


def _judged(record: LinkRecord, answer: Answer, url: str, today: date, copy: Copy) -> LinkRecord:
    if answer.alive:
        archived = record.archived
        # A copy by date is the page as it was; one without leads to whatever was kept last.
        if not DATED_COPY.match(archived):
            archived = copy(_original(archived)) or archived
        return LinkRecord(archived=archived, seen=today)
    silent = answer.status not in GONE
    if silent and (record.seen is None or today - record.seen < PATIENCE):
        return record
    return record.model_copy(update={"gone": record.gone or today})


def _original(archived: str) -> str:
    """The address that a copy is of: not always the one we link to."""
    return re.sub(rf"^{re.escape(ARCHIVE)}(?:\d+\*?/)?", "", archived)
