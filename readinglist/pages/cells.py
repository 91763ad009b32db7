"""One executed cell as HTML, the same on resource pages and on snippet pages."""

import re
from html import escape

import nh3
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from readinglist.memory import remembered
from readinglist.pages.figures import themed_figure
from readinglist.running.outputs import Shown, cell_outputs
from readinglist.running.project import Project
from readinglist.sources.snippet import Cell, Snippet

# Names, operators and punctuation have the colour of the text: half of a page's elements saved.
UNCOLOURED = re.compile(r'<span class="(?:n|o|p|w)">([^<]*)</span>')
TIMED = "Measured when this site was built; another machine gives other times."
LONG = 14  # lines; a longer text scrolls inside its box, and must be in reach of the keyboard
OUTPUT_TAGS = {
    *("a", "abbr", "b", "br", "caption", "code", "col", "colgroup", "dd", "del", "details", "div"),
    *("dl", "dt", "em", "figcaption", "figure", "h3", "h4", "hr", "i", "ins", "kbd", "li", "mark"),
    *("ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary", "sup"),
    *("table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var"),
}
OUTPUT_ATTRIBUTES = {
    "*": {"class", "style", "title", "lang", "dir", "role", "tabindex", "aria-label"},
    "a": {"href"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "scope"},
}


def render_cell(
    project: Project,
    snippet: Snippet,
    cell: Cell,
    source: bool = True,
    output: bool = True,
    place: int = 1,
) -> str:
    """The cell's code and what it showed; `place` counts its places on one page."""
    code = _code_block(cell.source, "python") if source else ""
    # A figure that stands on a page twice needs ids of its own each time.
    name = f"{snippet.name}-{cell.name}" + (f"-{place}" if place > 1 else "")
    shown = cell_outputs(project.runs[snippet.name].notebook, cell.name) if output else ()
    outputs = "".join(
        _render_output(kind, content, f"{name}-{index}", cell.alt, project.palette)
        for index, (kind, content) in enumerate(shown)
    )
    if not outputs:
        return code
    if cell.timed:
        outputs = f'<div class="timed">{outputs}<p>{TIMED}</p></div>'
    return f'{code}<div class="outputs" data-search-exclude>{outputs}</div>'


def _render_output(kind: Shown, content: str, name: str, alt: str, palette: dict[str, str]) -> str:
    text = escape(alt)
    match kind:
        case Shown.FIGURE:
            return f'<figure class="output">{themed_figure(content, alt, name, palette)}</figure>'
        case Shown.PICTURE:
            image = f'<img src="data:image/png;base64,{content}" alt="{text}">'
            return f'<figure class="output">{image}</figure>'
        case Shown.SOUND:
            # Whoever cannot hear the sound reads below it what there is to hear.
            player = f'<audio controls preload="metadata" aria-label="{text}" src="{content}">'
            caption = f"<figcaption>{text}</figcaption>"
            return f'<figure class="output sound">{player}</audio>{caption}</figure>'
        case Shown.HTML:
            return f'<div class="output html" tabindex="0">{clean_output(content)}</div>'
    if not content:
        return ""
    block = _code_block(content, "text")
    if content.count("\n") < LONG:
        return f'<div class="output {kind}">{block}</div>'
    block = block.replace("<code>", '<code tabindex="0">', 1)
    return f'<div class="output {kind} long">{block}</div>'


@remembered("pygments")
def _code_block(code: str, language: str) -> str:
    """A Material code block."""
    formatter = HtmlFormatter(cssclass=f"language-{language} highlight", wrapcode=True)
    return UNCOLOURED.sub(r"\1", highlight(code, get_lexer_by_name(language), formatter)).strip()


def clean_output(html: str) -> str:
    """The HTML that a cell showed, with nothing in it but text, tables and their looks."""
    return nh3.clean(
        html, tags=OUTPUT_TAGS, attributes=OUTPUT_ATTRIBUTES, url_schemes={"http", "https"}
    )
