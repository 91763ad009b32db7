"""Asks the addresses that the pages link to if they are still there, as a scheduled job does."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta

import requests
from tqdm import tqdm

from readinglist.faults import Fault, Faults
from readinglist.sources.link_records import ARCHIVE, LINKS, LinkRecord

AVAILABLE = "https://archive.org/wayback/available"
GONE = {404, 410}
# A host that refuses programs, or has too much to do, is there.
BUSY = {401, 403, 429}
# A host that does not answer may be back next week; after this time, it is taken for gone.
PATIENCE = timedelta(days=60)
SECONDS = 20
DATED_COPY = re.compile(rf"^{re.escape(ARCHIVE)}\d{{14}}/")


def ask(url: str, site: str) -> int | None:
    """The status that an address answers to the site that asks, redirects followed, if it does."""
    headers = {"User-Agent": f"Mozilla/5.0 (compatible; {site}-link-check)"}
    try:
        with requests.get(url, timeout=SECONDS, stream=True, headers=headers) as response:
            return response.status_code
    except requests.RequestException:
        return None


def archived_copy(url: str) -> str | None:
    """The newest dated copy that the archive has of an address, or None if it does not say."""
    try:
        response = requests.get(AVAILABLE, params={"url": url}, timeout=SECONDS)
        closest = response.json()["archived_snapshots"]["closest"]
        return str(closest["url"]).replace("http://", "https://", 1)
    except (requests.RequestException, ValueError, KeyError, TypeError):
        return None


def refreshed(
    records: Mapping[str, LinkRecord],
    today: date,
    site: str,
    ask: Callable[[str, str], int | None] = ask,
    copy: Callable[[str], str | None] = archived_copy,
) -> dict[str, LinkRecord]:
    """The records after asking every address once.

    Raises:
        Faults: nothing answered at all, which says more of our network than of theirs.
    """
    statuses = {url: ask(url, site) for url in tqdm(records, desc="links", disable=None)}
    if records and not any(statuses.values()):
        message = "no address answered; is there a network? The file is left as it was"
        raise Faults([Fault(LINKS, 0, message)])

    def judged(record: LinkRecord, status: int | None) -> LinkRecord:
        if status and (status < 400 or status in BUSY):
            archived = record.archived
            # A copy by date is the page as it was; one without leads to whatever was kept last.
            if not DATED_COPY.match(archived):
                # The address that a copy is of is not always the one we link to.
                original = re.sub(rf"^{re.escape(ARCHIVE)}(?:\d+\*?/)?", "", archived)
                archived = copy(original) or archived
            return LinkRecord(archived=archived, seen=today)
        if status not in GONE and (record.seen is None or today - record.seen < PATIENCE):
            return record
        return record.model_copy(update={"gone": record.gone or today})

    return {url: judged(record, statuses[url]) for url, record in records.items()}
