"""Page text and executed cells in, page text out.

What a page may say is replaced: a fenced `cell`, `drawing` or `claim` block, a fenced list such as
`resources`, and an inline value `[[snippet.name:format]]`. The rest passes through as it is.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from readinglist.faults import Fault, Faults, look_up
from readinglist.pages.cells import render_cell
from readinglist.pages.figures import read_drawing
from readinglist.pages.links import FENCED
from readinglist.pages.values import check_claims, fill_values
from readinglist.running.project import Project

DRAWINGS = Path("docs", "assets", "drawings")
OPTIONS = ("source", "output", "folded")
HTML_FENCE = "rendered"


@dataclass
class Page:
    """One page's text, and where it comes from."""

    path: Path
    text: str
    lines_before: int = 0  # of the file before `text`: its front matter
    url_of: Callable[[str], str] = str  # from a path below docs/ to a link from here
    lists: dict[str, Callable[[], str]] = field(default_factory=dict)
    embedded: dict[str, str] = field(default_factory=dict)  # the HTML of blocks, by its digest
    used: list[str] = field(default_factory=list)  # the snippets it turned out to embed
    places: Counter[tuple[str, str]] = field(default_factory=Counter)  # of outputs so far, by cell


def embed(page: Page, project: Project) -> str:
    """The page's text with everything embedded; `page.used` then names the snippets it shows.

    Raises:
        Faults: every wrong name, option or format in the page, with its line.
    """
    faults: list[Fault] = []
    result: list[str] = []
    done, line = 0, page.lines_before + 1
    for block in FENCED.finditer(page.text):
        text = page.text[done : block.start()]
        filled, used, problems = fill_values(text, project.runs)
        faults += [Fault(page.path, line + below, message) for below, message in problems]
        page.used += used
        line += text.count("\n")
        result.append(filled)
        try:
            result.append(_embed_block(page, project, block))
        except ValueError as error:
            faults.append(Fault(page.path, line, str(error)))
        done, line = block.end(), line + block[0].count("\n")
    page.used = list(dict.fromkeys(page.used))
    if faults:
        raise Faults(faults)
    return "".join(result)


def html_fence(embedded: Mapping[str, str]) -> dict[str, Any]:
    """The fence, as superfences takes it, that stands in Markdown for finished HTML."""
    take = {"format": lambda digest, *_, **__: embedded[digest]}
    return {"name": HTML_FENCE, "class": HTML_FENCE, **take}


def _embed_block(page: Page, project: Project, block: re.Match[str]) -> str:
    """What a fenced block becomes: one of another kind stays as it stands."""
    kind, *options = (block["info"] or "").split() or ["fenced"]
    if block["fence"] and not block["closing"]:
        raise ValueError(f"this '{kind}' block is not closed; end it with {block['fence']}")
    if kind not in ("cell", "drawing", "claim", *page.lists):
        return block[0]
    allowed = OPTIONS if kind == "cell" else ()
    if wrong := [option for option in options if option not in allowed]:
        listed = ", ".join(allowed) or "none"
        raise ValueError(f"'{wrong[0]}' is not an option of a {kind} block; allowed: {listed}")
    content = [line.strip() for line in block["content"].split("\n") if line.strip()]
    if kind == "cell":
        rendered = _cell(page, project, content, options)
    elif kind == "drawing":
        rendered = _drawing(project, content)
    elif kind == "claim":
        rendered, used = check_claims(content, project.runs)
        page.used += used
    else:
        rendered = page.lists[kind]()
    digest = hashlib.sha256(rendered.encode()).hexdigest()
    page.embedded[digest] = rendered
    fence = f"~~~ {HTML_FENCE}\n{digest}\n~~~"
    return re.sub("(?m)^", block["indent"], fence)


def _cell(page: Page, project: Project, content: list[str], options: list[str]) -> str:
    """A cell with a link to its place on its snippet's page."""
    if len(content) != 1 or content[0].count("#") != 1:
        hint = "; is it closed?" if content else ""
        lines = f"'{content[0]}'" if len(content) == 1 else f"{len(content)} lines{hint}"
        raise ValueError(f"a cell block holds one line, snippet#cell; found {lines}")
    name, cell_name = content[0].split("#")
    look_up(project.runs, name, f"there is no snippet '{name}'")
    snippet = project.snippets[name]
    cell = look_up(snippet.code, cell_name, f"snippet '{name}' has no cell '{cell_name}'")
    page.used.append(name)
    both = ("source" in options) == ("output" in options)
    source, output = both or "source" in options, both or "output" in options
    page.places[name, cell_name] += output
    place = page.places[name, cell_name]
    href = f"{page.url_of(f'snippets/{name}.ipynb')}#{cell_name}"
    link = f'<a href="{href}">{name}.py <span>{cell_name}</span></a>'
    html = f'<p class="origin" data-search-exclude>{link}</p>'
    html += render_cell(project, snippet, cell, source, output, place)
    if "folded" in options:
        return f'<details class="cell"><summary>The code: {cell_name}</summary>{html}</details>'
    return f'<div class="cell">{html}</div>'


def _drawing(project: Project, content: list[str]) -> str:
    paths = {path.stem: path for path in (project.root / DRAWINGS).glob("*.svg")}
    name, *caption = content or [""]
    drawing = read_drawing(look_up(paths, name, f"there is no drawing '{name}'"))
    text = f"<figcaption>{escape(' '.join(caption))}</figcaption>" if caption else ""
    return f'<figure class="drawn">{drawing}{text}</figure>'
