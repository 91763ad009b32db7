"""Nobody is shut out: axe finds nothing, and the keyboard reaches everything, visibly."""

from itertools import pairwise

import pytest
from page_records import OPEN_ALL
from playwright.sync_api import expect

# One press of Tab at a time: what has the focus, whether it is seen, and where it stands.
FOCUSED = """async () => {
    await nextFrame(); await nextFrame()
    const element = document.activeElement
    if (element === document.body) return null
    // Material hides the scheme's switch itself and shows one of its labels.
    const shown = element.matches('.md-option')
        ? element.form.querySelector('label:not([hidden])') : element
    const style = getComputedStyle(shown), box = shown.getBoundingClientRect()
    return {
        kind: element.tagName.toLowerCase(),
        classes: element.className,
        name: (element.getAttribute('aria-label') ?? element.title ?? '')
            || element.textContent.trim().slice(0, 60),
        ringed: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1
            && style.outlineColor !== 'rgba(0, 0, 0, 0)' && parseFloat(style.opacity) > 0.5,
        inSight: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight
            && box.right > 0 && box.left < innerWidth,
        index: window.everything.indexOf(element),
    }
}"""


def test_axe_finds_nothing(opened):
    """In either scheme, of all that a page shows when everything is unfolded."""
    found = [
        f"{path}, {record.where}, {told}" for path, record in opened.items() for told in record.axe
    ]
    assert not found, "\n\n".join(found)


@pytest.fixture
def tab_stops(visit):
    """Everything that Tab reaches on a page, from its top to its end, in order."""

    def walk(path, scheme, width):
        page = visit(path, scheme=scheme, width=width)
        page.evaluate(OPEN_ALL)
        # As it is now: a tooltip comes and goes with the focus, and would shift all places.
        page.evaluate("() => { window.everything = [...document.querySelectorAll('*')] }")
        stops = []
        while len(stops) < 2000:
            page.keyboard.press("Tab")
            stop = page.evaluate(FOCUSED)
            if stop is None:
                return page, stops
            stops.append(stop)
        return pytest.fail(f"{path}: the keyboard is caught at {stops[-1]}")

    return walk


@pytest.mark.parametrize(
    ("kind", "scheme", "width"),
    [
        ("index", "light", 1280),
        ("index", "dark", 1280),
        ("resource", "light", 1280),
        ("resource", "dark", 360),
        ("newest resource", "light", 360),
        ("snippet", "light", 1280),
        ("snippet", "dark", 360),
    ],
)
def test_the_keyboard_reaches_all_and_shows_where_it_is(site, tab_stops, kind, scheme, width):
    path = {
        "index": "index.html",
        "resource": site.resource_pages[0],
        "newest resource": site.resource_pages[-1],
        "snippet": site.snippet_pages[0],
    }[kind]
    page, stops = tab_stops(path, scheme, width)
    assert "md-skip" in stops[0]["classes"], f"the first stop must skip the header: {stops[0]}"
    wanted = "article :is(a[href], button, summary, [tabindex='0'])"
    if width == 1280:
        wanted += ", .md-search__input, .md-tabs__link, .md-option:checked"
        wanted += ", .md-sidebar--secondary:not([hidden]) a.md-nav__link"
    indices = page.evaluate(
        """wanted => {
            const all = window.everything
            return all.filter(e => e.matches(wanted)).map(e => [all.indexOf(e), e.outerHTML])
        }""",
        wanted,
    )
    reached = {stop["index"] for stop in stops}
    missed = [html[:120] for index, html in indices if index not in reached]
    assert not missed, "Tab does not reach:\n" + "\n".join(missed)
    unseen = [f"{s['kind']}.{s['classes']} '{s['name']}'" for s in stops if not s["inSight"]]
    assert not unseen, "Tab stops at what cannot be seen:\n" + "\n".join(unseen)
    ringless = [f"{s['kind']}.{s['classes']} '{s['name']}'" for s in stops if not s["ringed"]]
    assert not ringless, "the focus is not shown at:\n" + "\n".join(ringless)


def test_the_skip_link_leads_past_the_header(visit, site):
    page = visit(site.resource_pages[0])
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    inside = page.evaluate("document.activeElement.closest('article') !== null")
    assert inside, "after the skip link, Tab must go on in the article"


def test_the_keyboard_opens_the_drawer(visit):
    page = visit("index.html", width=360)
    drawer = page.locator(".md-sidebar--primary")
    expect(drawer).to_be_hidden()
    page.get_by_role("button", name="Menu").press("Enter")
    link = drawer.get_by_role("link", name="Resources")
    for _ in range(20):
        page.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            break
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()


def test_a_long_output_scrolls_by_the_keyboard(visit, site):
    page = visit(site.snippet_pages[0])
    output = page.locator(".output.text pre > code").first
    # Long outputs carry a tabindex from the build; see test_cells.py.
    output.evaluate(
        "code => { code.textContent = 'a line\\n'.repeat(300); code.tabIndex = 0; code.focus() }"
    )
    page.keyboard.press("End")
    page.wait_for_function("() => document.activeElement.scrollTop > 0")


def test_the_page_can_be_found_without_seeing_it(visit, site):
    """One main, named navigations, and headings that skip no level."""
    for path in site.opened_pages:
        html = site.html(path)
        assert len(html.xpath("//main")) == 1, path
        unnamed = html.xpath("//nav[not(@aria-label) and not(@aria-labelledby)]")
        assert not unnamed, f"{path}: a <nav> has no name"
        levels = [
            int(h.tag[1])
            for h in html.xpath(
                "//article//*[self::h1 or self::h2 or self::h3 or self::h4 or self::h5]"
            )
        ]
        for above, below in pairwise(levels):
            assert below <= above + 1, f"{path}: an h{below} stands right below an h{above}"
