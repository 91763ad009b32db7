"""Page text and executed cells in, page text out.

What a page may say is replaced: a fenced `cell`, `drawing` or `claim` block, a fenced list such as
`resources`, and an inline value `[[snippet.name:format]]`. The rest passes through as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from readinglist.faults import Fault, Faults, found
from readinglist.pages.cells import render_outputs, render_source
from readinglist.pages.figures import read_drawing
from readinglist.pages.session import Shelf
from readinglist.pages.values import check_claims, fill_values
from readinglist.running.store import Run
from readinglist.sources.snippet import Cell, Snippet

FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)$")


OPTIONS = ("source", "output", "folded")


# The lists made from metadata: readinglist/listing.py has a function of the same name for each.
LISTS = ("resources", "snippets", "path", "citations", "status", "links", "data")


# The fence that carries finished HTML through Markdown; the adapter registers it.
HTML_FENCE = "rendered"


@dataclass
class Page:
    """One page's text, and where it comes from."""

    path: Path
    text: str
    lines_before: int = 0  # of the file before `text`: its front matter
    url_of: Callable[[str], str] = lambda target: (
        target
    )  # from a snippet's name to its page, seen from here
    lists: dict[str, Callable[[], str]] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)  # the snippets it turned out to embed
    outputs: Counter[tuple[str, str]] = field(default_factory=Counter)  # shown so far, by cell


def embed(page: Page, shelf: Shelf) -> str:
    """The page's text with everything embedded; `page.used` then names the snippets it shows.

    Raises:
        Faults: every wrong name, option or format in the page, with its line.
    """
    faults: list[Fault] = []
    result: list[str] = []
    for line, part in _parts(page, faults):
        if isinstance(part, str):
            filled = fill_values(part, shelf.runs)
            _use(page, filled.used)
            result.append(filled.text)
            faults += [Fault(page.path, line + below, text) for below, text in filled.problems]
            continue
        try:
            result.append(_embed_block(page, shelf, part))
        except ValueError as error:
            faults.append(Fault(page.path, line, str(error)))
    if faults:
        raise Faults(faults)
    return "\n".join(result)


def _use(page: Page, names: Iterable[str]) -> None:
    page.used += [name for name in dict.fromkeys(names) if name not in page.used]


@dataclass(frozen=True)
class Block:
    """A fenced block: one of ours, or one of another kind as it stands."""

    kind: str
    options: tuple[str, ...]
    content: list[str]
    indent: str


def _parts(page: Page, faults: list[Fault]) -> Iterator[tuple[int, Block | str]]:
    """The page as stretches of text and fenced blocks, each with its first line in the file."""
    kinds = ("cell", "drawing", "claim", *page.lists)
    lines = page.text.split("\n")
    index = start = 0
    while index < len(lines):
        number = index + 1 + page.lines_before
        opening = FENCE.match(lines[index])
        if not opening:
            index += 1
            continue
        if start < index:
            yield start + 1 + page.lines_before, "\n".join(lines[start:index])
        end = _closing(lines, index, opening["fence"])
        words = opening["info"].split()
        if end is None:
            what = words[0] if words else "fenced"
            message = f"this '{what}' block is not closed; end it with {opening['fence']}"
            faults.append(Fault(page.path, number, message))
            return
        if words and words[0] in kinds:
            content = [line.strip() for line in lines[index + 1 : end] if line.strip()]
            yield number, Block(words[0], tuple(words[1:]), content, opening["indent"])
        else:
            yield number, Block("", (), lines[index : end + 1], "")
        index = start = end + 1
    if start < index:
        yield start + 1 + page.lines_before, "\n".join(lines[start:])


def _closing(lines: list[str], start: int, fence: str) -> int | None:
    closing = re.compile(rf"^[ \t]*{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$")
    return next((i for i in range(start + 1, len(lines)) if closing.match(lines[i])), None)


def _embed_block(page: Page, shelf: Shelf, block: Block) -> str:
    if not block.kind:
        return "\n".join(block.content)
    allowed = OPTIONS if block.kind == "cell" else ()
    if wrong := [option for option in block.options if option not in allowed]:
        message = f"'{wrong[0]}' is not an option of a {block.kind} block"
        raise ValueError(f"{message}; allowed: {', '.join(allowed) or 'none'}")
    if block.kind == "cell":
        rendered = _cell(page, shelf, block)
    elif block.kind == "drawing":
        rendered = _drawing(shelf, block)
    elif block.kind == "claim":
        rendered, used = check_claims(block.content, shelf.runs)
        _use(page, used)
    else:
        rendered = page.lists[block.kind]()
    # Markdown would make spaces of a tab. A line of tildes in an output must not end the fence.
    rendered = rendered.replace("\t", "&#9;")
    fence = "~" * (8 + max(map(len, re.findall(r"~+", rendered)), default=0))
    lines = [f"{fence} {HTML_FENCE}", *rendered.split("\n"), fence]
    return "\n".join(block.indent + line for line in lines)


def _cell(page: Page, shelf: Shelf, block: Block) -> str:
    if len(block.content) != 1:
        hint = "; is it closed?" if block.content else ""
        stands = f"found {len(block.content)} lines{hint}"
        raise ValueError(f"a cell block holds one line, snippet#cell; {stands}")
    line = block.content[0]
    if line.count("#") != 1:
        raise ValueError(f"a cell block holds one line, snippet#cell; found '{line}'")
    name, cell = line.split("#")
    run = found(shelf.runs, name, f"there is no snippet '{name}'")
    snippet = shelf.snippets[name]
    found(snippet.code, cell, f"snippet '{name}' has no cell '{cell}'")
    _use(page, [name])
    return _cell_html(snippet, run, snippet.code[cell], page, shelf, block.options)


def _cell_html(
    snippet: Snippet, run: Run, cell: Cell, page: Page, shelf: Shelf, options: tuple[str, ...]
) -> str:
    both = ("source" in options) == ("output" in options)
    source = render_source(cell) if both or "source" in options else ""
    outputs = ""
    if both or "output" in options:
        # A figure that stands on a page twice needs ids of its own each time.
        page.outputs[snippet.name, cell.name] += 1
        place = page.outputs[snippet.name, cell.name]
        outputs = render_outputs(snippet, run, cell, shelf.palette, place)
    if outputs:
        outputs = f'<div class="outputs" data-search-exclude>{outputs}</div>'
    href = f"{page.url_of(snippet.name)}#{cell.name}"
    label = f"{snippet.name}.py <span>{cell.name}</span>"
    origin = f'<p class="origin" data-search-exclude><a href="{href}">{label}</a></p>'
    inside = f"{origin}{source}{outputs}"
    if "folded" in options:
        return f'<details class="cell"><summary>The code: {cell.name}</summary>{inside}</details>'
    return f'<div class="cell">{inside}</div>'


def _drawing(shelf: Shelf, block: Block) -> str:
    known = [path.stem for path in shelf.drawings.glob("*.svg")]
    name, *caption = block.content or [""]
    found(dict.fromkeys(known), name, f"there is no drawing '{name}'")
    text = f"<figcaption>{escape(' '.join(caption))}</figcaption>" if caption else ""
    return f'<figure class="drawn">{read_drawing(shelf.drawings / f"{name}.svg")}{text}</figure>'
