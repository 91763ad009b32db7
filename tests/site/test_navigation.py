"""Every page is reached, says where it is, and leads on; no link leads nowhere."""

import re
from collections import Counter
from posixpath import dirname, normpath
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from playwright.sync_api import expect

TABS = {"The list": "index.html", "Resources": "resources/", "Snippets": "snippets/"}
TABS |= {"What's new": "whats-new.html"}


def test_the_sitemap_lists_every_page(site):
    sitemap = (site.folder / "sitemap.xml").read_text(encoding="utf-8")
    listed = re.findall(r"<loc>(.*?)</loc>", sitemap)
    assert sorted(listed) == sorted(site.canonical + page for page in site.pages)


def test_every_resource_and_snippet_has_a_page(site, catalog):
    annotated = [r.slug for r in catalog.resources if r.annotated]
    assert site.resource_pages == sorted(f"resources/{slug}.html" for slug in annotated)
    assert site.snippet_pages == sorted(f"snippets/{n}.html" for n in catalog.snippets)
    assert site.resource_pages
    assert site.snippet_pages


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_opens_its_part_and_marks_it(visit, site, tab):
    page = visit("index.html")
    page.locator(".md-tabs__link", has_text=tab).click()
    path = page.url.removeprefix(site.url)
    assert path.startswith(TABS[tab]), f"the tab '{tab}' opens {path}"
    expect(page.locator(".md-tabs__item--active")).to_have_text(re.compile(rf"^\s*{tab}\s*$"))


def test_the_sidebar_lists_the_part_and_marks_the_page(visit, site):
    for part in (site.resource_pages, ["snippets/index.html", *site.snippet_pages]):
        page = visit(part[-1])
        sidebar = page.locator(".md-sidebar--primary .md-nav--primary")
        links = sidebar.locator(".md-nav__item--active .md-nav__list a.md-nav__link")
        linked = [urljoin(page.url, href) for href in _visible_hrefs(links)]
        # The table of contents stands in the same list on phones; its links are fragments.
        linked = [url for url in linked if "#" not in url]
        assert sorted(linked) == sorted(site.url + path for path in part)
        active = sidebar.locator("a.md-nav__link--active:visible")
        assert urljoin(page.url, active.last.get_attribute("href")) == page.url


def _visible_hrefs(links):
    return [a.get_attribute("href") for a in links.all() if a.is_visible()]


def test_at_a_desk_the_tabs_take_the_place_of_the_drawer(visit):
    page = visit("index.html")
    expect(page.locator(".md-tabs")).to_be_visible()
    expect(page.get_by_role("button", name="Menu")).to_be_hidden()


def test_on_a_phone_the_drawer_leads_to_another_page(visit, site):
    page = visit("index.html", width=360)
    drawer = page.locator(".md-sidebar--primary")
    expect(drawer).not_to_be_in_viewport()
    page.get_by_role("button", name="Menu").click()
    expect(drawer).to_be_in_viewport()
    drawer.get_by_role("link", name="Snippets").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Snippets")


def test_next_and_previous_pass_every_page_once(site):
    forth = _walk(site, "index.html", "next")
    assert sorted(forth) == site.pages, "the chain of 'Next' misses a page"
    assert _walk(site, forth[-1], "prev") == forth[::-1]


def _walk(site, path, direction):
    """The pages that the links at the foot lead through, to the last or to one seen before."""
    walked = []
    while path not in walked:
        walked.append(path)
        links = site.html(path).xpath(
            f"//a[contains(@class, 'md-footer__link--{direction}')]/@href"
        )
        if not links:
            return walked
        path, _ = _target(site, path, links[0])
    pytest.fail(f"'{direction}' leads in a circle: {walked} {path}")


def test_next_opens_the_page_that_it_names(visit, site):
    page = visit(site.resource_pages[0])
    link = page.locator("a.md-footer__link--next")
    name = link.locator(".md-footer__title .md-ellipsis").inner_text()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def test_the_table_of_contents_is_that_of_the_page(site):
    with_contents = 0
    for path in site.pages:
        html = site.html(path)
        contents = html.xpath("//div[@data-md-type='toc'][not(@hidden)]")
        if not contents:
            continue
        listed = contents[0].xpath(".//li/a/@href")
        # A snippet's page lists its cells, any other page its headings.
        listable = "@class='cell-name'" if path in site.snippet_pages else "a[@class='headerlink']"
        headings = html.xpath(f"//article//*[self::h2 or self::h3][{listable}]/@id")
        assert listed == [f"#{heading}" for heading in headings], path
        with_contents += bool(listed)
    assert with_contents >= len(site.resource_pages + site.snippet_pages)


def test_a_heading_is_reached_from_the_table_of_contents(visit, site):
    page = visit(site.resource_pages[0])
    link = page.locator(".md-sidebar--secondary a.md-nav__link").last
    heading = page.locator(f"[id='{link.get_attribute('href').removeprefix('#')}']")
    expect(heading).not_to_be_in_viewport()
    link.click()
    expect(heading).to_be_in_viewport()
    hidden_by_header = page.locator(".md-header").bounding_box()["height"]
    assert heading.bounding_box()["y"] >= hidden_by_header, "the header covers the heading"


