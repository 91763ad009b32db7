"""Embedded cells and their outputs: whole, linked to their origin, and told in words."""

import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from readinglist.commands.shows import showing
from readinglist.running.outputs import IMAGES, SOUND, executed_cell

OPEN_ALL = "document.querySelectorAll('details').forEach(details => { details.open = true })"


def _pages_of(site, kind):
    return site.resource_pages if kind == "resource" else site.snippet_pages


def _cell_name(cell):
    """The snippet's and the cell's name of a cell's element on a page."""
    origin = cell.locator("xpath=./p[@class='origin']/a")
    if origin.count():
        address = urlsplit(origin.get_attribute("href"))
        return Path(address.path).stem, address.fragment
    heading = cell.locator("xpath=./preceding-sibling::h2[@class='cell-name'][1]")
    return Path(urlsplit(cell.page.url).path).stem, heading.get_attribute("id")


@pytest.mark.parametrize("kind", ["resource", "snippet"])
def test_the_copy_button_gives_the_cells_source(site, session, new_context, kind):
    context = new_context(base_url=site.url)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url)
    page = context.new_page()
    page.goto(_pages_of(site, kind)[0])
    page.evaluate(OPEN_ALL)
    with_source = page.locator(".cell:has(> .highlight)")
    assert with_source.count() > 1
    for cell in with_source.all():
        snippet, name = _cell_name(cell)
        page.evaluate("navigator.clipboard.writeText('nothing was copied')")
        cell.locator(":scope > .highlight button[data-md-type=copy]").click()
        page.wait_for_function(
            "async () => await navigator.clipboard.readText() != 'nothing was copied'"
        )
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == session.catalog.snippets[snippet].code[name].source, f"{snippet}#{name}"


def test_the_page_shows_each_cell_as_it_stands_in_its_snippet(site, session):
    shown = 0
    for path in site.resource_pages + site.snippet_pages:
        for cell in site.html(path).find_class("cell"):
            code = cell.xpath("./div[contains(@class,'highlight')]//code")
            if not code:
                continue
            snippet, name = _static_name(cell, path)
            source = session.catalog.snippets[snippet].code[name].source
            assert code[0].text_content().rstrip("\n") == source, f"{path}: {snippet}#{name}"
            shown += 1
    assert shown >= sum(len(snippet.code) for snippet in session.catalog.snippets.values())


def _static_name(cell, path):
    if origin := cell.xpath("./p[@class='origin']/a/@href"):
        address = urlsplit(origin[0])
        return Path(address.path).stem, address.fragment
    return Path(path).stem, cell.xpath("./preceding-sibling::h2[@class='cell-name'][1]/@id")[0]


def test_each_embedded_cell_links_to_its_place_in_the_snippet(site):
    for path in site.resource_pages:
        cells = site.html(path).find_class("cell")
        assert cells, f"{path} embeds no cell: a resource page proves what it says"
        for cell in cells:
            (link,) = cell.xpath("./p[@class='origin']/a")
            target = urlsplit(urljoin(path, link.get("href")))
            name = Path(target.path).stem
            assert link.text_content().split() == [f"{name}.py", target.fragment], path
            heading = site.html(target.path).xpath("//h2[@class='cell-name']/@id")
            assert target.fragment in heading, f"{path}: {link.get('href')} leads to no cell"


def test_the_link_of_an_embedded_cell_opens_the_code(visit, site):
    page = visit(site.resource_pages[0])
    link = page.locator(".cell:not(details *) .origin a").last
    name = link.locator("span").text_content().strip()
    link.click()
    page.wait_for_url("**/snippets/*.html#*")
    heading = page.locator(f"h2[id='{name}']")
    heading.wait_for()
    top = heading.bounding_box()["y"]
    assert page.locator(".md-header").bounding_box()["height"] <= top < 800


