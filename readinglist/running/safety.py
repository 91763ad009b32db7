"""What a run may put on a page: nothing of it acts on the page that shows it, or loads anything.

The policy of site/head.py holds a second line in the reader's browser.
"""

import re
from collections.abc import Iterator

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


def active_parts(html: str) -> Iterator[str]:
    """What acts in a piece of HTML, each as a message tells it: '<script>', 'onclick in <p>'."""
    if "<" in html:
        yield from _active(lxml.html.fromstring(f"<div>{html}</div>"), ACTIVE)


def active_parts_of_svg(svg: str) -> Iterator[str]:
    """What acts in a figure."""
    try:
        yield from _active(etree.fromstring(svg.encode()), WITHIN_SVG)
    except etree.XMLSyntaxError:
        yield "a figure that is not well-formed XML"


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
            strange = SCHEME.match(address) and not address.startswith(SCHEMES)
            if strange and name in ("href", "src", "action", "formaction"):
                yield f"the address '{value.strip()[:40]}' in <{tag}>"


def clean_output(html: str) -> str:
    """The HTML that a cell showed, with nothing in it but text, tables and their looks."""
    return nh3.clean(
        html, tags=OUTPUT_TAGS, attributes=OUTPUT_ATTRIBUTES, url_schemes={"http", "https"}
    )
