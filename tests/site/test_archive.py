"""The archive: the same bytes as the site has, and a site that works from the unpacked folder."""

import zipfile

import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def archive(tmp_path_factory, copy_project, call, built):
    """The archive of the tested sources, made in another folder and another time zone."""
    project = copy_project(tmp_path_factory.mktemp("archived"))
    target = project / "recurrent.zip"
    made = call(project, "readinglist", "archive", target, TZ="Pacific/Auckland")
    assert made.status == 0, made.output
    return target


def test_two_builds_of_the_same_sources_give_the_same_bytes(archive, site):
    """But for what tells who ran the snippets. That a ZIP file hangs on the files in it alone is
    told by tests/readinglist/commands/test_archive.py."""
    with zipfile.ZipFile(archive) as packed:
        of_archive = {
            name.removeprefix("recurrent/"): _by_whoever(packed.read(name))
            for name in packed.namelist()
        }
    paths = (path for path in site.folder.rglob("*") if path.is_file())
    of_site = {
        path.relative_to(site.folder).as_posix(): _by_whoever(path.read_bytes()) for path in paths
    }
    assert of_archive.keys() == of_site.keys()
    different = [name for name, content in of_archive.items() if content != of_site[name]]
    assert not different


def _by_whoever(content: bytes) -> bytes:
    return content.replace(b"run by this build", b"stored by an earlier build")


def test_it_works_from_a_folder_without_a_network(archive, tmp_path, new_context):
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path)
    root = (tmp_path / "recurrent").as_uri() + "/"
    context = new_context(offline=True)
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(root + "index.html")
    # Navigation.
    page.get_by_role("link", name="Reading path").first.click()
    page.wait_for_url(root + "path.html")
    page.locator("svg.path-graph a[data-step='deep-rnn-speech']").click()
    page.locator("h2[id='deep-rnn-speech'] a").first.click()
    page.wait_for_url(root + "resources/deep-rnn-speech.html")
    # Math, in its own font.
    formula = page.locator("math[display=block]").first
    formula.scroll_into_view_if_needed()
    page.wait_for_function("() => [...document.fonts].some(f => f.status === 'loaded')")
    assert formula.bounding_box()["height"] > 15
    # Figures.
    figure = page.locator("figure.output svg.plot").first
    figure.scroll_into_view_if_needed()
    assert figure.bounding_box()["height"] > 100
    # Sound.
    sound = page.locator("audio").first
    sound.scroll_into_view_if_needed()
    sound.evaluate("audio => { audio.muted = true; return audio.play() }")
    page.wait_for_function("() => document.querySelector('audio').currentTime > 0.1")
    # Search.
    box = page.get_by_role("textbox", name="Search")
    box.press_sequentially("peephole")
    link = page.locator(".md-search-result__link[href*='glossary.html']").first
    expect(link).to_be_attached()
    link.click()
    page.wait_for_url(root + "glossary.html**")
    outside = [url for url in asked if not url.startswith((root, "data:", "blob:", "about:"))]
    assert not outside
