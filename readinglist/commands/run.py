"""Parts of all snippets, to be run on different machines. Their caches are merged by copying."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from readinglist.running.kernel import BUDGET
from readinglist.running.outputs import ANSI, IMAGES, SOUND, executed_cell
from readinglist.running.store import Run
from readinglist.sources.snippet import Cell, Snippet


@dataclass(frozen=True)
class Shard:
    """The part `number` of `total`, counted from 1."""

    number: int
    total: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """A shard from `1/4`. Raises ArgumentTypeError for anything else."""
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            message = f"'{text}' is not a shard; write K/N with 1 <= K <= N, as in 1/4"
            raise argparse.ArgumentTypeError(message)
        return cls(int(match[1]), int(match[2]))

    def of(self, names: Sequence[str]) -> list[str]:
        """This shard's names. They hang on the names alone: machines need not agree first."""
        return sorted(names)[self.number - 1 :: self.total]


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
