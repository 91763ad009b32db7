"""The reading path: a graph that needs no mouse, and progress that stays in the browser."""

import json
import re

import pytest
from playwright.sync_api import expect

WIDTHS = [(1280, "light"), (360, "dark")]


@pytest.fixture
def path(new_context, site):
    page = new_context(width=360, accept_downloads=True).new_page()
    page.goto(site.url + "path.html")
    return page


def test_every_resource_is_a_step_with_its_time_and_its_outcome(site, catalog):
    html = site.html("path.html")
    steps = html.xpath("//ol[contains(@class, 'path-steps')]/li")
    resources = catalog.resources
    assert len(steps) == len(resources) >= 5
    so_far = 0
    for step, resource in zip(steps, resources, strict=True):
        text = " ".join(step.text_content().split())
        so_far += resource.minutes
        assert resource.title in text
        assert f"{resource.minutes} minutes" in text
        assert resource.outcome[1:] in text
        if so_far > resource.minutes:
            assert f"{so_far} so far" in text


@pytest.mark.parametrize(("width", "scheme"), WIDTHS)
def test_the_graph_is_legible_and_inside_the_page(visit, width, scheme):
    page = visit("path.html", scheme, width)
    graph = page.locator("svg.path-graph")
    box = graph.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    sizes = graph.locator("text").evaluate_all(
        "texts => texts.map(t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a)"
    )
    assert min(sizes) >= 9, sizes
    outside = graph.locator("text").evaluate_all(
        "(texts, right) => texts.filter(t => t.getBoundingClientRect().right > right).length",
        width,
    )
    assert not outside


def test_the_keyboard_walks_through_the_graph_and_leads_to_each_step(path, catalog):
    path.locator("svg.path-graph a").first.focus()
    for resource in catalog.resources:
        assert path.evaluate("document.activeElement.dataset.step") == resource.slug
        ring = path.evaluate(
            "getComputedStyle(document.activeElement.querySelector('rect')).stroke"
        )
        assert ring not in ("none", ""), "nobody sees where the keyboard is"
        path.keyboard.press("Tab")
    path.locator("svg.path-graph a").last.focus()
    path.keyboard.press("Enter")
    last = catalog.resources[-1].slug
    path.wait_for_url(f"**#{last}")
    expect(path.locator(f"h2[id='{last}']")).to_be_in_viewport()


def test_what_is_read_is_kept_on_every_page(path, site, catalog):
    first, second = catalog.resources[:2]
    path.get_by_label("I have read this").first.check()
    expect(path.locator("#progress-text")).to_have_text(f"1 of {len(catalog.resources)} read.")
    path.goto(f"{site.url}resources/{first.slug}.html")
    expect(path.get_by_label("I have read this")).to_be_checked()
    path.goto(f"{site.url}resources/{second.slug}.html")
    path.get_by_label("I have read this").check()
    path.goto(site.url + "path.html")
    boxes = path.get_by_label("I have read this")
    expect(boxes.nth(0)).to_be_checked()
    expect(boxes.nth(1)).to_be_checked()
    expect(path.locator("[data-step].read")).to_have_count(2)


def test_progress_is_exported_reset_and_imported(path, tmp_path):
    path.get_by_label("I have read this").nth(2).check()
    with path.expect_download() as download:
        path.get_by_role("button", name="Export").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    days = json.loads(file.read_text())
    assert len(days) == 1
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", day) for day in days.values())
    path.get_by_role("button", name="Reset").click()
    expect(path.get_by_label("I have read this").nth(2)).not_to_be_checked()
    assert path.evaluate("localStorage.getItem('recurrent.read')") == "{}"
    path.get_by_role("button", name="Undo").click()
    expect(path.get_by_label("I have read this").nth(2)).to_be_checked()
    path.get_by_role("button", name="Reset").click()
    path.locator("input[type=file]").set_input_files(file)
    expect(path.get_by_label("I have read this").nth(2)).to_be_checked()


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "it is not JSON"), ('{"a": 1}', "it should hold days by name"), ("[]", "by name")],
)
def test_a_wrong_file_is_told_and_changes_nothing(path, tmp_path, text, told):
    path.get_by_label("I have read this").first.check()
    file = tmp_path / "wrong.json"
    file.write_text(text)
    path.locator("input[type=file]").set_input_files(file)
    expect(path.locator("#progress-text")).to_contain_text(told)
    expect(path.get_by_label("I have read this").first).to_be_checked()


def test_a_browser_that_keeps_nothing_still_shows_the_path(new_context, site):
    context = new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no') } })"
    )
    page = context.new_page()
    page.goto(site.url + "path.html")
    page.get_by_label("I have read this").first.check()
    expect(page.locator("#progress-text")).to_contain_text("1 of")


def test_without_scripts_nothing_pretends_to_work(new_context, site):
    page = new_context(java_script_enabled=False).new_page()
    page.goto(site.url + "path.html")
    expect(page.locator(".progress")).to_be_hidden()
    expect(page.get_by_label("I have read this").first).to_be_hidden()
    expect(page.locator("svg.path-graph a").first).to_be_visible()