def test_every_internal_link_leads_somewhere(site):
    names = {path: _names(site.html(path)) for path in site.opened_pages}
    broken = []
    checked = 0
    for path in names:
        for href in site.html(path).xpath("//*/@href | //*/@src"):
            target = _target(site, path, href)
            if target is None:
                continue
            checked += 1
            file, fragment = target
            if not (site.folder / file).is_file():
                broken.append(f"{path}: {href} leads to no file")
            elif fragment and fragment not in names.get(file, ()):
                broken.append(f"{path}: {href} leads to no id in {file}")
    assert checked > 20 * len(site.pages)
    assert not broken, "mend or remove these links:\n" + "\n".join(broken)


def _names(html):
    return set(html.xpath("//@id | //a/@name"))


def _target(site, path, href):
    """The file and the fragment that a link on a page leads to, or None if it leads elsewhere."""
    parts = urlsplit(href)
    if href.startswith(site.canonical):
        parts = urlsplit(href.removeprefix(site.canonical.rstrip("/")))
    elif parts.scheme or parts.netloc:
        return None
    root = urlsplit(site.canonical).path
    file = unquote(parts.path)
    if file.startswith(root):
        file = file.removeprefix(root)
    elif href.startswith(site.canonical):
        file = file.removeprefix("/")
    elif file:
        file = normpath(f"{dirname(path)}/{file}" if dirname(path) else file)
    return file or path, unquote(parts.fragment)


def test_every_reference_within_a_page_is_to_one_thing(site):
    """Labels, titles of drawings, arrow heads, clipping paths: ids that exist, once each."""
    for path in site.opened_pages:
        html = site.html(path)
        repeated = [name for name, count in Counter(html.xpath("//@id")).items() if count > 1]
        assert not repeated, f"{path} has these ids twice: {repeated}"
        names = _names(html)
        used = html.xpath("//label/@for | //@aria-controls")
        used += " ".join(html.xpath("//@aria-labelledby | //@aria-describedby")).split()
        used += re.findall(r"url\(#([^)]+)\)", " ".join(map(str, html.xpath("//svg//@*"))))
        missing = sorted({str(name) for name in used} - names)
        assert not missing, f"{path} refers to ids that it does not have: {missing}"


@pytest.mark.parametrize("address", ["no-such-page.html", "resources/deep/er/none.html"])
def test_a_mistyped_address_gets_a_page_that_leads_on(visit, site, address):
    page = visit("index.html")
    response = page.goto(address)
    assert response.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    visit("index.html")
    styled = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == styled, "the 404 page is not styled; its links must start at the root"
    page.goto(address)
    page.locator("article").get_by_role("link", name="gallery").click()
    assert page.url == f"{site.url}snippets/index.html"


def test_each_page_has_a_title_and_an_address_of_its_own(site):
    titles = Counter()
    for path in site.pages:
        html = site.html(path)
        assert html.get("lang") == "en", path
        assert len(html.xpath("//h1")) == 1, f"{path} needs one h1"
        (title,) = html.xpath("/html/head/title/text()")
        heading = " ".join(html.xpath("//h1")[0].text_content().split()).rstrip("¶")
        assert heading in title, f"{path}: the title '{title}' does not name '{heading}'"
        (canonical,) = html.xpath("//link[@rel='canonical']/@href")
        assert canonical == site.canonical + path
        titles[title] += 1
    assert max(titles.values()) == 1, titles.most_common(3)


def test_each_page_is_described_in_its_own_words(site, catalog):
    written = {f"snippets/{s.name}.html": s.summary for s in catalog.snippets.values()}
    written |= {f"resources/{r.slug}.html": r.why for r in catalog.resources}
    wrong, seen = [], Counter()
    for path in site.pages:
        (description,) = site.html(path).xpath("//meta[@name='description']/@content")
        seen[description] += 1
        if description != written.get(path, description):
            wrong.append(f"{path}\n  has   {description}\n  wants {written[path]}")
        if not 50 <= len(description) <= 500:
            wrong.append(f"{path}: {len(description)} characters; 50 to 500 are allowed")
    assert not wrong, "these descriptions are wrong (an unescaped quote?):\n" + "\n".join(wrong)
    assert max(seen.values()) == 1, seen.most_common(3)


def test_the_favicon_exists(site):
    for path in site.opened_pages:
        (icon,) = site.html(path).xpath("//link[@rel='icon']/@href")
        file, _ = _target(site, path, icon)
        assert (site.folder / file).read_text(encoding="utf-8").lstrip().startswith("<svg"), path


def test_the_edit_link_leads_to_the_source(site, project):
    for path in site.pages:
        (edit,) = site.html(path).xpath("//a[@rel='edit']/@href")
        source = edit.split("/edit/main/")[1]
        assert (project / source).is_file(), f"{path}: {edit} is no file of the project"
        stem = path.removesuffix(".html")
        expected = f"{stem}.py" if path in site.snippet_pages else f"docs/{stem}.md"
        assert source == expected, path
