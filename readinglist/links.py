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

from readinglist.addresses import pdf_remedy
from readinglist.faults import Fault, line_of_link, nearest
from readinglist.snippet import HEADING, Snippet

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
