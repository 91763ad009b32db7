"""`links`: keeps docs/links.json, a record for every link of the project that leaves the site."""

import argparse
from collections.abc import Iterator
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


def update_records(options: argparse.Namespace, root: Path) -> None:
    """Writes a record for every external link: those there are, and new ones."""
    reading = read_project(root)
    if not reading.complete:
        raise Faults(reading.faults)
    known, today = reading.project.links, date.today()
    urls = external_links(reading)
    records = {url: known.get(url) or new_record(url, today) for url in urls}
    if options.refresh:
        # What it loads, no other command needs.
        from readinglist.commands.link_refresh import refreshed

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
