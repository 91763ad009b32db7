"""Links and images of a page, read without building the site."""

from __future__ import annotations

from pathlib import Path

import pytest

from readinglist.pages.links import link_faults, linkable, read_links
from readinglist.sources.catalog import Catalog
from readinglist.sources.resource import read_resource

TEXT = """# One

## Two words {#named}

## Long Short-Term Memory

[a](other.md) [b][ref] <a href="third.md">c</a> and `[code](no.md)`

![seen](x.svg)

??? note "Folded"
    [d](#one)

[ref]: https://example.org/
"""


def test_what_a_page_links_to_and_what_can_be_linked_to():
    linked = read_links(Path("page.md"), TEXT, Catalog(Path()))
    assert linked.links == ["other.md", "https://example.org/", "third.md", "#one"]
    assert linked.images == [("x.svg", "seen")]
    assert {"one", "named", "long-short-term-memory"} <= linked.anchors


@pytest.fixture
def faults(tmp_path, make_snippet, text_of_resource):
    """What is wrong with a page's text, in a project with another page, a file and a snippet."""
    docs = tmp_path / "docs"
    (docs / "assets").mkdir(parents=True)
    (docs / "assets" / "a b.svg").write_text("<svg/>")
    cells = ("# %% a_cell\n1", "# %% [markdown]\n# ## Why so", "# %% b\n2")
    snippet = make_snippet("thing", *cells)
    (docs / "resources").mkdir()
    (docs / "resources" / "listed.md").write_text(text_of_resource(body="", status="listed"))
    listed = read_resource(docs / "resources" / "listed.md")
    catalog = Catalog(tmp_path, snippets={"thing": snippet}, resources=[listed])
    pages = [read_links(path, "# Top\n", catalog) for path in (docs / "other.md", listed.path)]

    def check(text: str) -> list[str]:
        page = read_links(docs / "deep" / "page.md", text, catalog)
        page.path.parent.mkdir(exist_ok=True)
        page.path.write_text(text)
        anchors = linkable([*pages, page], catalog)
        return [f"{fault.line}: {fault.message}" for fault in link_faults(page, docs, anchors)]

    return check


@pytest.mark.parametrize(
    "link",
    [
        "../other.md", "../other.md#top", "page.md", "#here", "../assets/a%20b.svg",
        "../snippets/thing.ipynb", "../snippets/thing.ipynb#a_cell",
        "../snippets/thing.ipynb#why-so", "https://arxiv.org/abs/1303.5778", "mailto:a@b.org",
    ],
)  # fmt: skip
def test_good_links(faults, link):
    assert faults(f"## Here\n\n[there]({link})\n") == []


def test_an_image_is_there(faults):
    assert (
        faults("![a](../assets/a%20b.svg)\n\n![b](data:image/gif;base64,R0lGODlhAQABAAAAACw=)")
        == []
    )
    (fault,) = faults("![c](../assets/c.svg)")
    assert fault.startswith("1: the link '../assets/c.svg' leads nowhere")


@pytest.mark.parametrize(
    ("link", "start"),
    [
        ("other.md", "the link 'other.md' leads nowhere: there is no 'deep/other.md'"),
        ("../../etc/passwd", "the link '../../etc/passwd' leads nowhere: there is no"),
        ("../resources/listed.md", "the link '../resources/listed.md' leads nowhere"),
        ("#there", "the link '#there' leads nowhere: this page has no 'there'"),
        ("../snippets/thing.py", "the link '../snippets/thing.py' leads nowhere"),
        ("https://arxiv.org/pdf/cs/0701001v2.pdf",
         "links to a PDF, 'https://arxiv.org/pdf/cs/0701001v2.pdf'; link to its abstract, "
         "https://arxiv.org/abs/cs/0701001"),
    ],
)  # fmt: skip
def test_bad_links(faults, link, start):
    (fault,) = faults(f"## Here\n\n[there]({link})\n")
    assert fault.startswith(f"3: {start}")
