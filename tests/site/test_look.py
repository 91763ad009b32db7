"""The look holds in both schemes and on a phone, in text, formulas, figures and drawings."""

import unicodedata

import pytest
from fontTools.ttLib import TTFont
from page_records import CONTRAST, MATH_FONT, PAINTED_PARTS, PHONE, SCHEMES
from playwright.sync_api import expect


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


def test_figures_follow_the_scheme(at_a_desk):
    """The same elements, painted with other colours when the scheme changes."""
    compared = dict.fromkeys(PAINTED_PARTS, 0)
    for path, record in at_a_desk.items():
        for part in PAINTED_PARTS:
            light, dark = (record.inks[scheme][part] for scheme in SCHEMES)
            fixed = [one for one, other in zip(light, dark, strict=True) if one == other]
            assert not fixed, f"{path}: {part} keeps {fixed[0]} in both schemes"
            compared[part] += len(light)
    assert all(compared.values()), f"no page has some of these: {compared}"


def test_no_figure_brings_a_colour_of_its_own(site):
    """A colour that is not the palette's would stay when the scheme changes."""
    for path in site.resource_pages + site.snippet_pages:
        for figure in site.html(path).xpath("//svg[@class='plot' or @class='drawing']"):
            paints = figure.xpath(".//@style | .//@fill | .//@stroke")
            fixed = sorted({paint for paint in paints if "#" in paint.replace("url(#", "")})
            name = figure.get("aria-label") or figure.get("aria-labelledby")
            assert not fixed, f"{path}: '{name[:60]}' has {fixed[:3]}; use C0 to C5 or the palette"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_text_in_figures_and_drawings_can_be_read(at_a_desk, scheme):
    assert any(record.contrasts[scheme] for record in at_a_desk.values())
    for path, record in at_a_desk.items():
        weak = [f"{text} {ratio:.2f}" for text, ratio in record.contrasts[scheme] if ratio < 4.5]
        assert not weak, f"{path}, {scheme}: contrast below 4.5 in figures: {weak}"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_copy_button_can_be_seen(visit, site, scheme):
    """WCAG 1.4.11: what a reader may press differs from its ground by 3."""
    page = visit(site.snippet_pages[0], scheme=scheme)
    page.locator("button[data-md-type=copy]").first.wait_for()
    ratios = page.evaluate(
        """() => {"""
        + CONTRAST
        + """
        return [...document.querySelectorAll('.language-python button[data-md-type=copy]')].map(
            button => contrast(
                getComputedStyle(button, '::after').backgroundColor,
                getComputedStyle(button.closest('pre').querySelector('code')).backgroundColor))
        }"""
    )
    assert ratios
    assert min(ratios) >= 3, f"the copy button has a contrast of {min(ratios):.2f}"


def test_formulas_are_mathml_in_the_sites_own_font(at_a_desk, site):
    pages = [path for path in site.pages if site.html(path).xpath("//math")]
    assert pages, "no page has a formula"
    for path in pages:
        formulas = at_a_desk[path].formulas
        assert formulas.foreign == 0, path
        assert formulas.loaded, f"{path}: the font was not loaded for a formula in sight"
        assert formulas.family.startswith(MATH_FONT), f"{path}: {formulas.family}"


def test_the_math_font_has_every_character_in_use(site):
    font = TTFont(site.folder / "assets" / "fonts" / "math.woff2")
    known = {chr(code) for code in font.getBestCmap()}
    assert len(known) > 20
    for path in site.opened_pages:
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


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_page_scrolls_sideways_on_a_phone(on_a_phone, scheme):
    for path, record in on_a_phone.items():
        widest = "\n".join(record.standing_out[scheme])
        wide = record.width[scheme]
        assert wide <= PHONE, f"{path}, {scheme}: {wide} px wide; widest:\n{widest}"


def test_no_text_of_a_figure_is_tiny_on_a_phone(on_a_phone):
    tiny = []
    for path, record in on_a_phone.items():
        small = [f"'{text}' {size:.1f} px" for text, size in record.text_sizes if size < 9]
        tiny += [f"{path}: {len(small)} texts, such as {', '.join(small[:4])}"] if small else []
    assert any(record.text_sizes for record in on_a_phone.values())
    assert not tiny, f"below 9 px on a screen of {PHONE}:\n" + "\n".join(tiny)
