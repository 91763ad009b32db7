"""A sound can be played where it is shown, by everyone, and can be read instead."""

import pytest

PAGES = ("resources/deep-rnn-speech.html", "snippets/speech_features.html")


@pytest.fixture(params=PAGES)
def page(visit, request):
    return visit(request.param)


def test_it_plays_to_the_end(page):
    player = page.locator("figure.sound audio")
    assert player.count() == 1
    player.scroll_into_view_if_needed()
    player.evaluate(
        """player => new Promise((ended, failed) => {
            player.addEventListener("ended", ended);
            player.addEventListener("error", () => failed(player.error.message));
            player.muted = true;
            player.playbackRate = 4;
            player.play().catch(failed);
        })"""
    )
    duration, position = player.evaluate("player => [player.duration, player.currentTime]")
    assert 1 < duration < 3
    assert position == pytest.approx(duration, abs=0.05)


def test_it_waits_to_be_played_and_the_keyboard_reaches_it(page):
    player = page.locator("figure.sound audio")
    assert player.evaluate("player => player.paused && player.controls && !player.autoplay")
    player.focus()
    page.keyboard.press("Space")
    page.wait_for_function("() => !document.querySelector('figure.sound audio').paused")


def test_what_it_says_can_be_read(page):
    figure = page.locator("figure.sound")
    caption = figure.locator("figcaption").text_content()
    assert "Speak the speech" in caption
    assert figure.locator("audio").get_attribute("aria-label") == caption


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_the_page(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    player = page.locator("figure.sound audio")
    player.scroll_into_view_if_needed()
    box = player.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["height"] >= 32
