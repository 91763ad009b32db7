"""Where a page's links lead, and what its images say: one judge, for `check` and for the build."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

import lxml.html
import markdown

from readinglist.faults import Fault, line_of_link, nearest
from readinglist.memory import remembered
from readinglist.sources.catalog import Catalog
from readinglist.sources.works import pdf_remedy

# Those of mkdocs.yml that make links, images and anchors.
EXTENSIONS = ("attr_list", "md_in_html", "tables", "toc", "pymdownx.details")
EXTERNAL = ("http", "https", "mailto", "data")
# A fenced block, of whatever kind, up to its closing fence or else to the end of the page. The end
# of the page is a match too, an empty one, so that text below the last block has a block after it.
FENCED = re.compile(
    r"^(?P<indent>[ \t]*)(?P<fence>(?P<sign>[`~])(?P=sign){2,})(?!(?P=sign))(?P<info>[^`\n]*)$"
    r"(?P<content>.*?)(?:(?P<closing>\n[ \t]*(?P=fence)(?P=sign)*[ \t]*)$|\Z)|\Z",
    re.DOTALL | re.MULTILINE,
)
# The pages a link may lead to, each with what can be linked to on it: None if that is not known.
Anchors = Mapping[str, set[str] | None]


@dataclass
class Linked:
    """One page: what it links to and shows, and what can be linked to on it."""

    path: Path
    links: list[str]
    images: list[tuple[str, str | None]]  # source, text
    anchors: set[str]


def read_links(path: Path, text: str, catalog: Catalog) -> Linked:
    """The links, images and anchors of a page's text, less what is made from metadata."""
    links, images, anchors = _parsed(without_code(text))
    # A list on the page has an anchor for each resource.
    slugs = {resource.slug for resource in catalog.resources}
    return Linked(path, links, [(source, alt) for source, alt in images], {*anchors, *slugs})


def without_code(text: str) -> str:
    """The text with its fenced blocks blanked out line for line, so that line numbers hold."""
    return FENCED.sub(lambda block: re.sub(r"[^\n]", "", block[0]), text)


@remembered("markdown", "pymdown-extensions")
def _parsed(text: str) -> list[list]:
    """The links, images and anchors of Markdown without code."""
    html = markdown.markdown(text, extensions=list(EXTENSIONS))
    tree = lxml.html.fromstring(f"<div>{html}</div>")
    images = [(image.get("src", ""), image.get("alt")) for image in tree.iter("img")]
    return [tree.xpath("//a/@href"), images, tree.xpath("//@id")]


def linkable(pages: Iterable[Linked], catalog: Catalog) -> dict[str, set[str] | None]:
    """Every page that a link may lead to, with its anchors."""
    docs = catalog.root / "docs"
    listed = {resource.path for resource in catalog.resources if not resource.annotated}
    known: dict[str, set[str] | None] = {
        page.path.relative_to(docs).as_posix(): page.anchors
        for page in pages
        if page.path not in listed
    }
    for name, snippet in catalog.snippets.items():
        prose = "\n\n".join(cell.source for cell in snippet.cells if cell.markdown)
        _, _, headings = _parsed(without_code(prose))
        known[f"snippets/{name}.ipynb"] = {*snippet.code, *headings}
    return known


def link_faults(page: Linked, docs: Path, anchors: Anchors) -> Iterator[Fault]:
    """What is wrong with the links and images of a page."""
    for link in dict.fromkeys([*page.links, *(source for source, _ in page.images)]):
        if problem := _problem(link, page.path.relative_to(docs).as_posix(), docs, anchors):
            yield Fault(page.path, line_of_link(page.path, link), problem)
    for source, text in page.images:
        line = line_of_link(page.path, source)
        if urlsplit(source).netloc:
            message = f"shows '{source}' from another host; nothing here may, so draw it anew"
            yield Fault(page.path, line, message)
        if not (text or "").strip():
            message = f"shows the image '{source}' without a text; write ![what it shows]({source})"
            yield Fault(page.path, line, message)


def _problem(link: str, page: str, docs: Path, anchors: Anchors) -> str | None:
    parts = urlsplit(link)
    if parts.scheme in EXTERNAL or parts.netloc:
        better = pdf_remedy(link)
        return f"links to a PDF, '{link}'; link to its abstract, {better}" if better else None
    if link.startswith("/"):
        return f"the link '{link}' leads out of the site; write it from this page's folder"
    path = unquote(parts.path)
    target = normpath(join(dirname(page), path)) if path else page
    if path and target not in anchors:
        if (docs / target).is_file() and not target.endswith(".md") and ".." not in target:
            return None
        # What else it may have meant stands in the same folder.
        close = nearest(target, [name for name in anchors if dirname(name) == dirname(target)])
        return f"the link '{link}' leads nowhere: there is no '{target}'; {close}"
    known, fragment = anchors.get(target), unquote(parts.fragment)
    if not fragment or known is None or fragment in known:
        return None
    where = "this page" if target == page else f"'{target}'"
    close = nearest(parts.fragment, known)
    return f"the link '{link}' leads nowhere: {where} has no '{parts.fragment}'; {close}"
