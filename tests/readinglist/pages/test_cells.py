"""A cell's outputs as HTML: what is printed is text, what is shown keeps its kind and order."""

from __future__ import annotations

import lxml.html
import pytest

from readinglist.pages.cells import render_cell
from readinglist.running.run_checks import run_faults

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M 0 0" id="a"/></svg>'

# What IPython.display.Audio writes.
SOUND = """
<audio  controls="controls" >
    <source src="data:audio/mpeg;base64,SUQz
+/0=" type="audio/mpeg" />
    Your browser does not support the audio element.
</audio>
"""


def stream(text: str, name: str = "stdout") -> dict:
    return {"output_type": "stream", "name": name, "text": text}


def display(**data: str) -> dict:
    kinds = {"html": "text/html", "svg": "image/svg+xml", "png": "image/png", "plain": "text/plain"}
    shown = {kinds[name]: value for name, value in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": shown}


@pytest.fixture
def rendered(make_snippet, run_of, project_of):
    """The HTML of a cell that has these outputs."""

    def render(*outputs: dict, alt: str = "An image.", place: int = 1) -> str:
        snippet = make_snippet("thing", f'# %% draw alt="{alt}"\n1')
        project = project_of((snippet, run_of(snippet, {"draw": outputs})))
        html = render_cell(project, snippet, snippet.code["draw"], source=False, place=place)
        return html.removeprefix('<div class="outputs" data-search-exclude>').removesuffix("</div>")

    return render


def text_of(html: str) -> str:
    return lxml.html.fragment_fromstring(html, "div").text_content()


def test_a_source_is_a_block_with_the_exact_code(make_snippet, run_of, project_of):
    code = 'if 1 < 2 and "<b>":\n    x = "&amp;\\t"\n\n\n@f\ndef g(a, *b): ...'
    snippet = make_snippet("thing", f"# %% a\n{code}")
    html = render_cell(project_of((snippet, run_of(snippet))), snippet, snippet.code["a"])
    assert html.startswith('<div class="language-python highlight">')
    assert text_of(html) == code + "\n"
    assert "<b>" not in html


def test_what_is_printed_is_text(rendered):
    html = rendered(stream("<script>alert(1)</script> & more\n"))
    assert text_of(html) == "<script>alert(1)</script> & more\n"
    assert "<script" not in html
    assert 'class="output text"' in html


def test_what_depends_on_the_machine_is_marked(make_snippet, run_of, project_of):
    snippet = make_snippet("thing", '# %% clock tags=["demo", "timed"]\n1', "# %% not_timed\n2")
    run = run_of(snippet, {"clock": [stream("0.3 s\n")], "not_timed": [stream("2\n")]})
    project = project_of((snippet, run))
    clock, other = (render_cell(project, snippet, c, source=False) for c in snippet.code.values())
    assert text_of(clock).startswith("0.3 s\nMeasured when this site was built")
    assert '><div class="timed">' in clock
    assert text_of(other) == "2\n"


def test_a_warning_is_told_from_a_result(rendered):
    root = lxml.html.fragment_fromstring(rendered(stream("a\n"), stream("b\n", "stderr")), "div")
    assert [block.get("class") for block in root] == ["output text", "output stderr"]


@pytest.mark.parametrize(
    "coloured",
    [
        "\x1b[31mred\x1b[0m",
        "\x1b[1;38;5;200mred\x1b[m",
        "\x1b[?25lred\x1b[?25h",
        "\x1b[2Kred\x1b[1A",
        "\x1b]8;;https://example.org\x1b\\red\x1b]8;;\x1b\\",
        "\x1b]0;title\x07red",
    ],
)
def test_what_only_a_terminal_understands_is_left_out(rendered, coloured):
    assert text_of(rendered(stream(coloured + "\n"))) == "red\n"


def test_nothing_printed_is_nothing_shown(rendered):
    assert rendered(stream("\n"), stream("\x1b[0m")) == ""


def test_long_text_is_in_reach_of_the_keyboard(rendered):
    html = rendered(stream("line\n" * 15))
    assert '<code tabindex="0">' in html
    assert 'class="output text long"' in html
    assert "tabindex" not in rendered(stream("line\n" * 14))


def test_an_object_is_text_unless_it_says_otherwise(rendered):
    html = rendered(display(plain="<b>bold</b>"), display(plain="x", html="<b>bold</b>"))
    first, second = lxml.html.fragment_fromstring(html, "div")
    assert (first.text_content(), first.find(".//b")) == ("<b>bold</b>\n", None)
    assert second.get("class") == "output html"
    assert second.find("b").text == "bold"


def test_a_picture_carries_its_text(rendered):
    html = rendered(display(png="iVBO\nRw0=", plain="x"), alt="it's <b> & more")
    (image,) = lxml.html.fragment_fromstring(html, "div").iter("img")
    assert image.get("alt") == "it's <b> & more"
    assert image.get("src") == "data:image/png;base64,iVBORw0="


def test_a_figure_is_part_of_the_page(rendered):
    html = rendered(display(svg=SVG, plain="x"), alt="A line.")
    assert html.startswith('<figure class="output"><svg class="plot" ')
    assert 'role="img"' in html
    assert 'aria-label="A line."' in html


def test_a_sound_has_a_player_and_is_told_in_words(rendered):
    html = rendered(display(html=SOUND, plain="x"), alt="it's <b> & more")
    figure = lxml.html.fragment_fromstring(html)
    assert (figure.tag, figure.get("class")) == ("figure", "output sound")
    player, caption = figure
    assert player.get("src") == "data:audio/mpeg;base64,SUQz+/0="
    assert "controls" in player.attrib
    assert "autoplay" not in player.attrib
    assert player.get("aria-label") == caption.text == "it's <b> & more"


def test_several_outputs_keep_their_order(rendered):
    html = rendered(
        stream("a\n"), display(svg=SVG), stream("b\n"), display(html="<p>c</p>"), display(plain="d")
    )
    root = lxml.html.fragment_fromstring(html, "div")
    assert [block.tag for block in root] == ["div", "figure", "div", "div", "div"]
    assert root.text_content().split() == ["a", "b", "cd"]


def test_ids_differ_between_figures_and_between_places(rendered):
    used = SVG.replace("</svg>", '<use href="#a"/></svg>')
    html = rendered(display(svg=used), display(svg=used)) + rendered(display(svg=used), place=2)
    ids = lxml.html.fragment_fromstring(html, "div").xpath("//@id")
    assert ids == ["thing-draw-0-a", "thing-draw-1-a", "thing-draw-2-0-a"]
    assert lxml.html.fragment_fromstring(html, "div").xpath("//use/@href") == [f"#{i}" for i in ids]


@pytest.mark.parametrize(
    ("shown", "what", "remedy"),
    [
        ({"svg": SVG}, "shows an image", "what the image shows"),
        ({"png": "iVBORw0="}, "shows an image", "what the image shows"),
        ({"html": SOUND}, "plays a sound", "what is heard"),
    ],
)
def test_an_image_or_a_sound_without_text_is_a_fault(make_snippet, run_of, shown, what, remedy):
    snippet = make_snippet(
        "thing", "# %% plain\n1", '# %% draw tags=["demo"]\n1', '# %% said alt="Text."\n1',
        '# %% blank alt=" "\n1',
    )  # fmt: skip
    image = [display(**shown)]
    run = run_of(
        snippet, {"plain": [display(html="<p>1</p>")], "draw": image, "said": image, "blank": image}
    )
    assert [str(fault) for fault in run_faults(snippet, run)] == [
        f"{snippet.path}:{line}: cell '{name}' {what} without alternative text; "
        f'end its marker with alt="{remedy}"'
        for name, line in (("draw", 16), ("blank", 22))
    ]
