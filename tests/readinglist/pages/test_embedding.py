"""Cells, drawings and lists in pages, taken through the project's own Markdown."""

from __future__ import annotations

from pathlib import Path

import lxml.html
import markdown
import pytest
from mkdocs.utils.yaml import yaml_load

from readinglist.faults import Faults
from readinglist.pages.embedding import Page, embed, html_fence

CODE = '''def step(x):
    """Say <b>what</b> & *why*."""

    return "`~`\\t[[step.x]]", x  # _not_ emphasis


    # a comment after blank lines'''
PRINTED = "a\tb\n~~~~~~~~\n~~~~~~~~~~~~\n\n<script>alert(1)</script>\n- *no* list\n    indented\n"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'viewBox="0 0 9 9"><defs><path id="m" d="M 0 0"/></defs><use xlink:href="#m"/></svg>'
)


def stream(text: str) -> dict:
    return {"output_type": "stream", "name": "stdout", "text": text}


def figure() -> dict:
    data = {"image/svg+xml": SVG, "text/plain": "<Figure>"}
    return {"output_type": "display_data", "metadata": {}, "data": data}


@pytest.fixture
def project(make_snippet, run_of, project_of):
    """Two snippets: `step` prints and draws, `other` does nothing."""
    step = make_snippet("step", f"# %% define\n{CODE}", '# %% draw alt="Lines."\nstep(1)')
    shown = [stream(PRINTED), figure(), figure()]
    other = make_snippet("other", "# %% only\ny = 1")
    return project_of((step, run_of(step, {"draw": shown}, {"x": 0.5})), (other, run_of(other)))


@pytest.fixture
def page():
    """A page of this text, with a list of its own kind."""

    def make(text: str, before: int = 0) -> Page:
        lists = {"resources": lambda: "<p>the list</p>"}
        return Page(Path("docs/p.md"), text, before, lambda path: f"../{path}", lists)

    return make


@pytest.fixture(scope="module")
def to_html(root):
    """The project's Markdown, with the fence that the adapter registers."""
    extensions, settings = ["toc", "tables", "fenced_code"], {}
    for entry in yaml_load((root / "mkdocs.yml").read_text())["markdown_extensions"]:
        name, options = next(iter(entry.items())) if isinstance(entry, dict) else (entry, {})
        extensions.append(name)
        settings[name] = options or {}
    embedded: dict[str, str] = {}
    settings["pymdownx.superfences"] = {"custom_fences": [html_fence(embedded)]}
    # MkDocs adds the first three itself, unless the project has set them up.
    unique = list(dict.fromkeys(extensions))

    def convert(text: str, page: Page) -> lxml.html.HtmlElement:
        embedded.update(page.embedded)
        converted = markdown.markdown(text, extensions=unique, extension_configs=settings)
        return lxml.html.fragment_fromstring(converted, "main")

    return convert


@pytest.fixture
def shown(page, project, to_html):
    """The HTML of a page of this text."""

    def show(text: str) -> lxml.html.HtmlElement:
        made = page(text)
        return to_html(embed(made, project), made)

    return show


@pytest.fixture
def wrong(page, project):
    """What is wrong with a page of this text."""

    def check(text: str, before: int = 0) -> list[str]:
        with pytest.raises(Faults) as caught:
            embed(page(text, before), project)
        return [str(fault) for fault in caught.value.faults]

    return check


def block(content: str, options: str = "", kind: str = "cell") -> str:
    return f"```{kind} {options}\n{content}\n```"


def indented(text: str) -> str:
    return "\n".join("    " + line for line in text.split("\n"))


