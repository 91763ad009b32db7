"""The archive: the same bytes from two builds, and a site that works from the unpacked folder."""

import os
import subprocess
import sys
import zipfile

import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def archives(tmp_path_factory, copy_project, cache):
    """Two archives of one commit, made in two folders, one in another time zone."""
    made = []
    for zone in ("UTC", "Pacific/Auckland"):
        project = copy_project(tmp_path_factory.mktemp("archived"))
        environ = {**os.environ, "TZ": zone, "RECURRENT_CACHE": str(cache)}
        environ |= {"SOURCE_DATE_EPOCH": "1764201600"}
        target = project / "recurrent.zip"
        command = [sys.executable, "-m", "readinglist", "archive", str(target)]
        process = subprocess.run(
            command, cwd=project, env=environ, capture_output=True, text=True, check=False
        )
        assert process.returncode == 0, process.stderr
        made.append(target)
    return made


def test_two_builds_of_one_commit_give_the_same_bytes(archives):
    first, second = (zipfile.ZipFile(path) for path in archives)
    assert first.namelist() == second.namelist()
    different = [name for name in first.namelist() if first.read(name) != second.read(name)]
    assert not different
    assert archives[0].read_bytes() == archives[1].read_bytes()


def test_it_works_from_a_folder_without_a_network(archives, tmp_path, new_context):
    with zipfile.ZipFile(archives[0]) as archive:
        archive.extractall(tmp_path)
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
