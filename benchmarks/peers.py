"""The same words and code for other site generators, made from a built site of ours.

The floor is MkDocs and Material alone, on plain Markdown, with no hook and no notebook plugin. Its
pages are those of docs/, in which each of our `cell` fences has become a fence with the cell's code
and a fence with the text it printed; fences that stand for a list or a drawing stay as they are. A
snippet's page is made likewise from the executed notebook that the site offers for download. It has
no figures and no files to copy: what it leaves out makes it quicker, not slower.

Stock mkdocs-jupyter has the floor's pages and, in place of a snippet's page, the executed notebook.
It keeps its own store of rendered notebooks, as it does by default.

sphinx-gallery has one example a snippet: the prose as reStructuredText, the code as it is. It is
installed in an environment of its own, which sees the project's packages: torch is there once.
"""

from __future__ import annotations

import re
import shutil
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import nbformat
import yaml
from mkdocs.utils.yaml import yaml_load
from projects import Project, seconds_of

CELLS = re.compile(
    r"^(?P<indent> *)``` *cell(?P<options>.*)\n(?P<names>[^`]*)^ *```$", re.MULTILINE
)
TITLE = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)
# What of our mkdocs.yml the floor has too. The rest names our hook, styles, scripts and rules.
KEPT = ("site_name", "site_description", "site_url", "repo_url", "edit_uri", "copyright", "theme")
KEPT += ("markdown_extensions", "plugins")
SPHINX = ("sphinx==9.0.4", "sphinx-gallery==0.22.1")
CONFIG = """project = "Snippets"
extensions = ["sphinx_gallery.gen_gallery"]
exclude_patterns = ["environment", "examples"]
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\\.py$",
}
"""
INDEX = "Snippets\n========\n\n.. toctree::\n\n   gallery/index\n"


class Floor:
    """MkDocs and Material alone."""

    plugins: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, project: Project, folder: Path) -> None:
        self.folder = folder
        _write_pages(project, folder)
        for name in project.names:
            self._write_snippet(project, name)
        _write_config(project, folder, self.plugins)

    def _write_snippet(self, project: Project, name: str) -> None:
        page = self.folder / "docs" / "snippets" / f"{name}.md"
        page.write_text("\n\n".join(_markdown(_notebook(project, name))), encoding="utf-8")

    def build(self) -> float:
        """Seconds of a build."""
        return seconds_of([sys.executable, "-m", "mkdocs", "build", "--quiet"], self.folder)[0]


class Stock(Floor):
    """mkdocs-jupyter as it comes, without executing anything."""

    plugins: ClassVar = [{"mkdocs-jupyter": {"include": ["*.ipynb"], "execute": False}}]

    def _write_snippet(self, project: Project, name: str) -> None:
        notebook = project.site / "downloads" / f"{name}.ipynb"
        shutil.copy(notebook, self.folder / "docs" / "snippets")


class Gallery:
    """sphinx-gallery."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.folder = folder
        self.count = len(project.names)
        examples = folder / "examples"
        examples.mkdir(parents=True)
        (folder / "conf.py").write_text(CONFIG)
        (folder / "index.rst").write_text(INDEX)
        (examples / "GALLERY_HEADER.rst").write_text("Examples\n========\n")
        for name in project.names:
            text = "\n\n".join(_example(_notebook(project, name)))
            (examples / f"{name}.py").write_text(text + "\n", encoding="utf-8")
        self.python = _sphinx_python(folder / "environment")

    def build(self) -> float:
        """Seconds of a build that finds all that the last one has left."""
        return self._build()[0]

    def build_cold(self) -> float:
        """Seconds of a build from nothing, in which every example has run without an error."""
        for left in ("gallery", "built"):
            shutil.rmtree(self.folder / left, ignore_errors=True)
        seconds, said = self._build()
        if f"successfully executed {self.count} out of {self.count} files" not in said:
            sys.exit(f"sphinx-gallery did not execute {self.count} examples:\n{said}")
        return seconds

    def _build(self) -> tuple[float, str]:
        command = [str(self.python), "-m", "sphinx", "-b", "html", ".", "built"]
        return seconds_of(command, self.folder)


def _sphinx_python(folder: Path) -> Path:
    """The Python of a new environment that has sphinx-gallery, and the project's packages."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    paths = {"base": str(folder), "platbase": str(folder)}
    own = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    (own / "project.pth").write_text(sysconfig.get_path("purelib") + "\n")
    seconds_of([str(python), "-m", "pip", "install", "--quiet", *SPHINX], folder)
    return python


def _write_pages(project: Project, folder: Path) -> None:
    """The pages of docs/ with the code and the printed text in plain fences."""
    cells = {
        f"{name}#{cell.metadata.name}": cell
        for name in project.names
        for cell in _notebook(project, name).cells
        if cell.cell_type == "code"
    }

    def plain(match: re.Match[str]) -> str:
        shown = [cells[name] for name in match["names"].split()]
        options = match["options"]
        parts = [part for cell in shown for part in _fences(cell, options)]
        return re.sub(r"^(?=.)", match["indent"], "\n\n".join(parts), flags=re.MULTILINE)

    for page in (project.folder / "docs").rglob("*.md"):
        target = folder / page.relative_to(project.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(CELLS.sub(plain, page.read_text(encoding="utf-8")), encoding="utf-8")


def _write_config(project: Project, folder: Path, plugins: list[dict[str, Any]]) -> None:
    """Our mkdocs.yml without what is ours."""
    with (project.folder / "mkdocs.yml").open(encoding="utf-8") as file:
        ours = yaml_load(file)
    config = {name: ours[name] for name in KEPT}
    config["theme"].pop("custom_dir")
    config["plugins"] = [one for one in config["plugins"] if "mkdocs-jupyter" not in one]
    config["plugins"] += plugins
    (folder / "mkdocs.yml").write_text(yaml.safe_dump(config), encoding="utf-8")


def _notebook(project: Project, name: str) -> nbformat.NotebookNode:
    return nbformat.read(project.site / "downloads" / f"{name}.ipynb", as_version=4)


def _markdown(notebook: nbformat.NotebookNode) -> Iterator[str]:
    for cell in notebook.cells:
        yield from [cell.source] if cell.cell_type == "markdown" else _fences(cell)


def _fences(cell: nbformat.NotebookNode, options: str = "") -> Iterator[str]:
    """The cell's code and what it printed, or the one of the two that the options name."""
    if "output" not in options:
        yield f"````python\n{cell.source}\n````"
    printed = "".join(_printed(output) for output in cell.outputs).rstrip("\n")
    if printed and "source" not in options:
        yield f"````text\n{printed}\n````"


def _printed(output: nbformat.NotebookNode) -> str:
    return output.text if output.output_type == "stream" else output.data.get("text/plain", "")


def _example(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """The parts of a sphinx-gallery example: a docstring, then comments and code in turn."""
    introduction, *cells = notebook.cells
    yield f'r"""\n{_underlined(introduction.source)}\n"""'
    for cell in cells:
        if cell.cell_type == "markdown":
            lines = _underlined(cell.source).splitlines()
            yield "\n".join(["# %%", *(f"# {line}".rstrip() for line in lines)])
        else:
            yield cell.source


def _underlined(text: str) -> str:
    """Headings of Markdown as those of reStructuredText."""
    return TITLE.sub(lambda match: f"{match['title']}\n{'=' * len(match['title'])}", text)
