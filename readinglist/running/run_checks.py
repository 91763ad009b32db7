"""What must be true of a run before a page shows it."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from readinglist.faults import Fault, line_of
from readinglist.running.outputs import IMAGES, SOUND, executed_cell, without_sounds
from readinglist.running.store import Run
from readinglist.safety import PUBLISHED, active_parts, active_parts_of_svg, is_published
from readinglist.sources.snippet import Snippet


def missing_text_faults(snippet: Snippet, run: Run) -> Iterator[Fault]:
    """One fault for each cell that shows an image or plays a sound and does not say of what."""
    for cell in snippet.code.values():
        shown = [output.get("data", {}) for output in executed_cell(run, cell.name).outputs]
        if cell.alt.strip():
            continue
        if any(kind in data for data in shown for kind in IMAGES):
            what, remedy = "shows an image", "what the image shows"
        elif any(SOUND.search(data.get("text/html", "")) for data in shown):
            what, remedy = "plays a sound", "what is heard"
        else:
            continue
        message = f"cell '{cell.name}' {what} without alternative text"
        yield Fault(snippet.path, cell.line, f'{message}; end its marker with alt="{remedy}"')


def run_faults(snippet: Snippet, run: Run) -> Iterator[Fault]:
    """Everything that keeps the run off the site, each with its line in the snippet."""
    yield from missing_text_faults(snippet, run)
    yield from deprecation_faults(snippet, run)
    yield from _unsafe_outputs(snippet, run)
    for name in run.files:
        if not is_published(name):
            allowed = ", ".join(PUBLISHED)
            message = f"writes '{name}', which would be published; a file ends with one of"
            yield Fault(snippet.path, 1, f"{message} {allowed}, or it is removed in the last cell")


def _unsafe_outputs(snippet: Snippet, run: Run) -> Iterator[Fault]:
    for cell in snippet.code.values():
        for output in executed_cell(run, cell.name).outputs:
            for part in _active(output.get("data", {})):
                message = f"cell '{cell.name}' shows {part}, which would act on the page"
                remedy = "show text, a table, a figure or a sound"
                yield Fault(snippet.path, cell.line, f"{message}; {remedy}")


def _active(data: dict[str, str]) -> Iterator[str]:
    if svg := data.get("image/svg+xml"):
        try:
            yield from active_parts_of_svg(svg)
        except etree.XMLSyntaxError:
            yield "a figure that is not well-formed XML"
    yield from active_parts(without_sounds(data.get("text/html", "")))


def deprecation_faults(snippet: Snippet, run: Run) -> Iterator[Fault]:
    """The deprecations that the snippet does not list, and those it lists that did not occur."""
    messages = []
    for warning in run.warnings:
        if not warning["deprecated"]:
            continue
        messages.append(warning["message"])
        if any(part in warning["message"] for part in snippet.deprecations):
            continue
        cell = snippet.code[warning["cell"]]
        said = " ".join(f"{warning['category']}: {warning['message']}".split())
        remedy = (
            "use what it names instead, or list it in the dependency block: "
            '[tool.recurrent.deprecations] with "part of the message" = "why it stays"'
        )
        found = f"cell '{cell.name}' uses what will go, {said}"
        yield Fault(snippet.path, cell.line + warning["line"], f"{found}; {remedy}")
    for part in snippet.deprecations:
        if not any(part in message for message in messages):
            message = f"lists the deprecation '{part}', of which its run did not warn; remove it"
            yield Fault(
                snippet.path, line_of(snippet.path, r"tool\.recurrent\.deprecations"), message
            )
