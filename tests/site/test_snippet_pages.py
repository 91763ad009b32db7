"""A snippet's page: what the program is, how to run it, and what can be taken away."""

import os
import subprocess
import sys
from urllib.request import urlopen

import nbformat
import pytest


@pytest.fixture(scope="session")
def fetch(site):
    """Downloads a file of the site from the server, as bytes."""

    def get(path: str) -> bytes:
        with urlopen(site.url + path, timeout=10) as response:
            assert response.status == 200, path
            return response.read()

    return get


def _card(site, name):
    """The facts of the card on a snippet's page, by their names."""
    card = site.html(f"snippets/{name}.html").find_class("card")[0]
    terms = [" ".join(term.text_content().split()) for term in card.xpath(".//dt")]
    facts = [" ".join(fact.text_content().split()) for fact in card.xpath(".//dd")]
    return dict(zip(terms, facts, strict=True))


def test_the_gallery_lists_every_snippet(site, catalog):
    rows = {}
    for row in site.html("snippets/index.html").xpath("//article//tbody/tr"):
        name = row.xpath(".//a/@href")[0].removesuffix(".html")
        cells = [" ".join(cell.text_content().split()) for cell in row.xpath("./td")]
        rows[name] = (row.xpath(".//a")[0].text_content(), cells[1], cells[-1])
    expected = {
        name: (snippet.title, snippet.concept, f"{catalog.runs[name].seconds:.1f}")
        for name, snippet in catalog.snippets.items()
    }
    assert rows == expected


def test_the_card_states_concept_time_and_needs(site, catalog):
    for name, snippet in catalog.snippets.items():
        card = _card(site, name)
        assert card["Concept"] == snippet.concept, name
        assert card["Run time"] == f"{catalog.runs[name].seconds:.1f} s on one core", name
        needs = " ".join(f"{package}{range_}" for package, range_ in snippet.dependencies.items())
        assert card["Needs"] == (needs or "Python alone"), name


def test_the_card_gives_the_line_that_runs_it(site, catalog):
    for name in catalog.snippets:
        card = site.html(f"snippets/{name}.html").find_class("card")[0]
        (line,) = card.xpath(".//pre/code")
        assert line.text_content().strip() == f"python {name}.py"


def test_the_card_names_the_resources_that_use_the_snippet(site, catalog, shown_by):
    for name in catalog.snippets:
        pages = {r.title: f"resources/{r.slug}.html" for r in catalog.resources if r.annotated}
        users = [title for title, page in pages.items() if name in shown_by[page]]
        card = site.html(f"snippets/{name}.html").find_class("card")[0]
        links = card.xpath(".//dt[.='Used by']/following-sibling::dd/a")
        assert [link.text_content() for link in links] == users, name
        assert [link.get("href") for link in links] == [f"../{pages[title]}" for title in users]


def test_the_downloaded_program_is_the_snippet(fetch, catalog):
    for name, snippet in catalog.snippets.items():
        assert fetch(f"downloads/{name}.py") == snippet.path.read_bytes(), name


def test_every_download_of_a_page_opens(site, fetch, catalog):
    for name in catalog.snippets:
        links = site.html(f"snippets/{name}.html").xpath("//a[@download]/@href")
        written = [f"{name}/{file}" for file in catalog.runs[name].files]
        expected = [f"../downloads/{file}" for file in [f"{name}.py", f"{name}.ipynb", *written]]
        assert sorted(links) == sorted(expected), name
        for link in links:
            assert fetch(link.removeprefix("../")), f"{link} is empty"


def test_the_downloaded_notebook_is_valid_and_complete(fetch, catalog):
    for name, snippet in catalog.snippets.items():
        notebook = nbformat.reads(fetch(f"downloads/{name}.ipynb").decode(), as_version=4)
        nbformat.validate(notebook)
        assert [cell.source for cell in notebook.cells] == [cell.source for cell in snippet.cells]
        markdown = [cell.cell_type == "markdown" for cell in notebook.cells]
        assert markdown == [cell.markdown for cell in snippet.cells], name
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert all(cell.execution_count for cell in code), f"{name}: not every cell was run"
        assert any(cell.outputs for cell in code), f"{name}: the notebook has no outputs"
        assert "widgets" not in notebook.metadata


@pytest.mark.parametrize("rank", [0, 1], ids=["quickest", "second quickest"])
def test_the_downloaded_program_runs_alone_in_an_empty_folder(fetch, catalog, tmp_path, rank):
    name = sorted(catalog.runs, key=lambda name: catalog.runs[name].seconds)[rank]
    program = tmp_path / f"{name}.py"
    program.write_bytes(fetch(f"downloads/{name}.py"))
    environ = {"PATH": os.defpath, "HOME": str(tmp_path)}
    command = [sys.executable, "-I", program.name]
    process = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert process.returncode == 0, f"python -I {name}.py fails:\n{process.stderr}"


def test_a_snippet_page_is_free_of_the_notebook_program(site):
    for path in site.snippet_pages:
        text = (site.folder / path).read_text(encoding="utf-8")
        for trace in ("jp-", "jupyter", "In [", "In&nbsp;[", "Out[", "data-cell", "<style"):
            assert trace not in text, f"{path} holds {trace!r}, a trace of the notebook's page"


def test_a_snippet_page_shows_every_cell_in_order(site, catalog):
    for name, snippet in catalog.snippets.items():
        html = site.html(f"snippets/{name}.html")
        assert html.xpath("//h2[@class='cell-name']/@id") == list(snippet.code), name
        assert html.xpath("//h1")[0].text_content().strip() == snippet.title
