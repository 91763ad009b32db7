"""Builders of the smallest things the build layer works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
import yaml

from readinglist.cache import Cache, Run
from readinglist.dependencies import read_pins
from readinglist.embedding import Shelf
from readinglist.execution import Runner
from readinglist.faults import Faults
from readinglist.figures import read_palette
from readinglist.kernel import Limits
from readinglist.snippet import Snippet, read_snippet

ROOT = Path(__file__).parents[2]
PINS = read_pins(ROOT)
# A snippet's first code cell stands on this line, if the snippet has no dependencies.
FIRST_LINE = 13
FIELDS = {
    "title": "A Title",
    "authors": ["Ada Lovelace", "Charles Babbage"],
    "year": 1997,
    "kind": "paper",
    "venue": "A Journal",
    "url": "https://example.org/original",
    "archived_url": "https://example.org/archived",
    "licence": "none stated",
    "citation_key": "lovelace1997title",
    "order": 1,
    "minutes": 10,
    "level": "advanced",
    "prerequisites": ["patience"],
    "concepts": ["engines"],
    "why": "Read it for the notes.",
    "skip": "Skip the table.",
    "status": "annotated",
}


def snippet_text(*cells: str, dependencies: tuple[str, ...] = (), title: str = "A title") -> str:
    """A whole snippet: the block, the introduction, and cells that begin with their marker."""
    pinned = [f"{name}=={PINS[name]}" for name in dependencies]
    listed = ", ".join(f'"{pin}"' for pin in pinned)
    block = f"# /// script\n# dependencies = [{listed}]\n#\n"
    block += '# [tool.recurrent]\n# concept = "a concept"\n# ///\n'
    introduction = f"# %% [markdown]\n# # {title}\n#\n# A sentence.\n"
    return "\n".join([block, introduction, *(cell + "\n" for cell in cells)])


def resource_text(body: str = "Some text.", **fields: object) -> str:
    """A whole page of a resource; a field that is None is left out."""
    kept = {name: value for name, value in {**FIELDS, **fields}.items() if value is not None}
    front = yaml.safe_dump(kept, sort_keys=False, default_flow_style=None, allow_unicode=True)
    return f"---\n{front}---\n{body}\n"


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def text_of_snippet() -> Callable[..., str]:
    return snippet_text


@pytest.fixture(scope="session")
def text_of_resource() -> Callable[..., str]:
    return resource_text


@pytest.fixture(scope="session")
def snippet_in() -> Callable[..., Snippet]:
    """Writes a snippet in a folder and reads it: `snippet_in(folder, name, *cells, ...)`."""

    def make(folder: Path, name: str, *cells: str, **options: object) -> Snippet:
        path = folder / f"{name}.py"
        path.write_text(snippet_text(*cells, **options), encoding="utf-8")
        return read_snippet(path, PINS, {path.stem for path in folder.glob("*.py")})

    return make


@pytest.fixture
def make_snippet(snippet_in, tmp_path) -> Callable[..., Snippet]:
    """Writes and reads a snippet: `make_snippet(name, *cells, dependencies=(), title="")`."""
    folder = tmp_path / "snippets"
    folder.mkdir(exist_ok=True)
    return lambda name, *cells, **options: snippet_in(folder, name, *cells, **options)


@pytest.fixture(scope="session")
def run_of() -> Callable[..., Run]:
    """A run without a kernel: `run_of(snippet, {"cell": [outputs]}, {"name": value}, ...)`."""

    def make(snippet: Snippet, outputs=None, values=None, **fields: object) -> Run:
        notebook = snippet.notebook()
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [
                    nbformat.from_dict(o) for o in (outputs or {}).get(cell.metadata.name, [])
                ]
                cell.execution_count = 1
        kept = {name: {"value": value} for name, value in (values or {}).items()}
        versions = {"python": "3.11.0", "machine": "x86_64"}
        run = Run(1.5, "2026-01-31", snippet.assertions, versions, kept, notebook)
        return replace(run, **fields)

    return make


@pytest.fixture
def make_runner(tmp_path) -> Callable[..., Runner]:
    """A runner with a cache of its own: `make_runner(seconds=60, style="")`."""

    def make(folder: str = "cache", style: str = "", seconds: int = 60) -> Runner:
        return Runner(Cache(tmp_path / folder), style, Limits(seconds=seconds))

    return make


@pytest.fixture(scope="session")
def palette() -> dict[str, str]:
    return read_palette((ROOT / "docs/assets/css/palette.css").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def shelf_of(palette) -> Callable[..., Shelf]:
    """What pages may embed: `shelf_of((snippet, run), ...)`."""

    def make(*pairs: tuple[Snippet, Run]) -> Shelf:
        snippets = {snippet.name: snippet for snippet, _ in pairs}
        runs = {snippet.name: run for snippet, run in pairs}
        return Shelf(snippets, runs, ROOT / "docs/assets/drawings", palette)

    return make


@pytest.fixture(scope="session")
def faults_of() -> Callable[..., list[str]]:
    """What a call finds wrong, a line each, with the file's name in the place of its path."""

    def collect(call: Callable[..., object], *arguments: object) -> list[str]:
        with pytest.raises(Faults) as caught:
            call(*arguments)
        found = caught.value.faults
        return [str(replace(fault, path=Path(fault.path.name))) for fault in found]

    return collect
