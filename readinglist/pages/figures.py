"""Figures and drawings as part of a page: SVG with the page's colours and fonts, and a text."""

import re
from html import escape
from pathlib import Path

from lxml import etree

from readinglist.memory import remembered

SVG = "{http://www.w3.org/2000/svg}"
HEX = re.compile(r"#[0-9a-f]{6}\b")
NUMBER = re.compile(r"-?\d+\.\d{2,}")
GEOMETRY = {"d", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "points"}
# A tenth of a pixel is enough for a place, but not for the factor of a scale or a matrix.
MOVES = re.compile(r"(?:translate|rotate)\([^)]*\)")
REFERENCES = etree.XPath("//@*[contains(., 'url(#') or local-name() = 'href']")
# The page's ground, ink, muted ink and lines, by the colours that stand for them in figures.
PAGE_COLOURS = {
    "#ffffff": "var(--paper)",
    "#000000": "currentColor",
    "#808080": "var(--muted)",
    "#d9d9d9": "var(--line)",
}


@remembered()
def themed_figure(svg: str, alt: str, name: str, palette: dict[str, str]) -> str:
    """A matplotlib SVG as inline SVG, in the page's colours and with `name` before its ids."""
    colours = {colour: f"var(--{quantity})" for quantity, colour in palette.items()} | PAGE_COLOURS
    root = etree.fromstring(svg.encode())
    etree.strip_elements(root, f"{SVG}metadata", f"{SVG}style")
    referenced = set(re.findall(r"#([\w.-]+)", " ".join(REFERENCES(root))))
    for element in root.iter(etree.Element):
        identity = element.attrib.pop("id", None)
        if identity in referenced:
            element.set("id", f"{name}-{identity}")
        for attribute, value in element.attrib.items():
            element.set(attribute, _themed_attribute(attribute, value, name, colours))
        if element.tag == f"{SVG}text" and "fill:" not in element.get("style", ""):
            element.set("fill", "currentColor")  # matplotlib leaves black out
        if element.tag == f"{SVG}g" and not element.attrib:
            element.tag = "bare"
    etree.strip_tags(root, "bare")  # half of a figure's elements, and they do nothing
    box = root.get("viewBox", "0 0 1 1")
    body = "".join(etree.tostring(child, encoding="unicode") for child in root)
    body = re.sub(r' xmlns(:\w+)?="[^"]*"|(?<=>)\s+(?=<)', "", body)
    attributes = f'class="plot" data-search-exclude="" role="img" aria-label="{escape(alt)}"'
    return f'<svg {attributes} viewBox="{box}">{body}</svg>'


def _themed_attribute(attribute: str, value: str, name: str, colours: dict[str, str]) -> str:
    if attribute == "transform":
        return MOVES.sub(lambda match: _rounded(match[0]), value)
    if attribute in GEOMETRY:
        return " ".join(_rounded(value).split())
    value = value.replace("url(#", f"url(#{name}-")
    if attribute.endswith("href"):
        return value.replace("#", f"#{name}-", 1)
    value = re.sub(r"font: ([\d.]+)px [^;]+", r"font-size: \1px", value)
    value = re.sub(r" ?font-family: [^;]+;?", "", value)
    return HEX.sub(lambda match: colours.get(match[0], match[0]), value)


def _rounded(value: str) -> str:
    return NUMBER.sub(lambda match: f"{float(match[0]):.1f}".removesuffix(".0"), value)


def read_drawing(path: Path) -> str:
    """A hand-written drawing without the comments and the indentation of its file.

    Its text comes letter by letter, so it is kept out of the search.
    """
    text = re.sub(r"<!--.*?-->", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = text.replace(' xmlns="http://www.w3.org/2000/svg"', ' data-search-exclude=""', 1)
    return re.sub(r">\s+<", "><", text).strip()
