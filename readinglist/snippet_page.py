"""The files of a snippet's page: the notebook that becomes the page, and what can be downloaded there."""

from __future__ import annotations

import shutil
from html import escape
from pathlib import Path

import nbformat

from readinglist.embedding import Shelf
from readinglist.rendering import render_outputs, render_source
from readinglist.snippet import Cell, Snippet


def write_notebook(folder: Path, snippet: Snippet, shelf: Shelf) -> str:
    """Writes the notebook that mkdocs-jupyter renders: each code cell carries its finished HTML.

    Returns its path within `folder`.
    """
    run = shelf.runs[snippet.name]
    notebook = nbformat.from_dict(run.notebook)
    cells = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            code = snippet.code[cell.metadata.name]
            outputs = render_outputs(snippet, run, code, shelf.palette)
            cell = nbformat.v4.new_code_cell(id=cell.id, metadata={"html": _cell_html(code, outputs)})
        cells.append(cell)
    # The page shows the title itself, above the card.
    cells[0] = nbformat.v4.new_markdown_cell(cells[0].source.split("\n", 1)[1].lstrip(), id="introduction")
    path = f"snippets/{snippet.name}.ipynb"
    _write(folder / path, nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata))
    return path


def write_downloads(folder: Path, snippet: Snippet, shelf: Shelf) -> list[str]:
    """Puts the program, the executed notebook and the files it wrote where the page links to them."""
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
    heading = f'<h2 id="{cell.name}" class="cell-name"><code>{escape(cell.name)}</code></h2>'
    shown = f'<div class="outputs" data-search-exclude>{outputs}</div>' if outputs else ""
    return f'{heading}<div class="cell">{render_source(cell)}{shown}</div>'


def _write(path: Path, notebook: nbformat.NotebookNode) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
