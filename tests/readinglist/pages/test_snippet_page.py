"""A snippet's page: its notebook, its cells filled in, and its downloads."""

from __future__ import annotations

import json
from dataclasses import replace

import lxml.html
import nbformat
import pytest

from readinglist.pages.snippet_page import (
    fill_cells,
    write_downloads,
    write_notebook,
)

PRINTED = {"output_type": "stream", "name": "stdout", "text": "<b>1</b>\n"}


@pytest.fixture
def snippet(make_snippet):
    cells = ("# %% a_cell\nprint('<b>1</b>')", "# %% [markdown]\n# Prose.", "# %% b_cell\nx = 1")
    return make_snippet("thing", *cells, title="The title")


@pytest.fixture
def project(snippet, run_of, project_of, tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"\0\xff")
    files = {"deep/weights.bin": tmp_path / "weights.bin"}
    return project_of((snippet, replace(run_of(snippet, {"a_cell": [PRINTED]}), files=files)))


def test_the_notebook_has_the_prose_and_a_place_for_each_cell(tmp_path, snippet):
    path = write_notebook(tmp_path, snippet)
    assert path == "snippets/thing.ipynb"
    notebook = nbformat.read(tmp_path / path, as_version=4)
    nbformat.validate(notebook)
    # The page shows the title above its card.
    assert [cell.source for cell in notebook.cells if cell.cell_type == "markdown"] == [
        "A sentence.",
        "Prose.",
    ]
    names = [cell.metadata.name for cell in notebook.cells if cell.cell_type == "code"]
    assert names == ["a_cell", "b_cell"]


def test_every_cell_gets_its_code_and_its_outputs(project, snippet):
    places = '<p>x</p><div data-cell="a_cell"></div><p>y</p><div data-cell="b_cell"></div>'
    page = lxml.html.fragment_fromstring(fill_cells(places, project, snippet), "main")
    assert page.xpath("//h2/@id") == ["a_cell", "b_cell"]
    assert page.xpath("//h2/code/text()") == ["a_cell", "b_cell"]
    first, second = page.xpath("//div[@class='cell']")
    source, outputs = first
    assert source.xpath(".//code")[0].text_content() == "print('<b>1</b>')\n"
    assert outputs.xpath(".//code")[0].text_content() == "<b>1</b>\n"
    assert len(second) == 1, "a cell without output has no box for it"
    assert not page.xpath("//@data-cell | //b")


def test_the_downloads_are_the_program_the_notebook_and_its_files(tmp_path, project, snippet):
    target = tmp_path / "site"
    paths = write_downloads(target, project, snippet)
    assert sorted(paths) == [
        "downloads/thing.ipynb",
        "downloads/thing.py",
        "downloads/thing/deep/weights.bin",
    ]
    assert (target / "downloads/thing.py").read_bytes() == snippet.path.read_bytes()
    assert (target / "downloads/thing/deep/weights.bin").read_bytes() == b"\0\xff"
    notebook = nbformat.read(target / "downloads/thing.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].source.startswith("# The title")
    assert notebook.cells[1].outputs[0].text == "<b>1</b>\n"


def test_writing_twice_gives_the_same_bytes(tmp_path, project, snippet):
    for folder in ("one", "two"):
        write_downloads(tmp_path / folder, project, snippet)
    one, two = ((tmp_path / f / "downloads/thing.ipynb").read_bytes() for f in ("one", "two"))
    assert one == two
    assert json.loads(one)["nbformat"] == 4
