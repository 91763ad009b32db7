"""The files and marks for other programs, read by parsers that others wrote."""

import json

import bibtexparser
import feedparser
import jsonschema
import msgspec_schemaorg.models as models
import pytest
from lxml import etree
from playwright.sync_api import expect
from pybtex.database import parse_file

LINKED_DATA = "//script[@type='application/ld+json']/text()"


@pytest.fixture(scope="session")
def resources(catalog):
    return catalog.resources


def _json(site, name):
    return json.loads((site.folder / name).read_text(encoding="utf-8"))


def _unknown(data):
    """What schema.org's types do not have, by a package made from its vocabulary."""
    kind = getattr(models, data["@type"])
    for name, value in data.items():
        if name not in (*kind.__struct_fields__, "@context", "@type"):
            yield f"{data['@type']}.{name}"
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                yield from _unknown(part)


def test_resources_fit_their_schema(site, resources):
    data, schema = _json(site, "resources.json"), _json(site, "resources.schema.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    assert not list(validator.iter_errors(data))
    assert [one["slug"] for one in data] == [resource.slug for resource in resources]
    for one, resource in zip(data, resources, strict=True):
        assert one["page"] == f"{site.canonical}resources/{resource.slug}.html"
        assert one["archived_url"].startswith("https://web.archive.org/web/")
        assert (site.folder / "resources" / f"{one['slug']}.html").exists()
        assert one["snippets"]
    assert list(validator.iter_errors([{**data[0], "minutes": "ten"}])), "the schema takes anything"


def test_citations_of_the_site_and_of_each_resource(site, resources):
    own = bibtexparser.parse_file(str(site.folder / "site.bib")).entries[0]
    keys = {own.key, *(resource.citation_key for resource in resources)}
    assert own["url"] == site.canonical
    (item,) = _json(site, "site.csl.json")
    assert (item["id"], item["URL"]) == (own.key, site.canonical)
    assert item["issued"]["date-parts"][0][0] == int(own["year"])
    assert set(parse_file(str(site.folder / "citations.bib")).entries) == keys
    assert {item["id"] for item in _json(site, "citations.csl.json")} == keys
    for resource in resources:
        one = bibtexparser.parse_file(str(site.folder / "resources" / f"{resource.slug}.bib"))
        assert [entry.key for entry in one.entries] == [resource.citation_key]
        (item,) = _json(site, f"resources/{resource.slug}.csl.json")
        assert item["URL"] == str(resource.url)


def test_the_feed_leads_to_pages(site):
    feed = feedparser.parse(str(site.folder / "feed.xml"))
    assert not feed.bozo
    assert feed.feed.id == site.canonical
    assert len(feed.entries) >= 6
    assert len({entry.id for entry in feed.entries}) == len(feed.entries)
    days = [entry.updated for entry in feed.entries]
    assert days == sorted(days, reverse=True)
    assert feed.feed.updated == days[0]
    for entry in feed.entries:
        page = entry.link.removeprefix(site.canonical).split("#")[0]
        assert page in site.pages, entry.link


def test_every_page_names_the_feed(site):
    for path in site.pages:
        (link,) = site.html(path).xpath("//link[@type='application/atom+xml']")
        assert "alternate" in link.get("rel").split()
        target = (site.folder / path).parent / link.get("href")
        assert target.resolve() == (site.folder / "feed.xml").resolve()


def test_pages_describe_themselves_in_the_words_of_schema_org(site, resources, catalog):
    described = ["index.html", *site.resource_pages, *site.snippet_pages]
    for path in described:
        (text,) = site.html(path).xpath(LINKED_DATA)
        data = json.loads(text)
        assert data["@context"] == "https://schema.org"
        assert data["@type"] == "LearningResource"
        assert data["url"] == site.canonical + ("" if path == "index.html" else path)
        assert data["name"]
        assert data["description"]
        assert list(_unknown(data)) == [], path
    (text,) = site.html(f"resources/{resources[0].slug}.html").xpath(LINKED_DATA)
    data = json.loads(text)
    assert data["timeRequired"] == f"PT{resources[0].minutes}M"
    assert data["isBasedOn"]["url"] == str(resources[0].url)
    assert data["isBasedOn"]["archivedAt"] == catalog.links[str(resources[0].url)].archived


def test_the_status_has_every_run(site, catalog):
    status = _json(site, "status.json")
    assert set(status) == set(catalog.snippets)
    for name, one in status.items():
        run = catalog.runs[name]
        assert (one["seconds"], one["date"], one["assertions"]) == (
            run.seconds,
            run.date,
            run.assertions,
        )
        assert one["versions"]["python"]
        assert one["cache"] in ("stored by an earlier build", "run by this build")
        assert not [w for w in one["warnings"] if w["deprecated"] and not one["deprecations"]]


def test_the_status_page_shows_them(site):
    html = site.html("status.html")
    rows = html.xpath("//article//table/tbody/tr")
    status = _json(site, "status.json")
    assert len(rows) == len(status)
    for row, (name, one) in zip(rows, status.items(), strict=True):
        text = " ".join(row.text_content().split())
        assert text.startswith(name)
        assert f"Run on {one['date']}, {one['cache']}." in text
        assert f"python {one['versions']['python']}" in text
        assert f"{one['seconds']:.1f}" in text
        assert ("No warnings." in text) == (not one["warnings"])


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_cite_button_shows_what_is_copied(new_context, site, resources, width, scheme):
    context = new_context(scheme, width)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url[:-11])
    page = context.new_page()
    for resource in resources:
        page.goto(f"{site.url}resources/{resource.slug}.html")
        cite = page.locator("details.cite")
        expect(cite.locator("code")).to_be_hidden()
        cite.locator("summary").press("Enter")
        expect(cite.locator("code")).to_be_visible()
        cite.get_by_role("button", name="Copy").click()
        page.wait_for_function(
            f"() => navigator.clipboard.readText().then(t => t.includes('{resource.citation_key}'))"
        )
        copied = page.evaluate("navigator.clipboard.readText()")
        assert (
            copied.strip() == (site.folder / f"resources/{resource.slug}.bib").read_text().strip()
        )
        href = cite.get_by_role("link", name="CSL-JSON").get_attribute("href")
        assert page.request.get(f"{site.url}resources/{href.split('/')[-1]}").ok


def test_the_feed_is_well_formed_without_leniency(site):
    root = etree.parse(str(site.folder / "feed.xml")).getroot()
    assert root.tag == "{http://www.w3.org/2005/Atom}feed"
