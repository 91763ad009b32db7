"""What a cell showed, kind by kind: whoever tells of a run reads it here."""

import re
from collections.abc import Iterator
from enum import StrEnum

import nbformat

# Colours, cursor movements, and links as a terminal shows them.
ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\].*?(?:\x07|\x1b\\))")
# A sound as IPython.display.Audio shows it, with its data inside.
SOUND = re.compile(
    r'<audio\b.*?\bsrc="(data:audio/[\w.+-]+;base64,[\w+/=\s]+)".*?</audio>', re.DOTALL
)


class Shown(StrEnum):
    """What an output is to a reader."""

    TEXT = "text"
    STDERR = "stderr"
    FIGURE = "figure"  # an SVG
    PICTURE = "picture"  # a PNG, as base64
    SOUND = "sound"  # an address with the data inside
    HTML = "html"


def cell_outputs(notebook: nbformat.NotebookNode, name: str) -> Iterator[tuple[Shown, str]]:
    """What the cell of that name showed in an executed notebook: kind and content, in order."""
    return (_shown(output) for output in executed_cell(notebook, name).outputs)


def executed_cell(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """The cell of that name."""
    return next(cell for cell in notebook.cells if cell.metadata.get("name") == name)


def _shown(output: nbformat.NotebookNode) -> tuple[Shown, str]:
    """The richest kind that an output has, and its content."""
    if output.output_type == "stream":
        kind = Shown.STDERR if output.name == "stderr" else Shown.TEXT
        return kind, plain_text(output.text)
    data = output.get("data", {})
    if "image/svg+xml" in data:
        return Shown.FIGURE, data["image/svg+xml"]
    if "image/png" in data:
        return Shown.PICTURE, "".join(data["image/png"].split())
    html = data.get("text/html", "")
    if sound := SOUND.search(html):
        return Shown.SOUND, "".join(sound[1].split())
    if html:
        return Shown.HTML, html
    return Shown.TEXT, plain_text(str(data.get("text/plain", "")))


def plain_text(text: str) -> str:
    """A text without what only a terminal understands, and without the end of its last line."""
    return ANSI.sub("", text).rstrip("\n")
