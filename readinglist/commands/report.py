"""What a change does to the site: two builds, compared for the reviewer of a pull request."""

import argparse
import difflib
import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import lxml.html
import nbformat

from readinglist.faults import Fault, Faults
from readinglist.running.kernel import BUDGET
from readinglist.running.outputs import Shown, cell_outputs
from readinglist.settings import STATUS

LINES = 40  # of one difference; the artifact has the pages themselves
NOTICEABLE = 1.2  # times as long: below that, it is the machine


@dataclass(frozen=True)
class Site:
    """A built site, as far as a report looks at it."""

    folder: Path

    @cached_property
    def record(self) -> dict[str, dict[str, Any]]:
        """What the build wrote down of each snippet's run."""
        return json.loads((self.folder / STATUS).read_text(encoding="utf-8"))

    @cached_property
    def pages(self) -> dict[str, Path]:
        paths = sorted(self.folder.rglob("*.html"))
        return {path.relative_to(self.folder).as_posix(): path for path in paths}

    def weight(self, page: str) -> float:
        """kB of the page's HTML, gzipped; 0 if there is no such page."""
        path = self.pages.get(page)
        return len(gzip.compress(path.read_bytes(), mtime=0)) / 1000 if path else 0.0

    def text(self, page: str) -> list[str]:
        """The lines that a reader sees on a page, less what differs from build to build."""
        if not (path := self.pages.get(page)):
            return []
        tree = lxml.html.fromstring(path.read_text(encoding="utf-8"))
        for part in tree.xpath("//article//*[self::svg or self::style or self::script]"):
            part.drop_tree()
        for part in tree.xpath("//article//*[@class='timed' or @class='proof' or @class='number']"):
            part.drop_tree()
        lines = (line for article in tree.xpath("//article") for line in _lines(article))
        return [line for line in lines if line]

    def outputs(self, snippet: str) -> dict[str, list[str]]:
        """The outputs of a snippet's cells as text, by the cell's name."""
        path = self.folder / "downloads" / f"{snippet}.ipynb"
        if not path.exists():
            return {}
        notebook = nbformat.read(path, as_version=4)
        code = (cell for cell in notebook.cells if cell.cell_type == "code")
        return {cell.metadata.name: list(_lines_of(notebook, cell.metadata.name)) for cell in code}


def _lines(article: lxml.html.HtmlElement) -> Iterator[str]:
    for block in article.xpath(".//p | .//li | .//td | .//h1 | .//h2 | .//h3 | .//pre | .//dd"):
        for line in block.text_content().splitlines():
            yield " ".join(line.split())


def _lines_of(notebook: nbformat.NotebookNode, cell: str) -> Iterator[str]:
    for kind, content in cell_outputs(notebook, cell):
        if kind in (Shown.TEXT, Shown.STDERR):
            yield from content.splitlines()
        else:
            # Not the drawing itself: that it changed is seen, how is on the page.
            digest = hashlib.sha256(content.encode()).hexdigest()[:8]
            yield f"[{kind}, {len(content):,} characters, sha256 {digest}]"


def add_command(commands: argparse._SubParsersAction) -> None:
    compare = commands.add_parser("report", help="what changed between two builds, as Markdown")
    compare.add_argument("base", type=Path, help="folder of the site as it was")
    compare.add_argument("head", type=Path, help="folder of the site as it is")
    compare.set_defaults(command=print_report)


def print_report(options: argparse.Namespace, root: Path) -> int:
    """Prints the report on two folders."""
    print(report(options.base, options.head))
    return 0


def report(base: Path, head: Path) -> str:
    """What differs between the sites in two folders, as Markdown.

    Raises:
        Faults: a folder is not a site that this project built.
    """
    if missing := [folder for folder in (base, head) if not (folder / STATUS).is_file()]:
        remedy = f"it has no {STATUS}; name the folder that 'make build' wrote"
        raise Faults([Fault(folder, 0, f"is not a built site: {remedy}") for folder in missing])
    before, after = Site(base), Site(head)
    parts = ["# What this change does to the site", *_summary(before, after)]
    for title, lines in (
        ("Pages", _pages(before, after)),
        ("Outputs", _outputs(before, after)),
        ("Run times", _times(before, after)),
    ):
        parts += ["", f"## {title}", "", *(list(lines) or ["No change."])]
    return "\n".join(parts)


