"""The reading list, the gallery and the proof, made from metadata alone."""

from __future__ import annotations

from dataclasses import replace

import lxml.html
import pytest

from readinglist.pages.lists import Lists, proof
from readinglist.pages.session import Session
from readinglist.running.pending import pending_run
from readinglist.sources.catalog import Catalog
from readinglist.sources.link_records import LinkRecord
from readinglist.sources.resource import read_resource


@pytest.fixture
def session(make_snippet, run_of, shelf_of, text_of_resource, tmp_path):
    """Two snippets, one with torch, and two resources, the second only listed."""
    plain = make_snippet("plain", "# %% a\nassert True", title="Plain & <simple>")
    heavy = make_snippet("heavy", "# %% a\nassert True\nassert 1")
    versions = {"python": "3.11.7", "machine": "x", "torch": "2.13.0"}
    shelf = shelf_of(
        (plain, replace(run_of(plain), seconds=1.25, date="2026-02-01")),
        (heavy, replace(run_of(heavy), seconds=10.5, date="2026-01-01", versions=versions)),
    )
    pages = {"one": {"title": "A <b> & c"}, "two": {"status": "listed", "body": "", "minutes": 110}}
    for name, fields in pages.items():
        (tmp_path / f"{name}.md").write_text(text_of_resource(**fields))
    resources = [read_resource(tmp_path / f"{name}.md") for name in pages]
    links = {"https://example.org/original": LinkRecord(archived="https://example.org/archived")}
    return Session(Catalog(tmp_path, shelf.snippets, resources, links), shelf)


@pytest.fixture
def lists(session, root):
    return Lists(root / "theme" / "blocks", session, lambda target: f"../{target}")


def test_the_reading_list_has_every_resource_in_order(lists):
    page = lxml.html.fragment_fromstring(lists.resources(), "div")
    assert "2 resources, about 2 hours of reading" in page.text_content()
    entries = page.xpath(".//li[contains(@class, 'entry')]")
    assert [entry.xpath(".//h2")[0].text_content().strip() for entry in entries] == [
        "A <b> & c",
        "A Title",
    ]
    links = [entry.xpath(".//h2//a/@href")[0] for entry in entries]
    assert links == ["../resources/one.md", "https://example.org/original"]
    assert all("Read it for the notes." in entry.text_content() for entry in entries)
    assert all(entry.xpath(".//a[@href='https://example.org/archived']") for entry in entries)


def test_only_an_annotated_resource_claims_to_be(lists):
    page = lxml.html.fragment_fromstring(lists.resources(), "div")
    annotated, listed = page.xpath(".//li[contains(@class, 'entry')]")
    assert annotated.xpath(".//a[@href='../resources/one.md']")
    assert not listed.xpath(".//a[starts-with(@href, '../resources/')]")


def test_the_gallery_has_every_snippet_with_its_time(lists):
    rows = lxml.html.fragment_fromstring(lists.snippets(), "div").xpath(".//tbody/tr")
    assert [row.xpath(".//a/@href")[0] for row in rows] == [
        "../snippets/plain.ipynb",
        "../snippets/heavy.ipynb",
    ]
    plain, heavy = (" ".join(row.text_content().split()) for row in rows)
    assert "Plain & <simple>" in plain
    assert "a concept" in plain
    assert (plain[-3:], heavy[-4:]) == ("1.2", "10.5")


def test_the_proof_sums_up_the_runs_behind_a_page(session):
    both = proof(session, ["plain", "heavy"])
    assert (both.date, both.seconds, both.assertions, both.snippets) == ("2026-01-01", 11.75, 3, 2)
    assert (both.python, both.torch) == ("3.11.0", "2.13.0")


def test_the_proof_of_a_page_without_torch_names_none(session):
    assert proof(session, ["plain"]).torch == ""


def test_a_page_without_snippets_proves_nothing(session):
    assert proof(session, []) is None


def test_a_run_that_has_not_ended_is_not_told_as_one(session, root):
    plain = session.catalog.snippets["plain"]
    session.shelf.runs["plain"] = pending_run(plain)
    lists = Lists(root / "theme" / "blocks", session, str)
    for table in (lists.status(), lists.snippets()):
        html = lxml.html.fragment_fromstring(table, "div")
        seconds = [row.find_class("number")[0].text for row in html.xpath(".//tbody/tr")]
        assert sorted(seconds) == ["10.5", "…"]
    status = lxml.html.fragment_fromstring(lists.status(), "div")
    told = {row.xpath(".//code")[0].text_content(): row.find_class("detail")[0].text_content()
            for row in status.xpath(".//tbody/tr")}  # fmt: skip
    assert told["plain"] == "Not run yet."
    assert told["heavy"].startswith("Run on 2026-01-01")
