"""What must be true of a run before a page shows it: told in words, and nothing that acts."""

import re
from collections.abc import Iterator

import lxml.html
from lxml import etree

from readinglist.faults import Fault, line_of
from readinglist.running.outputs import Shown, cell_outputs
from readinglist.running.store import Run
from readinglist.sources.snippet import Snippet

# What a reader who cannot see or hear it needs to be told.
NEEDS_TEXT = {
    Shown.FIGURE: ("shows an image", "what the image shows"),
    Shown.PICTURE: ("shows an image", "what the image shows"),
    Shown.SOUND: ("plays a sound", "what is heard"),
}
MEND_DEPRECATION = (
    "use what it names instead, or list it in the dependency block: "
    '[tool.recurrent.deprecations] with "part of the message" = "why it stays"'
)
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


def run_faults(snippet: Snippet, run: Run) -> Iterator[Fault]:
    """Everything that keeps the run off the site, each with its line in the snippet."""
    for cell in snippet.code.values():
        outputs = list(cell_outputs(run.notebook, cell.name))
        needed = next((NEEDS_TEXT[kind] for kind, _ in outputs if kind in NEEDS_TEXT), None)
        if needed and not cell.alt.strip():
            message = f"cell '{cell.name}' {needed[0]} without alternative text"
            remedy = f'end its marker with alt="{needed[1]}"'
            yield Fault(snippet.path, cell.line, f"{message}; {remedy}")
        for kind, content in outputs:
            for part in active_parts(kind, content):
                message = f"cell '{cell.name}' shows {part}, which would act on the page"
                remedy = "show text, a table, a figure or a sound"
                yield Fault(snippet.path, cell.line, f"{message}; {remedy}")
    yield from _deprecation_faults(snippet, run)


def _deprecation_faults(snippet: Snippet, run: Run) -> Iterator[Fault]:
    """The deprecations that the snippet does not list, and those it lists that did not occur."""
    warnings = [warning for warning in run.warnings if warning["deprecated"]]
    for warning in warnings:
        if not any(part in warning["message"] for part in snippet.deprecations):
            cell = snippet.code[warning["cell"]]
            what = " ".join(f"{warning['category']}: {warning['message']}".split())
            message = f"cell '{cell.name}' uses what will go, {what}; {MEND_DEPRECATION}"
            yield Fault(snippet.path, cell.line + warning["line"], message)
    for part in snippet.deprecations:
        if not any(part in warning["message"] for warning in warnings):
            line = line_of(snippet.path, r"tool\.recurrent\.deprecations")
            message = f"lists the deprecation '{part}', of which its run did not warn; remove it"
            yield Fault(snippet.path, line, message)


def active_parts(kind: Shown, content: str) -> Iterator[str]:
    """What acts in an output, each as a message tells it: '<script>', 'onclick in <p>'."""
    try:
        if kind is Shown.FIGURE:
            yield from _active(etree.fromstring(content.encode()), WITHIN_SVG)
        elif kind is Shown.HTML:
            yield from _active(lxml.html.fromstring(f"<div>{content}</div>"), ACTIVE)
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
