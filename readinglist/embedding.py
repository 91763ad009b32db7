"""Page text and executed cells in, page text out.

Three things a page may say are replaced: a fenced `cell` or `drawing` block, a fenced `resources`
or `snippets` list, and an inline value `[[snippet.name:format]]`. The rest passes through as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from readinglist.cache import Run
from readinglist.faults import Fault, Faults, nearest
from readinglist.figures import read_drawing
from readinglist.rendering import render_outputs, render_source
from readinglist.snippet import Cell, Snippet

FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)$")
CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)")
VALUE = re.compile(r"\[\[(?P<inside>[^\[\]]*)\]\]")
REFERENCE = re.compile(r"^(?P<snippet>[A-Za-z0-9_]+)\.(?P<name>[A-Za-z0-9_]+)(?::(?P<format>.+))?$")
OPTIONS = ("source", "output", "folded")
# The fence that carries finished HTML through Markdown; the adapter registers it.
HTML_FENCE = "rendered"


@dataclass(frozen=True)
class Shelf:
    """What pages may embed."""

    snippets: dict[str, Snippet]
    runs: dict[str, Run]
    drawings: Path
    palette: dict[str, str]


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


def embed(page: Page, shelf: Shelf) -> str:
    """The page's text with everything embedded; `page.used` then names the snippets it shows.

    Raises:
        Faults: every wrong name, option or format in the page, with its line.
    """
    faults: list[Fault] = []
    result: list[str] = []
    for line, block in _blocks(page, faults):
        try:
            result.append(
                _embed_block(page, shelf, block)
                if isinstance(block, Block)
                else _values(page, shelf, block)
            )
        except ValueError as error:
            faults.append(Fault(page.path, line, str(error)))
    if faults:
        raise Faults(faults)
    return "\n".join(result)


@dataclass(frozen=True)
class Block:
    """A fenced block that is ours."""

    kind: str
    options: tuple[str, ...]
    content: list[str]
    indent: str


def _blocks(page: Page, faults: list[Fault]) -> Iterator[tuple[int, Block | str]]:
    """The page as lines of text and blocks of ours, each with its line number in the file.

    Lines inside a fence that is not ours come out marked so that nothing is replaced in them.
    """
    kinds = ("cell", "drawing", *page.lists)
    lines = page.text.split("\n")
    index = 0
    while index < len(lines):
        number = index + 1 + page.lines_before
        opening = FENCE.match(lines[index])
        if not opening:
            yield number, lines[index]
            index += 1
            continue
        end = _closing(lines, index, opening["fence"])
        words = opening["info"].split()
        if end is None:
            what = words[0] if words else "fenced"
            faults.append(
                Fault(
                    page.path,
                    number,
                    f"this '{what}' block is not closed; end it with {opening['fence']}",
                )
            )
            return
        if words and words[0] in kinds:
            content = [line.strip() for line in lines[index + 1 : end] if line.strip()]
            yield number, Block(words[0], tuple(words[1:]), content, opening["indent"])
        else:
            yield number, Block("", (), lines[index : end + 1], "")
        index = end + 1


def _closing(lines: list[str], start: int, fence: str) -> int | None:
    closing = re.compile(rf"^[ \t]*{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$")
    return next((i for i in range(start + 1, len(lines)) if closing.match(lines[i])), None)


def _embed_block(page: Page, shelf: Shelf, block: Block) -> str:
    if not block.kind:
        return "\n".join(block.content)
    if block.kind == "cell":
        rendered = _cell(page, shelf, block)
    elif block.kind == "drawing":
        rendered = _drawing(shelf, block)
    else:
        rendered = page.lists[block.kind]()
    lines = [f"~~~~~~~~ {HTML_FENCE}", *rendered.split("\n"), "~~~~~~~~"]
    return "\n".join(block.indent + line for line in lines)


def _cell(page: Page, shelf: Shelf, block: Block) -> str:
    if wrong := [option for option in block.options if option not in OPTIONS]:
        raise ValueError(f"'{wrong[0]}' is not an option of a cell; allowed: {', '.join(OPTIONS)}")
    if len(block.content) != 1 or block.content[0].count("#") != 1:
        raise ValueError(
            f"a cell block holds one line, snippet#cell; found: {' / '.join(block.content) or '-'}"
        )
    snippet, run = _snippet(shelf, block.content[0].split("#")[0])
    name = block.content[0].split("#")[1]
    if name not in snippet.code:
        raise ValueError(
            f"snippet '{snippet.name}' has no cell '{name}'; {nearest(name, snippet.code)}"
        )
    page.used += [snippet.name] if snippet.name not in page.used else []
    return _cell_html(snippet, run, snippet.code[name], page, shelf, block.options)


def _cell_html(
    snippet: Snippet, run: Run, cell: Cell, page: Page, shelf: Shelf, options: tuple[str, ...]
) -> str:
    both = ("source" in options) == ("output" in options)
    source = render_source(cell) if both or "source" in options else ""
    outputs = (
        render_outputs(snippet, run, cell, shelf.palette) if both or "output" in options else ""
    )
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
    if name not in known:
        raise ValueError(f"there is no drawing '{name}'; {nearest(name, known)}")
    text = f"<figcaption>{escape(' '.join(caption))}</figcaption>" if caption else ""
    return f'<figure class="drawn">{read_drawing(shelf.drawings / f"{name}.svg")}{text}</figure>'


def _snippet(shelf: Shelf, name: str) -> tuple[Snippet, Run]:
    if name not in shelf.runs:
        raise ValueError(f"there is no snippet '{name}'; {nearest(name, shelf.runs)}")
    return shelf.snippets[name], shelf.runs[name]


def _values(page: Page, shelf: Shelf, line: str) -> str:
    """The line with its inline values filled in; code spans stay as they are."""
    spans = [match.span() for match in CODE_SPAN.finditer(line)]

    def fill(match: re.Match[str]) -> str:
        if any(start <= match.start() < end for start, end in spans):
            return match[0]
        in_formula = line.count("$", 0, match.start()) % 2 == 1
        return _value(page, shelf, match["inside"], in_formula)

    return VALUE.sub(fill, line)


def _value(page: Page, shelf: Shelf, inside: str, in_formula: bool) -> str:
    if not (reference := REFERENCE.match(inside)):
        raise ValueError(f"'[[{inside}]]' is not a value; write [[snippet.name:format]]")
    snippet, run = _snippet(shelf, reference["snippet"])
    name = reference["name"]
    if name not in run.values:
        raise ValueError(
            f"snippet '{snippet.name}' has no value '{name}'; {nearest(name, run.values)}"
        )
    if refused := run.values[name].get("refused"):
        raise ValueError(
            f"the value {snippet.name}.{name} is {refused}; a page shows finite numbers and strings"
        )
    page.used += [snippet.name] if snippet.name not in page.used else []
    text = _formatted(run.values[name]["value"], reference["format"] or "", inside)
    if in_formula:
        return re.sub(r"e([+-])0*(\d+)$", r"\\times 10^{\1\2}", text).replace("{+", "{")
    text = re.sub(r"e([+-])0*(\d+)$", r" × 10<sup>\1\2</sup>", escape(text)).replace(
        "<sup>+", "<sup>"
    )
    shown = (
        text.replace("-", "\N{MINUS SIGN}")
        if not isinstance(run.values[name]["value"], str)
        else text
    )
    return f'<span class="value" title="computed by {snippet.name}.py: {name}">{shown}</span>'


def _formatted(value: Any, spec: str, inside: str) -> str:
    try:
        return format(value, spec)
    except ValueError as error:
        raise ValueError(
            f"'[[{inside}]]': {value!r} cannot be shown as '{spec}': {error}"
        ) from None
