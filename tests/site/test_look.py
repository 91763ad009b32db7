"""The look holds in both schemes and on a phone, in text, formulas, figures and drawings."""

import unicodedata

import pytest
from fontTools.ttLib import TTFont
from playwright.sync_api import expect

SCHEMES = ("light", "dark")
OPEN_ALL = "document.querySelectorAll('details').forEach(details => { details.open = true })"
SET_SCHEME = "scheme => { document.body.dataset.mdColorScheme = scheme }"
# Any colour that CSS knows as [r, g, b, a], by painting it.
PAINTED = """
    const context = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true})
    const painted = colour => {
        context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1)
        return [...context.getImageData(0, 0, 1, 1).data]
    }
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(
        c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
    ).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0)
    const contrast = (one, other) => {
        const [low, high] = [light(painted(one)), light(painted(other))].sort((a, b) => a - b)
        return (high + 0.05) / (low + 0.05)
    }
"""


def test_the_scheme_switch_changes_the_page_and_is_remembered(site, new_context):
    page = new_context(base_url=site.url).new_page()
    page.goto("index.html")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator("label[title='Switch to the dark scheme']:visible").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    assert page.evaluate(ground) == dark, "the switch is forgotten by a reload"
    page.goto(site.resource_pages[0])
    assert page.evaluate(ground) == dark, "the switch is forgotten by the next page"
    page.locator("label[title='Switch to the light scheme']:visible").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "default")
    assert page.evaluate(ground) == light


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_first_visit_follows_the_system(visit, scheme):
    page = visit("index.html", scheme=scheme)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(int(part) for part in ground[4:-1].split(",")) > 3 * 128
    assert light == (scheme == "light"), f"the ground is {ground}"


def test_figures_follow_the_scheme(visit, site):
    """The same elements, painted with other colours when the scheme changes."""
    compared = dict.fromkeys((".plot text", ".plot path", ".drawing text", ".drawing .wire"), 0)
    for path in site.resource_pages + site.snippet_pages:
        page = visit(path)
        for selector in compared:
            light, dark = (_inks(page, selector, scheme) for scheme in ("default", "slate"))
            fixed = [one for one, other in zip(light, dark, strict=True) if one == other]
            assert not fixed, f"{path}: {selector} keeps {fixed[0]} in both schemes"
            compared[selector] += len(light)
    assert all(compared.values()), f"no page has some of these: {compared}"


def _inks(page, selector, scheme):
    """What each element is painted with, for those that are painted at all."""
    page.evaluate(SET_SCHEME, scheme)
    return page.locator(selector).evaluate_all(
        """elements => elements
            .map(element => getComputedStyle(element))
            .filter(({fill, stroke}) => fill !== 'none' || stroke !== 'none')
            .map(({fill, stroke}) => `fill ${fill} and stroke ${stroke}`)"""
    )


def test_no_figure_brings_a_colour_of_its_own(site):
    """A colour that is not the palette's would stay when the scheme changes."""
    for path in site.resource_pages + site.snippet_pages:
        for figure in site.html(path).xpath("//svg[@class='plot' or @class='drawing']"):
            paints = figure.xpath(".//@style | .//@fill | .//@stroke")
            fixed = sorted({paint for paint in paints if "#" in paint.replace("url(#", "")})
            name = figure.get("aria-label") or figure.get("aria-labelledby")
            assert not fixed, f"{path}: '{name[:60]}' has {fixed[:3]}; use C0 to C5 or the palette"


@pytest.mark.parametrize("scheme", ["default", "slate"])
def test_the_text_in_figures_and_drawings_can_be_read(visit, site, scheme):
    for path in site.resource_pages + site.snippet_pages:
        page = visit(path)
        page.evaluate(SET_SCHEME, scheme)
        weak = page.evaluate(
            """() => {"""
            + PAINTED
            + """
            const paper = getComputedStyle(document.body).backgroundColor
            const ground = text => {
                const tile = text.closest('.tile')?.querySelector('rect')
                return tile ? getComputedStyle(tile).fill : paper
            }
            return [...document.querySelectorAll('.plot text, .drawing text')]
                .filter(text => !text.closest('.faded'))
                .map(text => [text, contrast(getComputedStyle(text).fill, ground(text))])
                .filter(([text, ratio]) => ratio < 4.5)
                .map(([text, ratio]) => `${text.textContent} ${ratio.toFixed(2)}`)
            }"""
        )
        assert not weak, f"{path}, {scheme}: contrast below 4.5 in figures: {weak}"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_copy_button_can_be_seen(visit, site, scheme):
    """WCAG 1.4.11: what a reader may press differs from its ground by 3."""
    page = visit(site.snippet_pages[0], scheme=scheme)
    page.locator("button[data-md-type=copy]").first.wait_for()
    ratios = page.evaluate(
        """() => {"""
        + PAINTED
        + """
        return [...document.querySelectorAll('.language-python button[data-md-type=copy]')].map(
            button => contrast(
                getComputedStyle(button, '::after').backgroundColor,
                getComputedStyle(button.closest('pre').querySelector('code')).backgroundColor))
        }"""
    )
    assert ratios
    assert min(ratios) >= 3, f"the copy button has a contrast of {min(ratios):.2f}"


