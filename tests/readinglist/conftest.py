"""Builders of the smallest things the build layer works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from builders import PINS, ROOT, resource_text, snippet_text

from readinglist.faults import Faults
from readinglist.running.kernel import Limits
from readinglist.running.project import Project
from readinglist.running.runner import Runner
from readinglist.running.store import Cache, Run
from readinglist.sources.catalog import read_palette
from readinglist.sources.snippet import Snippet, read_snippet


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
    return read_palette(ROOT)


@pytest.fixture(scope="session")
def project_of(palette) -> Callable[..., Project]:
    """What pages may show: `project_of((snippet, run), ..., field=value)`."""

    def make(*pairs: tuple[Snippet, Run], **fields: object) -> Project:
        snippets = {snippet.name: snippet for snippet, _ in pairs}
        runs = {snippet.name: run for snippet, run in pairs}
        return Project(ROOT, snippets=snippets, runs=runs, palette=palette, **fields)

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
