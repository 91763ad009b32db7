"""The files of a snippet's page: the notebook that becomes it, and what can be downloaded."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from html import escape
from importlib.metadata import version
from pathlib import Path

import nbformat

from readinglist.pages.cells import render_outputs, render_source
from readinglist.pages.session import Shelf
from readinglist.running.store import kept
from readinglist.sources.snippet import Cell, Snippet


def write_notebook(folder: Path, snippet: Snippet) -> str:
    """Writes the notebook that mkdocs-jupyter renders: the prose, and a place for each code cell.

    Returns its path within `folder`.
    """
    notebook = snippet.notebook()
    # The page shows the title itself, above the card.
    notebook.cells[0].source = notebook.cells[0].source.split("\n", 1)[1].lstrip()
    path = f"snippets/{snippet.name}.ipynb"
    _write(folder / path, notebook)
    return path


def rendered_once(notebook: Path, templates: Path, cache: Path, render: Callable[[], str]) -> str:
    """What `render` makes of a notebook, from the cache if nothing it hangs on has changed.

    nbconvert takes a fifth of a second a page.
    """
    versions = [version(name).encode() for name in ("nbconvert", "mkdocs-jupyter")]
    sources = [path.read_bytes() for path in (notebook, *sorted(templates.rglob("*.j2")))]
    name = hashlib.sha256(b"".join(versions + sources)).hexdigest()
    return kept(cache / name, lambda: render().encode()).decode()


def fill_cells(html: str, snippet: Snippet, shelf: Shelf) -> str:
    """The rendered page with every code cell in its place."""
    run = shelf.runs[snippet.name]
    for cell in snippet.code.values():
        outputs = render_outputs(snippet, run, cell, shelf.palette)
        html = html.replace(f'<div data-cell="{cell.name}"></div>', _cell_html(cell, outputs))
    return html


def write_downloads(folder: Path, snippet: Snippet, shelf: Shelf) -> list[str]:
    """Puts the program, the executed notebook and the files it wrote where its page links."""
    run = shelf.runs[snippet.name]
    sources = {f"{snippet.name}.py": snippet.path}
    sources |= {f"{snippet.name}/{name}": path for name, path in run.files.items()}
    for name, source in sources.items():
        target = folder / "downloads" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    _write(folder / "downloads" / f"{snippet.name}.ipynb", run.notebook)
    return [f"downloads/{name}" for name in (*sources, f"{snippet.name}.ipynb")]


def _cell_html(cell: Cell, outputs: str) -> str:
    # Nobody looks for the imports, and they name everything.
    left_out = " data-search-exclude" if cell.name == "imports" else ""
    name = f"<code>{escape(cell.name)}</code>"
    heading = f'<h2 id="{cell.name}" class="cell-name"{left_out}>{name}</h2>'
    shown = f'<div class="outputs" data-search-exclude>{outputs}</div>' if outputs else ""
    return f'{heading}<div class="cell">{render_source(cell)}{shown}</div>'


def _write(path: Path, notebook: nbformat.NotebookNode) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
