"""What a cell showed, kind by kind."""

from __future__ import annotations

import re

import nbformat

from readinglist.running.store import Run

# Colours, cursor movements, and links as a terminal shows them.
ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\].*?(?:\x07|\x1b\\))")


IMAGES = ("image/svg+xml", "image/png")


# A sound as IPython.display.Audio shows it, with its data inside.
SOUND = re.compile(
    r'<audio\b.*?\bsrc="(data:audio/[\w.+-]+;base64,[\w+/=\s]+)".*?</audio>', re.DOTALL
)


def executed_cell(run: Run, name: str) -> nbformat.NotebookNode:
    """The cell of that name in the executed notebook."""
    return next(cell for cell in run.notebook.cells if cell.metadata.get("name") == name)


def without_sounds(html: str) -> str:
    """What a cell showed as HTML, less the player that stands for a sound."""
    return SOUND.sub("", html)
