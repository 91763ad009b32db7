"""What must be true of a run before a page shows it."""

from collections.abc import Iterator

from readinglist.faults import Fault, line_of
from readinglist.running.outputs import Shown, cell_outputs
from readinglist.running.safety import active_parts, active_parts_of_svg
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
ACTIVE_PARTS = {Shown.FIGURE: active_parts_of_svg, Shown.HTML: active_parts}


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
            for part in ACTIVE_PARTS[kind](content) if kind in ACTIVE_PARTS else ():
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
