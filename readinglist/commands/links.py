"""`links`: keeps docs/links.json, a record for every link off the site, and asks if it is there."""

import argparse
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

import requests
from tqdm import tqdm

from readinglist.commands.reading import Reading, read_project
from readinglist.faults import Fault, Faults, line_of_link
from readinglist.pages.links import read_links
from readinglist.sources.link_records import (
    ARCHIVE,
    LINKS,
    LinkRecord,
    is_external,
    new_record,
    write_link_records,
)

AVAILABLE = "https://archive.org/wayback/available"
GONE = {404, 410}
# A host that refuses programs, or has too much to do, is there.
BUSY = {401, 403, 429}
# A host that does not answer may be back next week; after this time, it is taken for gone.
PATIENCE = timedelta(days=60)
SECONDS = 20
DATED_COPY = re.compile(rf"^{re.escape(ARCHIVE)}\d{{14}}/")


def add_command(commands: argparse._SubParsersAction) -> None:
    links = commands.add_parser("links", help="bring docs/links.json up to the pages' links")
    links.add_argument("--refresh", action="store_true", help="ask every address if it is there")
    links.set_defaults(command=update_records)


def update_records(options: argparse.Namespace, root: Path) -> None:
    """Writes a record for every external link: those there are, and new ones."""
    reading = read_project(root)
    if not reading.complete:
        raise Faults(reading.faults)
    known, today = reading.project.links, date.today()
    urls = external_links(reading)
    records = {url: known.get(url) or new_record(url, today) for url in urls}
    if options.refresh:
        records = refreshed(records, today, reading.project.settings.slug)
    write_link_records(root, records)
    seen = sum(record.seen is not None for record in records.values())
    gone = sum(record.gone is not None for record in records.values())
    print(f"{LINKS}: {len(records)} links, {seen} seen alive at some time, {gone} gone")


def external_links(reading: Reading) -> dict[str, tuple[Path, int]]:
    """Every address off the site, and a place that links to it: front matter, page or snippet."""
    project = reading.project
    places = {str(r.url): (r.path, r.lines["url"]) for r in project.resources}
    linked = list(reading.linked)
    for snippet in project.snippets.values():
        prose = "\n\n".join(cell.source for cell in snippet.cells if cell.markdown)
        if "http" in prose:
            linked.append(read_links(snippet.path, prose, project))
    for page in linked:
        for link in page.links:
            if link not in places and is_external(link, project.settings.owner_url):
                places[link] = page.path, line_of_link(page.path, link)
    return places


def record_faults(reading: Reading) -> Iterator[Fault]:
    """The addresses that have no record, and if all could be read, the records too many."""
    records, places = reading.project.links, external_links(reading)
    remedy = "run 'python -m readinglist links'"
    for url in places.keys() - records:
        message = f"links to '{url}', which has no archived copy in {LINKS}; {remedy}"
        yield Fault(*places[url], message)
    for url in records.keys() - places if reading.complete else ():
        yield Fault(reading.root / LINKS, 0, f"no page links to '{url}'; {remedy}")


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
