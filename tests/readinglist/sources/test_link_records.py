"""The file of link records, and the pages that lead to a copy of what is gone."""

from __future__ import annotations

import json
from datetime import date

import pytest

from readinglist.pages.finishing import lead_to_copies
from readinglist.sources.link_records import (
    ARCHIVE,
    LinkRecord,
    is_external,
    new_record,
    read_link_records,
    write_link_records,
)

TODAY = date(2026, 11, 27)
URL = "https://e.org/a?b=1&c=2"
COPY = f"{ARCHIVE}2016/{URL}"


def record(**fields):
    return LinkRecord(archived=COPY, **fields)


def test_records_are_read_as_they_were_written(tmp_path):
    (tmp_path / "docs").mkdir()
    records = {URL: record(seen=TODAY), "http://b.org/": record(gone=TODAY)}
    write_link_records(tmp_path, records)
    first = (tmp_path / "docs/links.json").read_bytes()
    assert read_link_records(tmp_path) == records
    write_link_records(tmp_path, dict(reversed(records.items())))
    assert (tmp_path / "docs/links.json").read_bytes() == first


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({URL: {"archived": COPY, "seen": "soon"}}, f":2: 'seen' of '{URL}' is not in order: "),
        ({URL: {"seen": None}}, f":2: 'archived' of '{URL}' is not in order: Field required; "),
        ({URL: {"archived": COPY, "by": 1}}, f":2: 'by' of '{URL}' is not in order: Extra inputs "),
        ([], ":1: the file is not in order: Input should be an object"),
    ],
)
def test_a_damaged_file_is_told_with_its_line(tmp_path, faults_of, data, told):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/links.json").write_text(json.dumps(data, indent=1))
    (message,) = faults_of(read_link_records, tmp_path)
    assert told in message
    assert message.endswith("python -m readinglist links puts the file in order")


@pytest.mark.parametrize(
    "link", ["a.md", "#x", "mailto:a@b.org", COPY, "data:x", "https://host.org/us/a"]
)
def test_what_has_no_record(link):
    assert not is_external(link, "https://host.org/us/")
    assert is_external("https://host.org/them/a", "https://host.org/us/")
    assert is_external("https://host.org/us/a", "")


def test_a_new_record_leads_to_the_copy_of_its_day():
    assert new_record("http://e.org/", TODAY).archived == f"{ARCHIVE}20261127/http://e.org/"


def test_a_link_to_what_is_gone_leads_to_the_copy():
    html = '<p><a class="x" href="https://e.org/a?b=1&amp;c=2">A</a> <a href="https://f.org">F</a>'
    shown = lead_to_copies(html, {URL: record(gone=TODAY), "https://f.org": record(seen=TODAY)})
    assert shown == (
        f'<p><a class="x" data-gone title="The original was found gone on {TODAY}. This is its '
        f'archived copy." href="{COPY.replace("&", "&amp;")}">A</a> <a href="https://f.org">F</a>'
    )
    assert lead_to_copies(html, {URL: record(seen=TODAY)}) == html
