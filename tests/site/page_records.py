"""Every page, opened once at a desk and once on a phone, and all that was seen of it there.

To open a page, to read it through and to let axe look at it takes seconds. So no test opens all
pages: it asks the records, which hold what was measured; what may be is said in the tests alone.

At a desk the pages come from the server, on a phone from their folder, as in the archive: so the
two ways of reading the site are both gone through, with a page opened no oftener for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Response, TimeoutError

DESK, PHONE = 1280, 360
SCHEMES = {"light": "default", "dark": "slate"}
PAINTED_PARTS = (".plot text", ".plot path", ".drawing text", ".drawing .wire")
MATH_FONT = "STIX Two Math"

OPEN_ALL = "document.querySelectorAll('details').forEach(details => { details.open = true })"
SET_SCHEME = "scheme => { document.body.dataset.mdColorScheme = scheme }"
# What is out of sight is not laid out, to save the reader's time, and what is not laid out would be
# neither wide nor pale to anyone who measures. The page's policy does not forbid such a sheet.
LAY_OUT_ALL = """() => {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync('* { content-visibility: visible !important }')
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]
}"""
# Material looks at a block when it is in sight, and a font is loaded when its text is. A place that
# is set as one frame begins is drawn in that frame, and observers are told of it before the next.
READ_THROUGH = """async () => {
    for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
        await nextFrame()
        scrollTo({ top: y, behavior: 'instant' })
    }
    await nextFrame(); await nextFrame()
    scrollTo({ top: 0, behavior: 'instant' })
}"""
# What each element is painted with, for those that are painted at all.
INKS = """selectors => Object.fromEntries(selectors.map(selector => [
    selector,
    [...document.querySelectorAll(selector)]
        .map(element => getComputedStyle(element))
        .filter(({fill, stroke}) => fill !== 'none' || stroke !== 'none')
        .map(({fill, stroke}) => `fill ${fill} and stroke ${stroke}`),
]))"""
# Defines contrast(); a colour that CSS knows becomes [r, g, b, a] by being painted.
CONTRAST = """
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
TEXT_CONTRASTS = f"""() => {{
    {CONTRAST}
    const paper = getComputedStyle(document.body).backgroundColor
    const ground = text => {{
        const tile = text.closest('.tile')?.querySelector('rect')
        return tile ? getComputedStyle(tile).fill : paper
    }}
    const seen = new Map()
    const between = (ink, ground) => {{
        const pair = `${{ink}} on ${{ground}}`
        if (!seen.has(pair)) seen.set(pair, contrast(ink, ground))
        return seen.get(pair)
    }}
    return [...document.querySelectorAll('.plot text, .drawing text')]
        .filter(text => !text.closest('.faded'))
        .map(text => [text.textContent, between(getComputedStyle(text).fill, ground(text))])
}}"""
# The pixels on the screen of each text in figures, part by part.
TEXT_SIZES = """() => [...document.querySelectorAll('.plot text, .drawing text')]
    .flatMap(text => [text, ...text.querySelectorAll('tspan')].map(part => {
        const matrix = text.getScreenCTM()
        const scale = Math.hypot(matrix.a, matrix.b)
        return [part, scale * parseFloat(getComputedStyle(part).fontSize)]
    }))
    .filter(([part]) => [...part.childNodes].some(
        node => node.nodeType === Node.TEXT_NODE && node.data.trim()))
    .map(([part, size]) => [part.textContent.trim(), size])"""
WIDTH = "document.scrollingElement.scrollWidth"
STANDING_OUT = """() => [...document.querySelectorAll('article *')]
    .map(e => [Math.round(e.getBoundingClientRect().right), e.outerHTML.slice(0, 100)])
    .filter(([right]) => right > innerWidth).sort((a, b) => b[0] - a[0]).slice(0, 5)
    .map(([right, html]) => `  ${right} px: ${html}`)"""
OUT_OF_REACH = """() => [...document.querySelectorAll('.output pre > code, .output.html')]
    .filter(box => box.scrollHeight > box.clientHeight + 1 && box.tabIndex < 0)
    .map(box => box.textContent.slice(0, 80))"""
