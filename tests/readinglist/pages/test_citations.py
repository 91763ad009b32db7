"""Citations, read back by programs that others wrote."""

from __future__ import annotations

import json
import warnings

import bibtexparser
import pytest
from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle
from citeproc import formatter as formatters
from citeproc.source.json import CiteProcJSON
from pybtex.database import parse_string
from pybtex.plugin import find_plugin

from readinglist.pages.citations import TYPES, bibtex, csl_json
from readinglist.sources.catalog import read_catalog
from readinglist.sources.resource import read_resource
from readinglist.sources.works import KINDS


@pytest.fixture(scope="module")
def resources(root):
    return read_catalog(root).resources


@pytest.fixture
def resource_with(tmp_path, text_of_resource):
    def make(**fields: object):
        path = tmp_path / "thing.md"
        path.write_text(text_of_resource(**fields))
        return read_resource(path)

    return make


def test_bibtex_reads_it_back(resources):
    entries = parse_string(bibtex(resources), "bibtex").entries
    assert set(entries) == {resource.citation_key for resource in resources}
    for resource in resources:
        entry = entries[resource.citation_key]
        assert entry.fields["title"] == f"{{{resource.title}}}"
        assert entry.fields["year"] == str(resource.year)
        assert entry.fields["url"] == str(resource.url)
        people = [str(person).strip("{}") for person in entry.persons["author"]]
        assert len(people) == len(resource.authors)
        for person, name in zip(people, resource.authors, strict=True):
            assert set(person.replace(",", "").split()) == set(name.split())


def test_another_parser_reads_it_too(resources):
    library = bibtexparser.parse_string(bibtex(resources))
    assert not library.failed_blocks
    assert {entry.key for entry in library.entries} == {r.citation_key for r in resources}


def test_a_style_of_bibtex_sets_it(resources):
    style = find_plugin("pybtex.style.formatting", "plain")()
    backend = find_plugin("pybtex.backends", "plaintext")()
    data = parse_string(bibtex(resources), "bibtex")
    shown = [entry.text.render(backend) for entry in style.format_bibliography(data)]
    assert len(shown) == len(resources)
    assert any("Graves" in text and "ICASSP 2013" in text and "2013" in text for text in shown)


def test_a_csl_processor_sets_every_item(resources):
    items = json.loads(csl_json(resources))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # citeproc-py's own
        style = CitationStylesStyle("harvard-cite-them-right", validate=False)
        source = CiteProcJSON(items)
        bibliography = CitationStylesBibliography(style, source, formatters.plain)
        for item in items:
            bibliography.register(Citation([CitationItem(item["id"])]))
        shown = [str(entry) for entry in bibliography.bibliography()]
    assert len(shown) == len(resources)
    for resource in resources:
        family = resource.authors[0].split()[-1]
        assert any(family in text and str(resource.year) in text for text in shown), resource.title


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_types(resource_with, kind):
    resource = resource_with(kind=kind)
    (entry,) = parse_string(bibtex([resource]), "bibtex").entries.values()
    (item,) = json.loads(csl_json([resource]))
    assert (entry.type, item["type"]) == TYPES[kind]
    assert "A Journal" in entry.fields.values()
    assert item["container-title"] == "A Journal"


def test_what_a_paper_has_beyond(resource_with):
    resource = resource_with(pages="12-15", doi="10.1000/a_b", day="02-03", venue="A-Journal")
    (entry,) = parse_string(bibtex([resource]), "bibtex").entries.values()
    (item,) = json.loads(csl_json([resource]))
    assert (entry.fields["pages"], item["page"]) == ("12--15", "12-15")
    assert (entry.fields["doi"], item["DOI"]) == ("10.1000/a_b", "10.1000/a_b")
    assert (entry.fields["month"], entry.fields["day"]) == ("February", "3")
    assert item["issued"] == {"date-parts": [[1997, 2, 3]]}
    assert resource.citation.endswith("(3 February 1997). A Title. A-Journal, pages 12–15.")


def test_a_preprint_is_found_by_its_number(resource_with):
    resource = resource_with(kind="preprint", venue="arXiv:2410.01201")
    (entry,) = parse_string(bibtex([resource]), "bibtex").entries.values()
    (item,) = json.loads(csl_json([resource]))
    assert (entry.fields["eprint"], entry.fields["archiveprefix"]) == ("2410.01201", "arXiv")
    assert (item["number"], item["publisher"]) == ("arXiv:2410.01201", "arXiv")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ada Lovelace", {"family": "Lovelace", "given": "Ada"}),
        ("Abdel-rahman Mohamed", {"family": "Mohamed", "given": "Abdel-rahman"}),
        ("Mohamed Osama Ahmed", {"family": "Ahmed", "given": "Mohamed Osama"}),
        ("Ludwig van Beethoven", {"family": "van Beethoven", "given": "Ludwig"}),
        ("The TensorFlow Authors", {"literal": "The TensorFlow Authors"}),
        ("Plato", {"literal": "Plato"}),
    ],
)
def test_names_are_taken_apart(resource_with, name, shown):
    (item,) = json.loads(csl_json([resource_with(authors=[name])]))
    assert item["author"] == [shown]


def test_signs_of_tex_are_kept_in_a_title(resource_with):
    title = "50 % of C# & a_b"
    assert "10 % {" not in bibtex([resource_with(title="10 % { of")])
    (entry,) = parse_string(bibtex([resource_with(title=title)]), "bibtex").entries.values()
    assert entry.fields["title"].strip("{}").replace("\\", "") == title
