"""Links that leave the site: each has a record, and a gone original leads to its copy."""

import json
import shutil
from datetime import date

import pytest

from readinglist.sources.link_records import is_external, read_link_records, write_link_records


@pytest.fixture(scope="session")
def records(project):
    return read_link_records(project)


def test_every_link_that_leaves_has_a_record(site, catalog, records):
    found = set()
    for path in site.pages:
        links = site.html(path).xpath("//a/@href")
        external = {link for link in links if is_external(link, catalog.settings.owner_url)}
        missing = external - records.keys()
        assert not missing, f"{path} leads to {missing} without an archived copy"
        found |= external
    assert len(found) >= 15


def test_the_page_of_links_has_them_all_with_their_copies(site, records):
    items = site.html("links.html").xpath("//ul[@class='link-records']/li")
    shown = {tuple(item.xpath(".//a/@href")) for item in items}
    assert shown == {(url, record.archived) for url, record in records.items()}
    published = json.loads((site.folder / "links.json").read_text(encoding="utf-8"))
    assert published.keys() == records.keys()


def test_a_gone_original_leads_to_its_copy_everywhere(
    tmp_path_factory, copy_project, build, catalog
):
    """A second build, for which two of the originals are gone."""
    project = copy_project(tmp_path_factory.mktemp("gone"))
    records = read_link_records(project)
    resource = catalog.resources[0]
    gone = [str(resource.url), "https://github.com/karpathy/char-rnn"]
    for url in gone:
        records[url] = records[url].model_copy(update={"gone": date(2026, 11, 20)})
    write_link_records(project, records)
    folder = tmp_path_factory.mktemp("www") / "site"
    built = build(project, folder)
    assert built.status == 0, built.output
    found = set()
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for url in gone:
            assert f'<a href="{url}"' not in text, f"{path.name} leads to what is gone"
            if f'href="{records[url].archived}"' in text:
                found.add((path.name, url))
    names = {name for name, _ in found}
    assert {"index.html", f"{resource.slug}.html", "links.html"} <= names
    assert {url for _, url in found} == set(gone)
    shown = (folder / "links.html").read_text(encoding="utf-8")
    assert "Gone since" in shown
    shutil.rmtree(folder)
