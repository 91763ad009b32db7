"""A snippet's run as a terminal shows it: outputs, assertions, and the time against the budget."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from readinglist.cache import Run
from readinglist.rendering import ANSI, IMAGES, SOUND, executed_cell
from readinglist.snippet import Cell, Snippet

BUDGET = 60  # seconds of one core for a snippet


def transcript(snippet: Snippet, run: Run) -> str:
    """What each cell printed and showed, and how the run went."""
    parts = [f"snippets/{snippet.path.name}: {snippet.title}"]
    for cell in snippet.code.values():
        if shown := list(_outputs(run, cell)):
            printed = textwrap.indent("\n".join(shown), "    ")
            parts.append(f"{cell.name} (line {cell.line})\n{printed}")
    held = f"{run.assertions} assertion{'s' if run.assertions != 1 else ''} held"
    took = f"{run.seconds:.1f} s of the {BUDGET} s that a snippet may take"
    over = "" if run.seconds <= BUDGET else "\nIt takes too long: make it do less."
    wrote = f"\nWrote {', '.join(run.files)}." if run.files else ""
    parts.append(f"{held}; {took}; run on {run.date}.{wrote}{over}")
    return "\n\n".join(parts) + "\n"


def _outputs(run: Run, cell: Cell) -> Iterator[str]:
    for output in executed_cell(run, cell.name).outputs:
        if output.output_type == "stream":
            yield ANSI.sub("", output.text).rstrip("\n")
        elif any(kind in output.data for kind in IMAGES):
            yield f"[figure] {cell.alt}"
        elif SOUND.search(output.data.get("text/html", "")):
            yield f"[sound] {cell.alt}"
        else:
            yield str(output.data.get("text/plain", "")).rstrip("\n")