LOADED = """name => [...document.fonts].some(
    font => font.family.replaceAll('"', '') === name && font.status === 'loaded')"""


def test_formulas_are_mathml_in_the_sites_own_font(visit, site):
    pages = [path for path in site.pages if site.html(path).xpath("//math")]
    assert pages, "no page has a formula"
    for path in pages:
        page = visit(path)
        assert page.locator(".arithmatex, mjx-container, .katex").count() == 0, path
        # A font is loaded when text in it is to be drawn, and what is far off is not drawn.
        page.locator("math").first.scroll_into_view_if_needed()
        page.wait_for_function(LOADED, arg="STIX Two Math", timeout=10_000)
        family = page.locator("math").first.evaluate("m => getComputedStyle(m).fontFamily")
        assert family.replace('"', "").startswith("STIX Two Math"), family


def test_the_math_font_has_every_character_in_use(site):
    font = TTFont(site.folder / "assets" / "fonts" / "math.woff2")
    known = {chr(code) for code in font.getBestCmap()}
    assert len(known) > 20
    for path in [*site.pages, "404.html"]:
        used = set()
        for element in site.html(path).xpath("//math//*[not(*)]"):
            text = (element.text or "").strip()
            italic = element.tag == "mi" and len(text) == 1 and not element.get("mathvariant")
            used.update(_math_italic(text) if italic else text)
        symbols = "//svg[@class='drawing']//*[contains(@class,'sym') or contains(@class,'act')]"
        for element in site.html(path).xpath(symbols):
            used.update(element.text_content())
        missing = sorted(char for char in used - known if not char.isspace() and char != "\u200b")
        names = [f"{char} {unicodedata.name(char, 'unnamed')}" for char in missing]
        assert not names, f"{path}: the math font lacks {names}; it would fall back to another"


def _math_italic(char):
    """The letter that a browser shows for a one-letter <mi>, by the tables of MathML Core."""
    starts = {"A": 0x1D434, "a": 0x1D44E, "Α": 0x1D6E2, "α": 0x1D6FC}
    if char == "h":
        return "\N{PLANCK CONSTANT}"
    for first, start in starts.items():
        if 0 <= ord(char) - ord(first) < (26 if first in "Aa" else 25):
            return chr(start + ord(char) - ord(first))
    return char


def test_no_page_scrolls_sideways_on_a_phone(visit, site):
    for path in [*site.pages, "404.html"]:
        page = visit(path, width=360)
        page.evaluate(OPEN_ALL)
        for scheme in ("default", "slate"):
            page.evaluate(SET_SCHEME, scheme)
            wide = page.evaluate("document.scrollingElement.scrollWidth")
            assert wide <= 360, f"{path}, {scheme}: {wide} px wide; widest:\n{_widest(page)}"


def _widest(page):
    """The elements that stand out, for the message."""
    elements = page.evaluate(
        """[...document.querySelectorAll('article *')]
            .map(e => [Math.round(e.getBoundingClientRect().right), e.outerHTML.slice(0, 100)])
            .filter(([right]) => right > innerWidth).sort((a, b) => b[0] - a[0]).slice(0, 5)"""
    )
    return "\n".join(f"  {right} px: {html}" for right, html in elements)


def test_no_text_of_a_figure_is_tiny_on_a_phone(visit, site):
    tiny = []
    for path in site.resource_pages + site.snippet_pages:
        page = visit(path, width=360)
        page.evaluate(OPEN_ALL)
        texts = page.evaluate(
            """() => [...document.querySelectorAll('.plot text, .drawing text')]
                .flatMap(text => [text, ...text.querySelectorAll('tspan')].map(part => {
                    const matrix = text.getScreenCTM()
                    const scale = Math.hypot(matrix.a, matrix.b)
                    return [part, scale * parseFloat(getComputedStyle(part).fontSize)]
                }))
                .filter(([part]) => [...part.childNodes].some(
                    node => node.nodeType === Node.TEXT_NODE && node.data.trim()))
                .map(([part, size]) => [part.textContent.trim(), size])"""
        )
        small = [f"'{text}' {size:.1f} px" for text, size in texts if size < 9]
        tiny += [f"{path}: {len(small)} texts, such as {', '.join(small[:4])}"] if small else []
    assert not tiny, "below 9 px on a screen of 360:\n" + "\n".join(tiny)
