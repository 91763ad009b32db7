"""One executed cell as HTML, the same on resource pages and on snippet pages."""

from __future__ import annotations

import re
from functools import cache
from html import escape

import nbformat
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from readinglist.pages.figures import themed_figure
from readinglist.running.outputs import ANSI, SOUND, executed_cell
from readinglist.running.store import Run
from readinglist.safety import clean_output
from readinglist.sources.snippet import Cell, Snippet

# Names, operators and punctuation have the colour of the text: half of a page's elements saved.
PLAIN = re.compile(r'<span class="(?:n|o|p|w)">([^<]*)</span>')


TIMED = "Measured when this site was built; another machine gives other times."


# Lines. A longer text scrolls inside its box, which must then be in reach of the keyboard.
LONG = 14


def render_source(cell: Cell) -> str:
    """The cell's code as a Material code block."""
    return _code_block(cell.source, "python")


def render_outputs(
    snippet: Snippet, run: Run, cell: Cell, palette: dict[str, str], place: int = 1
) -> str:
    """Everything the cell printed and showed, in order; `place` counts its places on one page."""
    outputs = executed_cell(run, cell.name).outputs
    name = f"{snippet.name}-{cell.name}" + (f"-{place}" if place > 1 else "")
    parts = [
        _render_output(output, f"{name}-{index}", cell.alt, palette)
        for index, output in enumerate(outputs)
    ]
    shown = "".join(part for part in parts if part)
    if not (shown and cell.timed):
        return shown
    return f'<div class="timed">{shown}<p>{TIMED}</p></div>'


def _render_output(
    output: nbformat.NotebookNode, name: str, alt: str, palette: dict[str, str]
) -> str:
    if output.output_type == "stream":
        kind = "stderr" if output.name == "stderr" else "text"
        return _text(output.text, kind)
    data = output.data
    if "image/svg+xml" in data:
        figure = themed_figure(data["image/svg+xml"], alt, name, palette)
        return f'<figure class="output">{figure}</figure>'
    if "image/png" in data:
        source = "".join(data["image/png"].split())
        image = f'<img src="data:image/png;base64,{source}" alt="{escape(alt, quote=True)}">'
        return f'<figure class="output">{image}</figure>'
    if sound := SOUND.search(data.get("text/html", "")):
        return _player("".join(sound[1].split()), escape(alt, quote=True))
    if "text/html" in data:
        return f'<div class="output html" tabindex="0">{clean_output(data["text/html"])}</div>'
    return _text(data.get("text/plain", ""), "text")


def _player(source: str, alt: str) -> str:
    """Whoever cannot hear the sound reads below it what there is to hear."""
    player = f'<audio controls preload="metadata" aria-label="{alt}" src="{source}"></audio>'
    return f'<figure class="output sound">{player}<figcaption>{alt}</figcaption></figure>'


def _text(text: str, kind: str) -> str:
    text = ANSI.sub("", text).rstrip("\n")
    if not text:
        return ""
    block = _code_block(text, "text")
    if text.count("\n") >= LONG:
        block = block.replace("<code>", '<code tabindex="0">', 1)
        kind += " long"
    return f'<div class="output {kind}">{block}</div>'


@cache  # a cell stands on its snippet's page and on those of resources
def _code_block(code: str, language: str) -> str:
    formatter = HtmlFormatter(cssclass=f"language-{language} highlight", wrapcode=True)
    return PLAIN.sub(r"\1", highlight(code, get_lexer_by_name(language), formatter)).strip()
