"""`links`: keeps docs/links.json, a record for every link of the project that leaves the site."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from readinglist.commands.reading import Reading, read_project
from readinglist.faults import Fault, Faults, line_of_link
from readinglist.pages.links import read_links
from readinglist.sources.link_records import LINKS, is_external, new_record, write_link_records


def add_command(commands: argparse._SubParsersAction) -> None:
    links = commands.add_parser("links", help="bring docs/links.json up to the pages' links")
    links.add_argument("--refresh", action="store_true", help="ask every address if it is there")
    links.set_defaults(command=update_records)


def update_records(options: argparse.Namespace, root: Path) -> int:
    """Writes a record for every external link: those there are, and new ones."""
    reading = read_project(root)
    if not reading.complete:
        raise Faults(reading.faults)
    known, today = reading.project.links, date.today()
    urls = {link.url for link in external_links(reading)}
    records = {url: known.get(url) or new_record(url, today) for url in urls}
    if options.refresh:
        # It takes a tenth of a second to load, which no other command needs.
        from readinglist.commands.link_refresh import refreshed

        records = refreshed(records, today, reading.project.settings.slug)
    write_link_records(root, records)
    seen = sum(record.seen is not None for record in records.values())
    gone = sum(record.gone is not None for record in records.values())
    print(f"{LINKS}: {len(records)} links, {seen} seen alive at some time, {gone} gone")
    return 0


@dataclass(frozen=True)
class ExternalLink:
    """One address, and a place that links to it."""

    url: str
    path: Path
    line: int


def external_links(reading: Reading) -> Iterator[ExternalLink]:
    """Every link that leaves the site, on pages, in front matter and in snippets' prose."""
    project = reading.project
    for resource in project.resources:
        yield ExternalLink(str(resource.url), resource.path, resource.lines["url"])
    linked = list(reading.linked)
    for snippet in project.snippets.values():
        prose = "\n\n".join(cell.source for cell in snippet.cells if cell.markdown)
        if "http" in prose:
            linked.append(read_links(snippet.path, prose, project))
    for page in linked:
        for link in page.links:
            if is_external(link, project.settings.owner_url):
                yield ExternalLink(link, page.path, line_of_link(page.path, link))


def record_faults(reading: Reading) -> Iterator[Fault]:
    """The addresses that have no record, and if all could be read, the records too many."""
    records, needed = reading.project.links, set()
    for link in external_links(reading):
        if link.url not in records and link.url not in needed:
            message = f"links to '{link.url}', which has no archived copy in {LINKS}"
            yield Fault(link.path, link.line, f"{message}; run 'python -m readinglist links'")
        needed.add(link.url)
    for url in records.keys() - needed if reading.complete else ():
        message = f"no page links to '{url}'; run 'python -m readinglist links'"
        yield Fault(reading.root / LINKS, 0, message)