@pytest.mark.parametrize("width", [1280, 360])
def test_a_long_output_scrolls_inside_its_box(visit, site, width):
    page = visit(site.snippet_pages[0], width=width)
    output = page.locator(".output.text pre > code").first
    before = page.evaluate("document.scrollingElement.scrollWidth")
    # Whatever the snippets print today, 300 long lines are more than any box may show.
    output.evaluate("code => { code.textContent = `${'a long line '.repeat(60)}\\n`.repeat(300) }")
    box = output.evaluate(
        "c => ({width: c.clientWidth, height: c.clientHeight, across: c.scrollWidth,"
        " down: c.scrollHeight, overflow: getComputedStyle(c).overflow})"
    )
    assert box["down"] > box["height"], "a long output must scroll inside its box"
    assert box["across"] > box["width"], "a wide output must scroll inside its box"
    assert box["height"] <= 600, f"the box of a long output is {box['height']} px high"
    assert box["overflow"] == "auto", box
    assert page.evaluate("document.scrollingElement.scrollWidth") == before


def test_an_output_that_scrolls_is_in_reach_of_the_keyboard(visit, read_through, site):
    for path in site.resource_pages + site.snippet_pages:
        page = visit(path, width=360)
        page.evaluate(OPEN_ALL)
        read_through(page)
        out_of_reach = page.evaluate(
            """() => [...document.querySelectorAll('.output pre > code, .output.html')]
                .filter(box => box.scrollHeight > box.clientHeight + 1 && box.tabIndex < 0)
                .map(box => box.textContent.slice(0, 80))"""
        )
        assert not out_of_reach, f"{path}: these outputs scroll but take no focus: {out_of_reach}"


def test_figures_are_inline_drawings_with_a_text(site, session):
    texts = {
        cell.alt
        for snippet in session.catalog.snippets.values()
        for cell in snippet.code.values()
        if cell.alt
    }
    found = 0
    for path in site.resource_pages + site.snippet_pages:
        pictures = "//figure[contains(@class, 'output')][not(contains(@class, 'sound'))]"
        for figure in site.html(path).xpath(pictures):
            (image,) = figure.xpath("./svg | ./img")
            text = image.get("aria-label") or image.get("alt") or ""
            assert text in texts, f"{path}: the text '{text}' is that of no cell"
            assert image.tag == "svg", f"{path}: '{text}' is no SVG; let matplotlib draw it"
            assert image.get("role") == "img", f"{path}: '{text}'"
            assert not image.xpath(".//title | .//metadata"), f"{path}: '{text}'"
            found += 1
    assert found, "no page shows a figure"


def test_check_knows_without_a_run_which_cells_show_a_figure_or_play_a_sound(session):
    """`python -m readinglist check` asks for their text before anything runs."""
    for name, snippet in session.catalog.snippets.items():
        judged = {(cell.name, what) for cell, what in showing(snippet)}
        shown = set()
        for cell in snippet.code:
            data = [
                o.get("data", {}) for o in executed_cell(session.shelf.runs[name], cell).outputs
            ]
            if any(kind in d for d in data for kind in IMAGES):
                shown.add((cell, "show an image"))
            if any(SOUND.search(d.get("text/html", "")) for d in data):
                shown.add((cell, "play a sound"))
        assert judged == shown, name


def test_drawings_have_a_title_and_a_description(site):
    found = set()
    for path in site.pages:
        for drawing in site.html(path).xpath("//svg[contains(@class, 'drawing')]"):
            assert drawing.get("role") == "img", path
            named = drawing.get("aria-labelledby", "").split()
            texts = [drawing.xpath(f".//*[@id='{name}']")[0] for name in named]
            assert [text.tag for text in texts] == ["title", "desc"], f"{path}: {named}"
            assert all(len(text.text_content().strip()) > 10 for text in texts), f"{path}: {named}"
            found.add(texts[0].text_content())
    assert found, "no page shows a drawing"


def test_every_image_has_a_text(site):
    for path in [*site.pages, "404.html"]:
        without = site.html(path).xpath("//img[not(@alt) or normalize-space(@alt)='']/@src")
        assert not without, f"{path}: these images have no text: {without}"


def test_no_markup_is_left_over_in_the_text(site):
    marks = re.compile(r"\[\[|\]\]|\]\{|\{ ?[.:#]\S+ ?\}|```|~~~|\*\*|\$[^$\n]+\$|\\[(\[]|</?\w+>")
    for path in site.pages:
        html = site.html(path)
        for element in html.xpath("//article//*[self::pre or self::code or self::math]"):
            element.drop_tree()
        for block in html.xpath("//article//*[self::p or self::li or self::td or self::h2]"):
            text = block.text_content()
            left = marks.search(text)
            assert not left, f"{path}: '{left[0]}' in '{' '.join(text.split())[:200]}'"
