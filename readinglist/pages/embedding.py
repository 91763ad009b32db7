"""Page text and executed cells in, page text out.

What a page may say is replaced: a fenced `cell`, `drawing` or `claim` block, a fenced list such as
`resources`, and an inline value `[[snippet.name:format]]`. The rest passes through as it is.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from readinglist.faults import Fault, Faults, look_up
from readinglist.pages.cells import render_cell
from readinglist.pages.figures import read_drawing
from readinglist.pages.values import check_claims, fill_values
from readinglist.running.project import Project
from readinglist.sources.snippet import Cell, Snippet

FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)$")
DRAWINGS = Path("docs", "assets", "drawings")
OPTIONS = ("source", "output", "folded")
# The fence that carries finished HTML through Markdown; the adapter registers it.
HTML_FENCE = "rendered"


@dataclass
class Page:
    """One page's text, and where it comes from."""

    path: Path
    text: str
    lines_before: int = 0  # of the file before `text`: its front matter
    # From a snippet's name to its page, seen from here.
    url_of: Callable[[str], str] = lambda name: name
    lists: dict[str, Callable[[], str]] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)  # the snippets it turned out to embed
    places: Counter[tuple[str, str]] = field(default_factory=Counter)  # of outputs so far, by cell


def embed(page: Page, project: Project) -> str:
    """The page's text with everything embedded; `page.used` then names the snippets it shows.

    Raises:
        Faults: every wrong name, option or format in the page, with its line.
    """
    faults: list[Fault] = []
    result: list[str] = []
    for line, part in _parts(page, faults):
        if isinstance(part, str):
            filled = fill_values(part, project.runs)
            _use(page, filled.used)
            result.append(filled.text)
            faults += [Fault(page.path, line + below, text) for below, text in filled.problems]
            continue
        try:
            result.append(_embed_block(page, project, part))
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


def _embed_block(page: Page, project: Project, block: Block) -> str:
    if not block.kind:
        return "\n".join(block.content)
    allowed = OPTIONS if block.kind == "cell" else ()
    if wrong := [option for option in block.options if option not in allowed]:
        message = f"'{wrong[0]}' is not an option of a {block.kind} block"
        raise ValueError(f"{message}; allowed: {', '.join(allowed) or 'none'}")
    if block.kind == "cell":
        rendered = _cell(page, project, block)
    elif block.kind == "drawing":
        rendered = _drawing(project, block)
    elif block.kind == "claim":
        rendered, used = check_claims(block.content, project.runs)
        _use(page, used)
    else:
        rendered = page.lists[block.kind]()
    # Markdown would make spaces of a tab. A line of tildes in an output must not end the fence.
    rendered = rendered.replace("\t", "&#9;")
    fence = "~" * (8 + max(map(len, re.findall(r"~+", rendered)), default=0))
    lines = [f"{fence} {HTML_FENCE}", *rendered.split("\n"), fence]
    return "\n".join(block.indent + line for line in lines)


def _cell(page: Page, project: Project, block: Block) -> str:
    if len(block.content) != 1:
        hint = "; is it closed?" if block.content else ""
        stands = f"found {len(block.content)} lines{hint}"
        raise ValueError(f"a cell block holds one line, snippet#cell; {stands}")
    line = block.content[0]
    if line.count("#") != 1:
        raise ValueError(f"a cell block holds one line, snippet#cell; found '{line}'")
    name, cell_name = line.split("#")
    look_up(project.runs, name, f"there is no snippet '{name}'")
    snippet = project.snippets[name]
    cell = look_up(snippet.code, cell_name, f"snippet '{name}' has no cell '{cell_name}'")
    _use(page, [name])
    return _with_origin(page, project, snippet, cell, block.options)


def _with_origin(
    page: Page, project: Project, snippet: Snippet, cell: Cell, options: tuple[str, ...]
) -> str:
    both = ("source" in options) == ("output" in options)
    source, output = both or "source" in options, both or "output" in options
    page.places[snippet.name, cell.name] += output
    place = page.places[snippet.name, cell.name]
    href = f"{page.url_of(snippet.name)}#{cell.name}"
    label = f"{snippet.name}.py <span>{cell.name}</span>"
    origin = f'<p class="origin" data-search-exclude><a href="{href}">{label}</a></p>'
    inside = f"{origin}{render_cell(project, snippet, cell, source, output, place)}"
    if "folded" in options:
        return f'<details class="cell"><summary>The code: {cell.name}</summary>{inside}</details>'
    return f'<div class="cell">{inside}</div>'


def _drawing(project: Project, block: Block) -> str:
    paths = {path.stem: path for path in (project.root / DRAWINGS).glob("*.svg")}
    name, *caption = block.content or [""]
    drawing = read_drawing(look_up(paths, name, f"there is no drawing '{name}'"))
    text = f"<figcaption>{escape(' '.join(caption))}</figcaption>" if caption else ""
    return f'<figure class="drawn">{drawing}{text}</figure>'