FORMULAS = """() => ({
    family: getComputedStyle(document.querySelector('math')).fontFamily.replaceAll('"', ''),
    foreign: document.querySelectorAll('.arithmatex, mjx-container, .katex').length,
})"""
FONT_IS_LOADED = """name => [...document.fonts].some(
    font => font.family.replaceAll('"', '') === name && font.status === 'loaded')"""
# Defines look(): all that the contrast of an element's text hangs on, its grounds included.
LOOK = """
    const parts = ['color', 'fill', 'opacity', 'filter', 'fontSize', 'fontWeight',
        'backgroundColor', 'backgroundImage']
    const style = element => {
        const computed = getComputedStyle(element)
        return parts.map(part => computed[part]).join()
    }
    const known = new Map()
    const look = element => {
        if (!element) return ''
        if (!known.has(element))
            known.set(element, `${style(element)} in ${look(element.parentElement)}`)
        return known.get(element)
    }
"""
# A page has up to a thousand words of code, in a dozen colours: axe is to see one of each look.
MARK_ALIKE = f"""() => {{
    {LOOK}
    const looks = new Set()
    for (const word of document.querySelectorAll('pre code > span')) {{
        const kind = `${{word.className}} ${{look(word)}}`
        word.toggleAttribute('data-alike', looks.has(kind))
        looks.add(kind)
    }}
}}"""
LOOKS = f"""() => {{
    {LOOK}
    const withText = element => [...element.childNodes].some(
        node => node.nodeType === Node.TEXT_NODE && node.data.trim())
    return [...new Set([...document.body.querySelectorAll('*')]
        .filter(element => withText(element) && element.checkVisibility())
        .map(look))]
}}"""
# Axe fetches the style sheets a second time, for a rule on the turning of a phone, and a browser
# lets nobody fetch from a folder. That rule asks the sheets alone: the pages at a desk answer it.
RUN_AXE = """async options => (await axe.run({exclude: [['[data-alike]']]}, {
    resultTypes: ['violations'], preload: location.protocol !== 'file:', ...options
})).violations"""
ONLY_COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}


@dataclass(frozen=True)
class Formulas:
    """How the first formula of a page is drawn."""

    family: str  # of its font, as the style sheet says it
    loaded: bool  # whether that font came, when the formula was in sight
    foreign: int  # elements of programs that draw formulas by a script


@dataclass(frozen=True)
class Opened:
    """What was seen of a page at either width, from its opening to the end of the record.

    All that is folded was opened, and the page was read from top to bottom, in both schemes.
    """

    where: ClassVar[str]  # for messages
    path: str
    root: str  # what the addresses of the site's files begin with
    asked: list[str]  # the address of each request
    faults: list[str]  # failed requests, errors of scripts, and all that the console says
    axe: list[str]  # a paragraph for each rule of axe that is broken: page, scheme, elements

    @property
    def address(self) -> str:
        return self.root + self.path


@dataclass(frozen=True)
class AtADesk(Opened):
    """A page from the server, 1280 pixels wide."""

    where = "at a desk"
    loaded: list[str]  # the site's files that a first visit loads, before anything is unfolded
    inks: dict[str, dict[str, list[str]]]  # fill and stroke, by scheme and by PAINTED_PARTS
    contrasts: dict[str, list[tuple[str, float]]]  # of each text in figures, by scheme
    formulas: Formulas | None  # None if the page has no formula


@dataclass(frozen=True)
class OnAPhone(Opened):
    """A page from its folder, 360 pixels wide; 404.html comes from the server."""

    where = "on a phone"
    width: dict[str, int]  # of all that the page shows, by scheme
    standing_out: dict[str, list[str]]  # the elements that stand out most, by scheme
    text_sizes: list[tuple[str, float]]  # of each text in figures, in pixels of the screen
    out_of_reach: list[str]  # outputs that scroll, and that the keyboard does not reach


