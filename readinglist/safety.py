"""What a contribution may put on the site: nothing of it acts on the page that shows it, or on
another. The policy of content_policy.py holds a second line in the reader's browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import lxml.html
import nh3
from lxml import etree

# Elements that run code, load other documents, or change what the page's addresses mean.
ACTIVE = {
    *("script", "style", "iframe", "frame", "frameset", "object", "embed", "applet", "portal"),
    # An animation can set what an attribute may not hold.
    *("form", "base", "meta", "link", "foreignobject", "animate", "animatetransform", "set"),
}


WITHIN_SVG = ACTIVE - {"style"}  # matplotlib writes one, which is not shown


SCHEMES = ("http://", "https://", "mailto:", "#", "data:image/", "data:audio/")


SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


LOADED = re.compile(r"url\(\s*['\"]?(?!#)", re.IGNORECASE)


HIDDEN = re.compile(r"[\x00-\x20]")  # a browser reads a scheme without them


OUTPUT_TAGS = {
    *("a", "abbr", "b", "br", "caption", "code", "col", "colgroup", "dd", "del", "details", "div"),
    *("dl", "dt", "em", "figcaption", "figure", "h3", "h4", "hr", "i", "ins", "kbd", "li", "mark"),
    *("ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary", "sup"),
    *("table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var"),
}


OUTPUT_ATTRIBUTES = {
    "*": {"class", "style", "title", "lang", "dir", "role", "tabindex", "aria-label"},
    "a": {"href"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "scope"},
}


PAGES = (".html", ".htm", ".xhtml", ".xht", ".xml", ".mht", ".mhtml", ".pdf", ".swf")


# What a browser or a host might take for a page, a program or a style is not among them.
PUBLISHED = (
    *(".safetensors", ".json", ".txt", ".csv", ".tsv", ".npy", ".npz"),
    *(".png", ".jpg", ".mp3", ".ogg", ".wav", ".flac"),
)


def active_parts(html: str) -> Iterator[str]:
    """What acts in a piece of HTML, each as a message tells it: '<script>', 'onclick in <p>'."""
    if "<" in html:
        yield from _active(lxml.html.fromstring(f"<div>{html}</div>"), ACTIVE)


def active_parts_of_svg(svg: str) -> Iterator[str]:
    """What acts in a drawing or a figure."""
    yield from _active(etree.fromstring(svg.encode()), WITHIN_SVG)


def _active(root: etree._Element, refused: set[str]) -> Iterator[str]:
    for element in root.iter(etree.Element):
        tag = etree.QName(element).localname.lower()
        if tag in refused:
            yield f"<{tag}>"
        for attribute, value in element.attrib.items():
            name = attribute.rpartition("}")[2].lower()
            if name.startswith("on") or name == "srcdoc":
                yield f"the attribute {name} in <{tag}>"
            if name == "style" and LOADED.search(value):
                yield f"a style that loads something, in <{tag}>"
            address = HIDDEN.sub("", value).lower()
            if name in ("href", "src", "action", "formaction") and _is_strange(address):
                yield f"the address '{value.strip()[:40]}' in <{tag}>"


def _is_strange(address: str) -> bool:
    return bool(SCHEME.match(address)) and not address.startswith(SCHEMES)


def clean_output(html: str) -> str:
    """The HTML that a cell showed, with nothing in it but text, tables and their looks."""
    return nh3.clean(
        html,
        tags=OUTPUT_TAGS,
        attributes=OUTPUT_ATTRIBUTES,
        url_schemes={"http", "https"},
    )


def file_problems(docs: Path) -> Iterator[tuple[Path, str]]:
    """The files under `docs` that are pages of their own for a browser, without our policy."""
    for path in sorted(docs.rglob("*")):
        if path.suffix.lower() in PAGES:
            yield path, "is a page that no policy covers; write it as Markdown"
        elif path.suffix.lower() == ".svg":
            try:
                for part in active_parts_of_svg(path.read_text(encoding="utf-8")):
                    yield path, f"holds {part}; a drawing is shapes and text, so remove it"
            except (etree.XMLSyntaxError, ValueError) as error:
                yield path, f"is not well-formed XML: {error}; mend it"


def is_published(name: str) -> bool:
    """Whether a file that a snippet wrote may stand on the site, by its name."""
    return PurePosixPath(name).suffix.lower() in PUBLISHED