def _summary(before: Site, after: Site) -> Iterator[str]:
    yield from ("", "| | base | head |", "|---|---:|---:|")
    yield f"| pages | {len(before.pages)} | {len(after.pages)} |"
    yield f"| snippets | {len(before.record)} | {len(after.record)} |"
    held = [sum(run["assertions"] for run in site.record.values()) for site in (before, after)]
    yield f"| assertions that held | {held[0]} | {held[1]} |"
    took = [sum(run["seconds"] for run in site.record.values()) for site in (before, after)]
    yield f"| seconds of all runs | {took[0]:.0f} | {took[1]:.0f} |"
    weights = [sum(site.weight(page) for page in site.pages) for site in (before, after)]
    yield f"| kB of all pages, gzipped | {weights[0]:.0f} | {weights[1]:.0f} |"


def _pages(before: Site, after: Site) -> Iterator[str]:
    rows: list[str] = []
    texts: list[str] = []
    for page in sorted({*before.pages, *after.pages}):
        difference = list(_difference(before.text(page), after.text(page)))
        old, new = before.weight(page), after.weight(page)
        if page not in before.pages:
            what = "new"
        elif page not in after.pages:
            what = "gone"
        elif difference:
            what = "changed"
            texts += _folded(page, difference)
        elif abs(new - old) >= 0.1:
            what = "weight alone"
        else:
            continue
        rows.append(f"| `{page}` | {what} | {old:.1f} | {new:.1f} | {new - old:+.1f} |")
    if rows:
        yield from ("| page | | kB in base | in head | more |", "|---|---|---:|---:|---:|", *rows)
    yield from texts


def _outputs(before: Site, after: Site) -> Iterator[str]:
    for name in sorted({*before.record, *after.record}):
        if name not in before.record or name not in after.record:
            yield f"- `{name}` is {'new' if name in after.record else 'gone'}"
            continue
        old, new = before.outputs(name), after.outputs(name)
        timed = {*before.record[name]["timed"], *after.record[name]["timed"]}
        for cell in [*old, *(cell for cell in new if cell not in old)]:
            if cell not in timed and old.get(cell) != new.get(cell):
                difference = _difference(old.get(cell, []), new.get(cell, []))
                yield from _folded(f"{name}#{cell}", list(difference))


def _times(before: Site, after: Site) -> Iterator[str]:
    rows = []
    for name, run in sorted(after.record.items()):
        old = before.record.get(name, {}).get("seconds")
        new = run["seconds"]
        if old is None or _differ(old, new) or new > BUDGET:
            remark = f"over the budget of {BUDGET} s" if new > BUDGET else ""
            shown = "new" if old is None else f"{old:.1f}"
            rows.append(f"| `{name}` | {shown} | {new:.1f} | {remark} |")
    if rows:
        yield from ("| snippet | s in base | in head | |", "|---|---:|---:|---|", *rows)


def _differ(old: float, new: float) -> bool:
    return abs(new - old) > 1 and max(new, old) > NOTICEABLE * min(new, old)


def _difference(old: list[str], new: list[str]) -> Iterator[str]:
    """The lines that differ, with their signs."""
    # The first two name the files. A line of the texts has a sign before whatever it begins with.
    for line in list(difflib.unified_diff(old, new, lineterm="", n=0))[2:]:
        if not line.startswith("@@"):
            yield line


def _folded(title: str, difference: list[str]) -> Iterator[str]:
    left = len(difference) - LINES
    shown = difference[:LINES] + ([f"… and {left} lines more"] if left > 0 else [])
    fence = "`" * 8  # an output may hold a fence itself
    yield from ("", f"<details><summary><code>{title}</code></summary>", "", f"{fence}diff")
    yield from (*shown, fence, "", "</details>")