class Visitor:
    """Opens pages in one tab, and notes what the browser asks for and says of them."""

    def __init__(self, context: BrowserContext, judged: set[str]) -> None:
        self.page = context.new_page()
        self.judged = judged  # the looks of text in the dark that axe has seen
        # Each page is to load all its files, as for a reader who comes from elsewhere.
        session = context.new_cdp_session(self.page)
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        self.asked: list[str] = []
        self.faults: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("response", self._note_refusal)
        for event, told in (
            ("requestfailed", lambda request: f"{request.url}: {request.failure}"),
            ("pageerror", lambda error: f"script error: {error}"),
            ("console", lambda message: f"console {message.type}: {message.text}"),
        ):
            self.page.on(event, lambda what, told=told: self.faults.append(told(what)))

    def _note_refusal(self, response: Response) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status} {response.url}")

    def open(self, address: str) -> None:
        """Opens a page; returns when it has loaded the last that it asks for by itself."""
        self.asked.clear()
        self.faults.clear()
        self.page.bring_to_front()  # only what is in front is sure to be drawn
        with self.page.expect_event("requestfinished", lambda r: "workers/search" in r.url):
            self.page.goto(address)
        self.page.evaluate("document.fonts.ready")

    def axe(self, scheme: str) -> Iterator[str]:
        """What axe finds, a paragraph for each rule.

        In the dark only colours differ: what covers what has been seen in the light. So axe need
        not look at a page there on which every text looks as one that it has seen, on any page.
        """
        if scheme == "dark":
            looks = set(self.page.evaluate(LOOKS))
            if looks <= self.judged:
                return
            self.judged |= looks
        self.page.evaluate(MARK_ALIKE)
        for violation in self.page.evaluate(RUN_AXE, {} if scheme == "light" else ONLY_COLOURS):
            nodes = violation["nodes"]
            rule = f"{violation['help']} ({violation['id']}, {len(nodes)} times)"
            found = [f"    {node['target']}: {node['html'][:120]}" for node in nodes[:5]]
            yield "\n".join([f"{scheme}: {rule}", *found])

    def seen(self, root: str, path: str, axe: list[str]) -> dict[str, Any]:
        """The fields of `Opened`."""
        asked, faults = list(self.asked), list(self.faults)
        return {"path": path, "root": root, "asked": asked, "faults": faults, "axe": axe}

    def in_each_scheme(self) -> Iterator[str]:
        """Shows the opened page in one scheme after the other."""
        for scheme, name in SCHEMES.items():
            self.page.evaluate(SET_SCHEME, name)
            yield scheme


def look_at_a_desk(visitor: Visitor, root: str, path: str) -> AtADesk:
    """Opens a page of the server at `root`, and measures what the tests ask of it."""
    page = visitor.page
    visitor.open(root + path)
    loaded = [url.removeprefix(root) for url in visitor.asked if url.startswith(root)]
    _prepare(page)
    inks, contrasts, axe = {}, {}, []
    for scheme in visitor.in_each_scheme():
        inks[scheme] = page.evaluate(INKS, PAINTED_PARTS)
        contrasts[scheme] = page.evaluate(TEXT_CONTRASTS)
        axe += visitor.axe(scheme)
    return AtADesk(
        **visitor.seen(root, path, axe),
        loaded=loaded,
        inks=inks,
        contrasts=contrasts,
        formulas=_formulas(page),
    )


def look_on_a_phone(visitor: Visitor, root: str, path: str) -> OnAPhone:
    """Opens a page of the folder at `root`, and measures what the tests ask of it."""
    page = visitor.page
    visitor.open(root + path)
    _prepare(page)
    width, standing_out, axe = {}, {}, []
    text_sizes, out_of_reach = page.evaluate(TEXT_SIZES), page.evaluate(OUT_OF_REACH)
    for scheme in visitor.in_each_scheme():
        width[scheme] = page.evaluate(WIDTH)
        standing_out[scheme] = page.evaluate(STANDING_OUT)
        axe += visitor.axe(scheme)
    return OnAPhone(
        **visitor.seen(root, path, axe),
        width=width,
        standing_out=standing_out,
        text_sizes=text_sizes,
        out_of_reach=out_of_reach,
    )


def _prepare(page: Page) -> None:
    page.evaluate(Axe().axe_script)
    for script in (OPEN_ALL, LAY_OUT_ALL, READ_THROUGH):
        page.evaluate(script)


def _formulas(page: Page) -> Formulas | None:
    if not page.locator("math").count():
        return None
    # What is far off is not drawn, and needs no font.
    page.locator("math").first.scroll_into_view_if_needed()
    try:
        page.wait_for_function(FONT_IS_LOADED, arg=MATH_FONT, timeout=10_000)
        loaded = True
    except TimeoutError:
        loaded = False
    return Formulas(**page.evaluate(FORMULAS), loaded=loaded)
