"""What must be true of a run before a page shows it."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from readinglist.cache import Run
from readinglist.deprecations import deprecation_faults
from readinglist.faults import Fault
from readinglist.rendering import executed_cell, missing_text_faults, without_sounds
from readinglist.safety import PUBLISHED, active_parts, active_parts_of_svg, is_published
from readinglist.snippet import Snippet


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
