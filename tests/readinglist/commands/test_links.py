"""The records of links are complete, and a refresh asks every address once."""

from __future__ import annotations

import json
import threading
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from readinglist import __main__ as command
from readinglist.commands import links
from readinglist.commands.links import PATIENCE, ask, record_faults, refreshed
from readinglist.faults import Faults
from readinglist.sources.link_records import ARCHIVE, LinkRecord, read_link_records

TODAY = date(2026, 11, 27)
URL = "https://e.org/a?b=1&c=2"
COPY = f"{ARCHIVE}2016/{URL}"


def asked_of(answers):
    """Asks a table in the place of the network."""
    return lambda url, site: answers[url]


def record(**fields):
    return LinkRecord(archived=COPY, **fields)


@pytest.fixture
def told(monkeypatch, tmp_path):
    """The faults of links and records that are held against each other."""

    def call(used, records, complete=True):
        monkeypatch.setattr(links, "external_links", lambda _: used)
        project = SimpleNamespace(links=records)
        reading = SimpleNamespace(project=project, complete=complete, root=tmp_path)
        return [str(fault) for fault in Faults(record_faults(reading)).within(tmp_path).faults]

    return call


def test_links_and_records_must_match(told, tmp_path):
    used = {URL: (tmp_path / "a.md", 7)}
    assert told(used, {"https://old.org/": record()}) == [
        f"a.md:7: links to '{URL}', which has no archived copy in docs/links.json; "
        "run 'python -m readinglist links'",
        "docs/links.json: no page links to 'https://old.org/'; run 'python -m readinglist links'",
    ]
    assert told(used, {URL: record()}) == []
    # A page that could not be read may be the one that needs it.
    assert told({}, {URL: record()}, complete=False) == []


@pytest.mark.parametrize("status", [200, 301, 403, 429])
def test_an_address_that_answers_was_seen_and_is_not_gone(status):
    records = {URL: record(gone=TODAY - timedelta(9))}
    after = refreshed(records, TODAY, "list", lambda *_: status, lambda _: None)
    assert after == {URL: record(seen=TODAY)}


@pytest.mark.parametrize("status", [404, 410])
def test_one_that_says_there_is_nothing_is_gone_since_the_first_time(status):
    answers = {URL: status, "https://f.org": 200}
    records = {URL: record(seen=TODAY - timedelta(7)), "https://f.org": record()}
    once = refreshed(records, TODAY, "list", asked_of(answers), lambda _: None)
    assert once[URL] == record(seen=TODAY - timedelta(7), gone=TODAY)
    again = refreshed(once, TODAY + timedelta(7), "list", asked_of(answers), lambda _: None)
    assert again[URL].gone == TODAY


@pytest.mark.parametrize("status", [None, 500, 503])
def test_one_that_is_silent_is_waited_for(status):
    answers = {URL: status, "https://f.org": 200}
    for age, gone in ((PATIENCE - timedelta(1), None), (PATIENCE, TODAY)):
        records = {URL: record(seen=TODAY - age), "https://f.org": record()}
        assert (
            refreshed(records, TODAY, "list", asked_of(answers), lambda _: None)[URL].gone == gone
        )


def test_a_copy_without_a_date_gets_one_and_one_with_a_date_stays():
    dated = f"{ARCHIVE}20160101000000/{URL}"
    asked = []

    def copy(url):
        asked.append(url)
        return dated

    records = refreshed({URL: record()}, TODAY, "list", lambda *_: 200, copy)
    assert (records[URL].archived, asked) == (dated, [URL])
    assert refreshed(records, TODAY, "list", lambda *_: 200, copy) == records
    assert asked == [URL]


def test_without_a_network_nothing_changes():
    with pytest.raises(Faults, match="no address answered; is there a network"):
        refreshed({URL: record()}, TODAY, "list", lambda *_: None, lambda _: None)


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
    assert ask(f"{host}/there", "list") == 200
    assert ask(f"{host}/moved", "list") == 200
    assert ask(f"{host}/gone", "list") == 404
    assert ask("http://127.0.0.1:9/", "list") is None


def test_the_command_refreshes_the_file(tmp_path, host, monkeypatch, capsys, text_of_resource):
    page = tmp_path / "docs" / "resources" / "one.md"
    page.parent.mkdir(parents=True)
    page.write_text(text_of_resource(url=f"{host}/there", body=f"[Gone]({host}/gone) now."))
    (tmp_path / "requirements.txt").write_text("")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(links, "AVAILABLE", f"{host}/wayback")
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
