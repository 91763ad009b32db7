"""`run`: runs the snippets that are not stored, all or a part, and shows what one printed."""

import argparse
import re
import textwrap
from pathlib import Path

from readinglist.faults import Fault, Faults, nearest
from readinglist.running.kernel import BUDGET
from readinglist.running.outputs import Shown, cell_outputs
from readinglist.running.project import forget, run_snippets
from readinglist.running.store import Run
from readinglist.sources.catalog import read_catalog
from readinglist.sources.snippet import Snippet


def add_command(commands: argparse._SubParsersAction) -> None:
    run = commands.add_parser("run", help="run the snippets that are not stored; show one's output")
    run.add_argument("name", nargs="*", help="a snippet's name; all of them if none is given")
    run.add_argument("--shard", type=shard, help="one part of all, as 1/4", metavar="K/N")
    run.set_defaults(command=run_chosen)
    clean = commands.add_parser("clean", help="forget every stored run")
    clean.set_defaults(command=lambda _, root: forget(root))


def shard(text: str) -> slice:
    """The part of all names, in order, that `1/4` means, counted from 1.

    It depends on the names alone, so that machines need not agree first, and the caches of all
    parts are merged by copying.

    Raises:
        ArgumentTypeError: the text is not a shard.
    """
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        message = f"'{text}' is not a shard; write K/N with 1 <= K <= N, as in 1/4"
        raise argparse.ArgumentTypeError(message)
    return slice(int(match[1]) - 1, None, int(match[2]))


def run_chosen(options: argparse.Namespace, root: Path) -> None:
    """Runs what was asked for, and prints a transcript of each, or a line if it was all."""
    catalog = read_catalog(root)
    known = catalog.snippets
    if unknown := [name for name in options.name if name not in known]:
        raise Faults(
            Fault(Path("snippets"), 0, f"no '{name}'; {nearest(name, known)}") for name in unknown
        )
    chosen = options.name or list(known)
    chosen = sorted(chosen)[options.shard] if options.shard else chosen
    for name, run in run_snippets(catalog, [known[name] for name in chosen]).items():
        if options.name:
            print(transcript(known[name], run))
        else:
            print(f"{name:24} {run.seconds:6.1f} s   {run.assertions:3} assertions held")


def transcript(snippet: Snippet, run: Run) -> str:
    """What each cell printed and showed, and how the run went."""
    parts = [f"snippets/{snippet.path.name}: {snippet.title}"]
    for cell in snippet.code.values():
        outputs = "\n".join(
            content if kind in (Shown.TEXT, Shown.STDERR) else f"[{kind}] {cell.alt}".rstrip()
            for kind, content in cell_outputs(run.notebook, cell.name)
        )
        if outputs:
            indented = textwrap.indent(outputs, "    ")
            parts.append(f"{cell.name} (line {cell.line})\n{indented}")
    held = f"{run.assertions} assertion{'s' if run.assertions != 1 else ''} held"
    took = f"{run.seconds:.1f} s of the {BUDGET} s that a snippet may take"
    over = "" if run.seconds <= BUDGET else "\nIt takes too long: make it do less."
    wrote = f"\nWrote {', '.join(run.files)}." if run.files else ""
    parts.append(f"{held}; {took}; run on {run.date}.{wrote}{over}")
    return "\n\n".join(parts) + "\n"
