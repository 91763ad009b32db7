"""The reading list, the gallery, the path and the status, made from metadata alone."""

from __future__ import annotations

from dataclasses import replace

import lxml.html
import pytest

from readinglist.pages.lists import lists
from readinglist.running.pending import pending_run
from readinglist.sources.link_records import LinkRecord
from readinglist.sources.resource import read_resource


@pytest.fixture
def project(make_snippet, run_of, project_of, text_of_resource, tmp_path):
    """Two snippets, one with torch, and two resources, the second only listed."""
    plain = make_snippet("plain", "# %% a\nassert True", title="Plain & <simple>")
    heavy = make_snippet("heavy", "# %% a\nassert True\nassert 1")
    versions = {"python": "3.11.7", "machine": "x", "torch": "2.13.0"}
    pages = {
        "one": {"title": "A <b> & c"},
        "two": {"status": "listed", "body": "", "minutes": 110, "after": ["one"]},
    }
    for name, fields in pages.items():
        (tmp_path / f"{name}.md").write_text(text_of_resource(**fields))
    return project_of(
        (plain, replace(run_of(plain), seconds=1.25, date="2026-02-01")),
        (heavy, replace(run_of(heavy), seconds=10.5, date="2026-01-01", versions=versions)),
        resources=[read_resource(tmp_path / f"{name}.md") for name in pages],
        links={"https://example.org/original": LinkRecord(archived="https://example.org/archived")},
    )


@pytest.fixture
def shown(project):
    """A list's HTML by its name."""
    made = lists(project, lambda target: f"../{target}")
    return lambda name: lxml.html.fragment_fromstring(made[name](), "div")


def test_the_reading_list_has_every_resource_in_order(shown):
    page = shown("resources")
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


def test_only_an_annotated_resource_claims_to_be(shown):
    page = shown("resources")
    annotated, listed = page.xpath(".//li[contains(@class, 'entry')]")
    assert annotated.xpath(".//a[@href='../resources/one.md']")
    assert not listed.xpath(".//a[starts-with(@href, '../resources/')]")


def test_the_gallery_has_every_snippet_with_its_time(shown):
    rows = shown("snippets").xpath(".//tbody/tr")
    assert [row.xpath(".//a/@href")[0] for row in rows] == [
        "../snippets/plain.ipynb",
        "../snippets/heavy.ipynb",
    ]
    plain, heavy = (" ".join(row.text_content().split()) for row in rows)
    assert "Plain & <simple>" in plain
    assert "a concept" in plain
    assert (plain[-3:], heavy[-4:]) == ("1.2", "10.5")


def test_a_run_that_has_not_ended_is_not_told_as_one(project, shown):
    project.runs["plain"] = pending_run(project.snippets["plain"])
    for table in (shown("status"), shown("snippets")):
        seconds = [row.find_class("number")[0].text for row in table.xpath(".//tbody/tr")]
        assert sorted(seconds) == ["10.5", "…"]
    told = {row.xpath(".//code")[0].text_content(): row.find_class("detail")[0].text_content()
            for row in shown("status").xpath(".//tbody/tr")}  # fmt: skip
    assert told["plain"] == "Not run yet."
    assert told["heavy"].startswith("Run on 2026-01-01")


def test_the_path_is_drawn_with_a_link_a_step_and_an_arc_an_edge(shown):
    (svg,) = shown("path").xpath(".//svg")
    assert [link.get("href") for link in svg.iter("a")] == ["#one", "#two"]
    assert len(svg.find_class("arc")) == 1
    assert svg.get("aria-label") == "The reading path: A <b> & c; A Title, after A <b> & c"
    assert not svg.xpath(".//b"), "a title is text"
