"""External links: each has a record, a gone one leads to its copy, and a refresh asks them all."""

from __future__ import annotations

import json
import threading
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from readinglist import __main__ as command
from readinglist.commands import links as link_refresh
from readinglist.commands.links import PATIENCE, Answer, ask, refreshed
from readinglist.commands.page_links import Used, record_faults
from readinglist.faults import Faults
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


def test_links_and_records_must_match():
    used = [Used(URL, Path("a.md"), 7), Used(URL, Path("b.md"), 1)]
    messages = [str(f) for f in record_faults(used, {"https://old.org/": record()}, True)]
    assert messages == [
        f"a.md:7: links to '{URL}', which has no archived copy in docs/links.json; "
        "run 'python -m readinglist links'",
        "docs/links.json: no page links to 'https://old.org/'; run 'python -m readinglist links'",
    ]
    assert list(record_faults(used, {URL: record()}, True)) == []
    # A page that could not be read may be the one that needs it.
    assert list(record_faults([], {URL: record()}, False)) == []


@pytest.mark.parametrize("link", ["a.md", "#x", "mailto:a@b.org", COPY, "data:x"])
def test_what_has_no_record(link):
    assert not is_external(link)


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


@pytest.mark.parametrize("status", [200, 301, 403, 429])
def test_an_address_that_answers_was_seen_and_is_not_gone(status):
    records = {URL: record(gone=TODAY - timedelta(9))}
    after = refreshed(records, TODAY, lambda _: Answer(status), lambda _: None)
    assert after == {URL: record(seen=TODAY)}


@pytest.mark.parametrize("status", [404, 410])
def test_one_that_says_there_is_nothing_is_gone_since_the_first_time(status):
    answers = {URL: Answer(status), "https://f.org": Answer(200)}
    records = {URL: record(seen=TODAY - timedelta(7)), "https://f.org": record()}
    once = refreshed(records, TODAY, answers.get, lambda _: None)
    assert once[URL] == record(seen=TODAY - timedelta(7), gone=TODAY)
    again = refreshed(once, TODAY + timedelta(7), answers.get, lambda _: None)
    assert again[URL].gone == TODAY


@pytest.mark.parametrize("status", [None, 500, 503])
def test_one_that_is_silent_is_waited_for(status):
    answers = {URL: Answer(status), "https://f.org": Answer(200)}
    for age, gone in ((PATIENCE - timedelta(1), None), (PATIENCE, TODAY)):
        records = {URL: record(seen=TODAY - age), "https://f.org": record()}
        assert refreshed(records, TODAY, answers.get, lambda _: None)[URL].gone == gone


def test_a_copy_without_a_date_gets_one_and_one_with_a_date_stays():
    dated = f"{ARCHIVE}20160101000000/{URL}"
    asked = []

    def copy(url):
        asked.append(url)
        return dated

    records = refreshed({URL: record()}, TODAY, lambda _: Answer(200), copy)
    assert (records[URL].archived, asked) == (dated, [URL])
    assert refreshed(records, TODAY, lambda _: Answer(200), copy) == records
    assert asked == [URL]


def test_without_a_network_nothing_changes():
    with pytest.raises(Faults, match="no address answered; is there a network"):
        refreshed({URL: record()}, TODAY, lambda _: Answer(None), lambda _: None)


class Host(BaseHTTPRequestHandler):
    """Answers as hosts do, and as the archive does."""

    def do_GET(self):
        if self.path.startswith("/moved"):
            self.send_response(301)
            self.send_header("Location", "/there")
            self.end_headers()
            return
        self.send_response({"/there": 200, "/gone": 404}.get(self.path, 200))
        self.end_headers()
        if self.path.startswith("/wayback"):
            url = "http://web.archive.org/web/20160102030405/http://x/"
            self.wfile.write(json.dumps({"archived_snapshots": {"closest": {"url": url}}}).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def host():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_real_addresses_are_asked(host):
    assert ask(f"{host}/there") == Answer(200)
    assert ask(f"{host}/moved") == Answer(200)
    assert ask(f"{host}/gone") == Answer(404)
    assert ask("http://127.0.0.1:9/") == Answer(None)


def test_the_command_refreshes_the_file(tmp_path, host, monkeypatch, capsys, text_of_resource):
    page = tmp_path / "docs" / "resources" / "one.md"
    page.parent.mkdir(parents=True)
    page.write_text(text_of_resource(url=f"{host}/there", body=f"[Gone]({host}/gone) now."))
    (tmp_path / "requirements.txt").write_text("")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(link_refresh, "AVAILABLE", f"{host}/wayback")
    assert command.main(["links"]) == 0
    assert "2 links, 0 seen alive at some time, 0 gone" in capsys.readouterr().out
    assert command.main(["check"]) == 0
    assert command.main(["links", "--refresh"]) == 0
    assert "2 links, 1 seen alive at some time, 1 gone" in capsys.readouterr().out
    records = read_link_records(tmp_path)
    today = date.today()
    assert records[f"{host}/there"] == LinkRecord(
        archived="https://web.archive.org/web/20160102030405/http://x/", seen=today
    )
    assert records[f"{host}/gone"].gone == today
