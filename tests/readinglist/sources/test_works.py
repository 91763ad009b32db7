"""The site as a work to cite, made from CITATION.cff and from the news."""

from __future__ import annotations

import json

import pytest
from pybtex.database import parse_string

from readinglist.faults import Faults
from readinglist.pages.citations import bibtex, csl_json
from readinglist.settings import Settings
from readinglist.sources.news import read_news
from readinglist.sources.works import read_site_work

URL = "https://reader.example/list/"
ABOUT = """cff-version: 1.2.0
message: Cite it.
title: "Recurrent: a list"
authors:
  - name: The contributors to Recurrent
  - given-names: Ludwig
    name-particle: van
    family-names: Beethoven
"""
NEWS = "# News\n\n## 27 November 2026\n\n- A page.\n\n## 1 May 2025\n\n- Another.\n"


def site_work(root):
    return read_site_work(root, Settings(site_url=URL), read_news(root)[0])


@pytest.fixture
def project(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "CITATION.cff").write_text(ABOUT)
    (tmp_path / "docs/whats-new.md").write_text(NEWS)
    return tmp_path


def test_it_is_cited_at_the_day_of_its_latest_news(project):
    work = site_work(project)
    (entry,) = parse_string(bibtex([work]), "bibtex").entries.values()
    assert (entry.key, entry.type) == ("recurrent2026", "misc")
    assert dict(entry.fields) == {
        "title": "{Recurrent: a list}",
        "year": "2026",
        "month": "November",
        "day": "27",
        "url": URL,
    }
    assert json.loads(csl_json([work])) == [
        {
            "id": "recurrent2026",
            "type": "webpage",
            "title": "Recurrent: a list",
            "author": [
                {"literal": "The contributors to Recurrent"},
                {"family": "van Beethoven", "given": "Ludwig"},
            ],
            "issued": {"date-parts": [[2026, 11, 27]]},
            "URL": URL,
        }
    ]
    assert work.citation == (
        "The contributors to Recurrent and Ludwig van Beethoven (27 November 2026). "
        f"Recurrent: a list. {URL}"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: a: b\n", "CITATION.cff:1: is not YAML: mapping values are not allowed here"),
        ("authors: [name: A]\n", "CITATION.cff:1: title: Field required"),
        ("title: A\nauthors: []\n", "CITATION.cff:1: authors: List should have at least 1 item"),
        ("", "CITATION.cff:1: the whole: Input should be a valid dictionary"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_fault(project, text, message):
    (project / "CITATION.cff").write_text(text)
    with pytest.raises(Faults) as error:
        site_work(project)
    (fault,) = error.value.within(project).faults
    assert str(fault).startswith(message)
    assert "`make check`" in str(fault)


@pytest.mark.parametrize(
    ("path", "text"), [("CITATION.cff", None), ("docs/whats-new.md", "# News\n")]
)
def test_without_an_author_or_news_there_is_nothing_to_cite(project, path, text):
    (project / path).unlink()
    if text:
        (project / path).write_text(text)
    assert site_work(project) is None
