"""What a change does to the site: two builds, compared for the reviewer of a pull request."""

import argparse
import difflib
import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
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
# What differs from build to build on a page.
UNSTABLE = (
    "//article//*[self::svg or self::style or self::script]"
    " | //article//*[@class='timed' or @class='proof' or @class='number']"
)
BLOCKS = ("p", "li", "td", "h1", "h2", "h3", "pre", "dd")


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
        for part in tree.xpath(UNSTABLE):
            part.drop_tree()
        blocks = (block for article in tree.iter("article") for block in article.iter(*BLOCKS))
        lines = (line for block in blocks for line in block.text_content().splitlines())
        return [" ".join(line.split()) for line in lines if line.strip()]

    def outputs(self, snippet: str) -> dict[str, list[str]]:
        """The outputs of a snippet's cells as lines of text, by the cell's name."""
        path = self.folder / "downloads" / f"{snippet}.ipynb"
        if not path.exists():
            return {}
        notebook = nbformat.read(path, as_version=4)
        names = [cell.metadata.name for cell in notebook.cells if cell.cell_type == "code"]
        return {name: list(_lines(cell_outputs(notebook, name))) for name in names}


def _lines(outputs: Iterable[tuple[Shown, str]]) -> Iterator[str]:
    for kind, content in outputs:
        if kind in (Shown.TEXT, Shown.STDERR):
            yield from content.splitlines()
        else:  # not the drawing itself: that it changed is seen, how is on the page
            digest = hashlib.sha256(content.encode()).hexdigest()[:8]
            yield f"[{kind}, {len(content):,} characters, sha256 {digest}]"


def add_command(commands: argparse._SubParsersAction) -> None:
    compare = commands.add_parser("report", help="what changed between two builds, as Markdown")
    compare.add_argument("base", type=Path, help="folder of the site as it was")
    compare.add_argument("head", type=Path, help="folder of the site as it is")
    compare.set_defaults(command=print_report)


def print_report(options: argparse.Namespace, root: Path) -> None:
    """Prints what differs between the sites in two folders, as Markdown.

    Raises:
        Faults: a folder is not a site that this project built.
    """
    before, after = sites = Site(options.base), Site(options.head)
    message = f"is not a built site: it has no {STATUS}; name the folder that 'make build' wrote"
    if faults := [Fault(s.folder, 0, message) for s in sites if not (s.folder / STATUS).is_file()]:
        raise Faults(faults)
    print("# What this change does to the site", *_summary(before, after), sep="\n")
    for title, changes in (("Pages", _pages), ("Outputs", _outputs), ("Run times", _times)):
        lines = list(changes(before, after)) or ["No change."]
        print("", f"## {title}", "", *lines, sep="\n")


def _summary(before: Site, after: Site) -> Iterator[str]:
    yield from ("", "| | base | head |", "|---|---:|---:|")
    for name, total in (
        ("pages", lambda site: len(site.pages)),
        ("snippets", lambda site: len(site.record)),
        ("assertions that held", lambda site: sum(r["assertions"] for r in site.record.values())),
        ("seconds of all runs", lambda site: sum(run["seconds"] for run in site.record.values())),
        ("kB of all pages, gzipped", lambda site: sum(map(site.weight, site.pages))),
    ):
        yield f"| {name} | {total(before):.0f} | {total(after):.0f} |"


def _pages(before: Site, after: Site) -> Iterator[str]:
    rows: list[str] = []
    differences: list[str] = []
    for page in sorted({*before.pages, *after.pages}):
        texts = before.text(page), after.text(page)
        old, new = before.weight(page), after.weight(page)
        if page not in before.pages:
            what = "new"
        elif page not in after.pages:
            what = "gone"
        elif texts[0] != texts[1]:
            what = "changed"
            differences += _difference(page, *texts)
        elif abs(new - old) >= 0.1:
            what = "weight alone"
        else:
            continue
        rows.append(f"| `{page}` | {what} | {old:.1f} | {new:.1f} | {new - old:+.1f} |")
    if rows:
        yield from ("| page | | kB in base | in head | more |", "|---|---|---:|---:|---:|", *rows)
    yield from differences


def _outputs(before: Site, after: Site) -> Iterator[str]:
    for name in sorted({*before.record, *after.record}):
        if name not in before.record or name not in after.record:
            yield f"- `{name}` is {'new' if name in after.record else 'gone'}"
            continue
        old, new = before.outputs(name), after.outputs(name)
        timed = {*before.record[name]["timed"], *after.record[name]["timed"]}
        for cell in {**old, **new}:
            if cell not in timed and old.get(cell) != new.get(cell):
                yield from _difference(f"{name}#{cell}", old.get(cell, []), new.get(cell, []))


def _times(before: Site, after: Site) -> Iterator[str]:
    rows = []
    for name, run in sorted(after.record.items()):
        added = name not in before.record
        old, new = before.record.get(name, run)["seconds"], run["seconds"]
        noticeable = abs(new - old) > 1 and max(new, old) > NOTICEABLE * min(new, old)
        if added or noticeable or new > BUDGET:
            remark = f"over the budget of {BUDGET} s" if new > BUDGET else ""
            rows.append(f"| `{name}` | {'new' if added else f'{old:.1f}'} | {new:.1f} | {remark} |")
    if rows:
        yield from ("| snippet | s in base | in head | |", "|---|---:|---:|---|", *rows)


def _difference(title: str, old: list[str], new: list[str]) -> Iterator[str]:
    """The lines that differ, with their signs, folded below a title."""
    # The first two name the files. A line of the texts has a sign before whatever it begins with.
    changes = list(difflib.unified_diff(old, new, lineterm="", n=0))[2:]
    lines = [line for line in changes if not line.startswith("@@")]
    if (left := len(lines) - LINES) > 0:
        lines[LINES:] = [f"… and {left} lines more"]
    fence = "`" * 8  # an output may hold a fence itself
    yield from ("", f"<details><summary><code>{title}</code></summary>", "", f"{fence}diff")
    yield from (*lines, fence, "", "</details>")