PLACES = {
    "the page": ("{}", "main"),
    "below text": ("Text.\n\n{}\n\nMore.", "main"),
    "an admonition": ('!!! note "Title"\n\n    Text.\n\n{indented}\n\n    More.', "div"),
    "a list item": ("1.  Text.\n\n{indented}\n\n2.  More.", "li"),
    "details": ('??? question "Why?"\n\n    Text.\n\n{indented}\n', "details"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_cell_survives_markdown_wherever_it_stands(shown, place):
    text, tag = PLACES[place]
    cells = block("step#define") + "\n\n" + block("step#draw", "output")
    root = shown(text.replace("{indented}", indented(cells)).replace("{}", cells))
    define, draw = root.xpath("//div[@class='cell']")
    assert define.getparent().tag == draw.getparent().tag == tag
    assert define.xpath(".//code")[0].text_content() == CODE + "\n"
    assert draw.xpath(".//code")[0].text_content() == PRINTED
    assert len(draw.xpath(".//figure/svg")) == 2
    assert not root.xpath("//script | //em | //code//ul")
    assert root.text_content().count("Text.") == text.count("Text.")


@pytest.mark.parametrize("fence", ["```", "````", "~~~"])
def test_any_fence_will_do(shown, fence):
    root = shown(f"{fence} cell\n\nother#only\n\n{fence}")
    assert root.xpath("//code")[0].text_content() == "y = 1\n"


def test_source_output_both_and_folded(shown):
    def parts(options: str) -> list[str]:
        (cell,) = shown(block("step#draw", options)).xpath("//*[contains(@class, 'cell')]")
        kinds = [cell.tag]
        kinds += ["source"] * bool(cell.xpath("div[contains(@class, 'language-python')]"))
        return kinds + ["output"] * bool(cell.xpath("div[@class='outputs']"))

    assert parts("") == parts("source output") == ["div", "source", "output"]
    assert parts("source") == ["div", "source"]
    assert parts("output") == ["div", "output"]
    assert parts("folded") == ["details", "source", "output"]
    assert parts("folded output") == ["details", "output"]


def test_a_folded_cell_is_closed_and_named(shown):
    (details,) = shown(block("step#define", "folded")).xpath("//details")
    assert details.get("open") is None
    assert details.find("summary").text_content() == "The code: define"


def test_a_cell_without_output_has_no_empty_box(shown):
    assert not shown(block("other#only")).xpath("//div[@class='outputs']")


def test_every_cell_links_to_its_snippet(shown):
    root = shown(block("step#define") + "\n\n" + block("step#draw", "folded output"))
    assert root.xpath("//*[@class='origin']/a/@href") == [
        "../snippets/step.ipynb#define",
        "../snippets/step.ipynb#draw",
    ]


def test_ids_do_not_clash_though_a_cell_stands_twice(shown):
    root = shown("\n\n".join([block("step#draw"), block("step#draw", "output"), "# Title"]))
    ids = root.xpath("//@id")
    assert len(ids) == len(set(ids)) == 5  # two figures in two places, and the heading
    used = root.xpath("//use/@*[contains(., '#')]")
    assert [reference.removeprefix("#") for reference in used] == root.xpath("//path/@id")


def test_a_page_knows_which_snippets_it_shows_in_order(page, project):
    text = page("[[step.x]] [[step.x]]\n\n" + block("other#only") + "\n\n" + block("step#draw"))
    embed(text, project)
    assert text.used == ["step", "other"]


def test_a_drawing_with_its_caption(shown, root):
    (drawing, *_) = sorted((root / "docs/assets/drawings").glob("*.svg"))
    (figure,) = shown(block(f"{drawing.stem}\nA <b>\ncaption.", kind="drawing")).xpath("//figure")
    assert figure.find("figcaption").text_content() == "A <b> caption."
    assert figure.find("svg/title").text


def test_a_list_stands_where_it_is_asked_for(shown):
    assert shown(block("", kind="resources")).xpath("//p/text()") == ["the list"]


@pytest.mark.parametrize("sign", ["==", "<=", ">="])
def test_a_claim_that_holds_is_shown_with_its_values(shown, sign):
    (claim,) = shown(block(f"step.x:.2f {sign} step.x", kind="claim")).find_class("claim")
    expected = f"Checked in this build: step.x 0.50 {sign} step.x 0.5"
    assert claim.text_content() == expected
    assert claim.xpath("span/@title") == ["computed by step.py: x"] * 2


def test_the_snippets_of_a_claim_are_used_by_the_page(page, project):
    text = page(block("step.x != other.y\nother.y > step.x", kind="claim"))
    project.runs["other"].values["y"] = {"value": 1}
    embed(text, project)
    assert text.used == ["step", "other"]


def test_a_value_in_a_table_a_heading_and_a_formula(shown):
    root = shown("# A [[step.x]]\n\n| a |\n|---|\n| [[step.x:.0%]] |\n\nAnd $x = [[step.x]]$.")
    assert root.xpath("//h1/span/text() | //td/span/text()") == ["0.5", "50%"]
    assert root.xpath("//span[@class='arithmatex']/text()") == [r"\(x = 0.5\)"]


def test_code_stays_as_it_is(shown):
    fenced = "```python\n[[step.none]]\n```\n\n~~~~ markdown\n```cell\nno#cell\n```\n~~~~"
    text = f"`[[step.x]]`\n\n{fenced}"
    root = shown(text)
    assert [code.text_content().strip() for code in root.xpath("//code")] == [
        "[[step.x]]",
        "[[step.none]]",
        "```cell\nno#cell\n```",
    ]


def test_text_without_anything_of_ours_is_not_touched(page, project):
    text = "\n\n# A\n\n  b  \n```\nx\n```\n\n\n- `c`\n\n"
    assert embed(page(text), project) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (block("stepp#define"), "there is no snippet 'stepp'; did you mean 'step'? "
         "It has: other, step"),
        (block("xyz#define"), "there is no snippet 'xyz'; it has: other, step"),
        (block("step#defin"), "snippet 'step' has no cell 'defin'; did you mean 'define'? "
         "It has: define, draw"),
        (block("step"), "a cell block holds one line, snippet#cell; found 'step'"),
        (block("a#b#c"), "a cell block holds one line, snippet#cell; found 'a#b#c'"),
        (block(""), "a cell block holds one line, snippet#cell; found 0 lines"),
        (block("step#define\nstep#draw"), "a cell block holds one line, snippet#cell; found 2 "
         "lines; is it closed?"),
        (block("step#define", "outputs"), "'outputs' is not an option of a cell block; allowed: "
         "source, output, folded"),
        (block("x", "wide", "resources"), "'wide' is not an option of a resources block; "
         "allowed: none"),
        (block("forget-gat", "wide", "drawing"), "'wide' is not an option of a drawing block; "
         "allowed: none"),
        (block("step.x < step.y", kind="claim"), "snippet 'step' has no value 'y'; it has: x"),
        ("```cell\nstep#define", "this 'cell' block is not closed; end it with ```"),
        ("~~~~\ncode", "this 'fenced' block is not closed; end it with ~~~~"),
        ("[[step.y]]", "snippet 'step' has no value 'y'; it has: x"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_with_its_line(wrong, text, message):
    assert wrong(f"# Title\n\nText.\n\n{text}", before=7) == [f"docs/p.md:12: {message}"]


def test_a_wrong_drawing_has_the_nearest_name(wrong):
    (line,) = wrong(block("forget-gat", kind="drawing"))
    assert line.startswith(
        "docs/p.md:1: there is no drawing 'forget-gat'; did you mean 'forget-gate'?"
    )


def test_a_block_without_an_end_takes_the_next_one_and_says_so(wrong):
    text = f"```cell\nstep#define\n\nText.\n\n{block('other#only')}\n"
    assert wrong(text) == [
        "docs/p.md:1: a cell block holds one line, snippet#cell; found 4 lines; is it closed?"
    ]


def test_all_faults_of_a_page_come_together_with_their_lines(wrong):
    parts = [
        "[[step.y]] [[no.x]]",
        "",
        block("step#no"),
        "",
        "a",
        "[[x]]",
        "```cell",
        "step#define",
    ]
    assert [line.split(": ")[0] for line in wrong("\n".join(parts), before=3)] == [
        "docs/p.md:4",
        "docs/p.md:4",
        "docs/p.md:6",
        "docs/p.md:11",
        "docs/p.md:12",
    ]
