"""The files of a snippet's page: the notebook that becomes it, and what can be downloaded."""

import json
import shutil
from html import escape
from pathlib import Path

from readinglist.pages.cells import render_cell
from readinglist.running.project import Project
from readinglist.sources.snippet import Snippet


def write_notebook(folder: Path, snippet: Snippet) -> str:
    """Writes the notebook that mkdocs-jupyter renders: the prose, and a place for each code cell.

    Returns its path within `folder`.
    """
    notebook = snippet.notebook()
    # The page shows the title itself, above the card.
    notebook.cells[0].source = notebook.cells[0].source.split("\n", 1)[1].lstrip()
    path = f"snippets/{snippet.name}.ipynb"
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(json.dumps(notebook), encoding="utf-8")
    return path


def fill_cells(html: str, project: Project, snippet: Snippet) -> str:
    """The rendered page with every code cell in its place."""
    for cell in snippet.code.values():
        # Nobody looks for the imports, and they name everything.
        left_out = " data-search-exclude" if cell.name == "imports" else ""
        name = f"<code>{escape(cell.name)}</code>"
        heading = f'<h2 id="{cell.name}" class="cell-name"{left_out}>{name}</h2>'
        whole = f'{heading}<div class="cell">{render_cell(project, snippet, cell)}</div>'
        html = html.replace(f'<div data-cell="{cell.name}"></div>', whole)
    return html


def write_downloads(folder: Path, project: Project, snippet: Snippet) -> list[str]:
    """Puts the program, the executed notebook and the files it wrote where its page links."""
    run = project.runs[snippet.name]
    sources = {f"{snippet.name}.py": snippet.path}
    sources |= {f"{snippet.name}/{name}": path for name, path in run.files.items()}
    for name, source in sources.items():
        target = folder / "downloads" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    notebook = f"{snippet.name}.ipynb"
    (folder / "downloads" / notebook).write_text(run.notebook_file, encoding="utf-8")
    return [f"downloads/{name}" for name in (*sources, notebook)]
