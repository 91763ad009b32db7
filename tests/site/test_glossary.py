"""Terms of the glossary: marked once a page, told in a tooltip, with the mouse or without."""

import re
from collections import Counter

import pytest
from playwright.sync_api import expect

from readinglist.sources.glossary import read_terms


@pytest.fixture(scope="session")
def terms(project):
    return {term.anchor: term for term in read_terms((project / "docs/glossary.md").read_text())}


def test_each_page_marks_each_term_once_and_rightly(site, terms):
    marked = set()
    for path in [*site.resource_pages, "notation.html", "then-and-now.html"]:
        links = site.html(path).xpath("//article//a[@class='term']")
        assert links, f"{path} explains no term"
        anchors = [link.get("href").split("#")[1] for link in links]
        assert max(Counter(anchors).values()) == 1, path
        marked |= set(anchors)
        for link, anchor in zip(links, anchors, strict=True):
            assert link.get("title") == terms[anchor].sentence
            target = (site.folder / path).parent / link.get("href").split("#")[0]
            assert target.resolve() == (site.folder / "glossary.html").resolve()
    # Others stand in headings, tables and code, where nothing is marked.
    assert len(marked) > 0.9 * len(terms), set(terms) - marked


def test_every_term_says_where_it_is_explained(site, terms):
    html = site.html("glossary.html")
    for anchor, term in terms.items():
        (heading,) = html.xpath(f"//h2[@id='{anchor}']")
        sentence, where = list(heading.itersiblings("p"))[:2]
        assert " ".join(sentence.text_content().split()) == term.sentence
        for link in where.iter("a"):
            path, _, fragment = link.get("href").partition("#")
            section = site.html(path).xpath(f"//*[@id='{fragment}']")
            assert section, f"{term.name} is said to be explained at {link.get('href')}"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_keyboard_opens_a_tooltip_and_escape_puts_it_away(visit, terms, width, scheme):
    page = visit("resources/understanding-lstm-networks.html", scheme, width)
    term = page.locator("a.term[href$='#gate']")
    term.scroll_into_view_if_needed()
    term.focus()
    tip = page.get_by_role("tooltip").filter(has_text=terms["gate"].sentence)
    expect(tip).to_be_visible()
    expect(tip).to_have_class(re.compile("--active"))
    assert tip.get_attribute("id") == term.get_attribute("aria-describedby")
    box = tip.locator(".md-tooltip2__inner").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    page.keyboard.press("Escape")
    expect(tip).not_to_have_class(re.compile("--active"))
    assert page.evaluate("document.activeElement.className").startswith("term")


def test_a_term_leads_to_its_entry(visit):
    page = visit("resources/deep-rnn-speech.html")
    page.locator("a.term[href$='#transducer']").click()
    page.wait_for_url("**/glossary.html#transducer")
    expect(page.locator("h2[id='transducer']")).to_be_in_viewport()
