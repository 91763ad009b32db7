"""Where a page's links lead, and what its images say, without building the site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from posixpath import normpath
from urllib.parse import unquote, urlsplit

import lxml.html
import markdown
from markdown.extensions.toc import slugify

from readinglist.commands.page_rules import without_code
from readinglist.faults import Fault, line_of_link, nearest
from readinglist.pages.embedding import Page
from readinglist.sources.catalog import Catalog
from readinglist.sources.link_records import LINKS, LinkRecord, is_external
from readinglist.sources.resource import pdf_remedy
from readinglist.sources.snippet import HEADING, Snippet


def _external(catalog: Catalog, pages: Iterable[Linked]) -> Iterator[Used]:
    """Every link that leaves the site, on pages, in front matter and in snippets' prose."""
    for resource in catalog.resources:
        yield Used(str(resource.url), resource.path, resource.lines["url"])
    for page in pages:
        for link in page.links:
            if is_external(link):
                yield Used(link, page.path, line_of_link(page.path, link))
    for snippet in catalog.snippets.values():
        prose = "\n\n".join(cell.source for cell in snippet.cells if cell.markdown)
        for link in read_links(snippet.path, prose).links if "http" in prose else ():
            if is_external(link):
                yield Used(link, snippet.path, line_of_link(snippet.path, link))


def _links(page: Page, catalog: Catalog) -> Linked:
    linked = read_links(page.path, without_code(page.text))
    linked.anchors |= {resource.slug for resource in catalog.resources}
    return linked


# Those of mkdocs.yml that make links, images and anchors.
EXTENSIONS = ("attr_list", "footnotes", "md_in_html", "tables", "toc", "pymdownx.details")


EXTERNAL = ("http", "https", "mailto")


@dataclass
class Linked:
    """One page: what it links to and shows, and what can be linked to on it."""

    path: Path
    links: list[str] = field(default_factory=list)
    images: list[tuple[str, str | None]] = field(default_factory=list)  # source, text
    anchors: set[str] = field(default_factory=set)


def read_links(path: Path, text: str) -> Linked:
    """The links, images and anchors of a page's text, less what is made from metadata."""
    html = markdown.markdown(text, extensions=list(EXTENSIONS))
    tree = lxml.html.fromstring(f"<div>{html}</div>")
    # A link to a footnote and back is Markdown's own.
    return Linked(
        path,
        [link.get("href") for link in tree.xpath("//a[@href][not(contains(@class, 'footnote'))]")],
        [(image.get("src", ""), image.get("alt")) for image in tree.xpath("//img")],
        set(tree.xpath("//@id")),
    )


def snippet_anchors(snippet: Snippet) -> set[str]:
    """What can be linked to on a snippet's page: its cells and its headings."""
    lines = (line for cell in snippet.cells if cell.markdown for line in cell.source.splitlines())
    headings = (heading["text"] for line in lines if (heading := HEADING.match(line)))
    return {*snippet.code, *(slugify(heading, "-") for heading in headings)}


def link_faults(
    page: Linked, docs: Path, anchors: Mapping[str, set[str] | None]
) -> Iterator[Fault]:
    """What is wrong with the links and images of a page.

    `anchors` has, for every page under `docs`, what can be linked to on it: None if that is not
    known.
    """
    for link in dict.fromkeys(page.links):
        if problem := _problem(link, page.path.relative_to(docs).as_posix(), docs, anchors):
            yield Fault(page.path, line_of_link(page.path, link), problem)
    for source, text in page.images:
        yield from _image_faults(page.path, source, text)


def _problem(
    link: str, page: str, docs: Path, anchors: Mapping[str, set[str] | None]
) -> str | None:
    parts = urlsplit(link)
    if parts.scheme in EXTERNAL or parts.netloc:
        if better := pdf_remedy(link):
            return f"links to a PDF, '{link}'; link to its abstract, {better}"
        return None
    if link.startswith("/"):
        return f"the link '{link}' leads out of the site; write it from this page's folder"
    target = page
    if parts.path:
        target = normpath(str(PurePosixPath(page).parent / unquote(parts.path)))
        if target not in anchors:
            if (docs / target).is_file() and not target.startswith(".."):
                return None
            close = nearest(target, [name for name in anchors if _alike(name, target)])
            return f"the link '{link}' leads nowhere: there is no '{target}'; {close}"
    known = anchors[target]
    if parts.fragment and known is not None and unquote(parts.fragment) not in known:
        where = "this page" if target == page else f"'{target}'"
        return (
            f"the link '{link}' leads nowhere: {where} has no '{parts.fragment}'; "
            f"{nearest(parts.fragment, known)}"
        )
    return None


def _alike(name: str, target: str) -> bool:
    """In the same folder: what else the link may have meant."""
    return PurePosixPath(name).parent == PurePosixPath(target).parent


def _image_faults(path: Path, source: str, text: str | None) -> Iterator[Fault]:
    line = line_of_link(path, source)
    if urlsplit(source).netloc:
        message = f"shows '{source}' from another host; nothing here may, so draw it anew"
        yield Fault(path, line, message)
    if not (text or "").strip():
        message = f"shows the image '{source}' without a text; write ![what it shows]({source})"
        yield Fault(path, line, message)


def linkable(
    pages: Iterable[Linked], docs: Path, snippets: Iterable[Snippet]
) -> dict[str, set[str] | None]:
    """Every page that a link may lead to, with its anchors."""
    known: dict[str, set[str] | None] = {
        page.path.relative_to(docs).as_posix(): page.anchors for page in pages
    }
    known |= {f"snippets/{snippet.name}.ipynb": snippet_anchors(snippet) for snippet in snippets}
    return known


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
