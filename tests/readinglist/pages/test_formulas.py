"""Formulas: LaTeX in, MathML out, or a reason; and a font of the characters in use."""

from __future__ import annotations

import io

import pytest
from fontTools.ttLib import TTFont
from lxml import etree

from readinglist.pages import formulas
from readinglist.pages.formulas import (
    characters,
    html_characters,
    mark_dollars,
    math_font,
)
from readinglist.pages.formulas import to_mathml as to_coloured_mathml
from readinglist.pages.formulas import typeset as typeset_coloured

QUANTITIES = ("forget", "cell", "hidden")


def to_mathml(latex: str, display: str = "inline") -> str:
    return to_coloured_mathml(latex, display, "|".join(QUANTITIES))


def typeset(html: str) -> tuple[str, list[tuple[str, str]]]:
    return typeset_coloured(html, QUANTITIES)


def inline(latex: str) -> str:
    """A formula as pymdownx.arithmatex leaves it in a page."""
    return rf'<span class="arithmatex">\({latex}\)</span>'


def test_a_formula_becomes_mathml():
    assert to_mathml("x_t") == "<math><mrow><msub><mi>x</mi><mi>t</mi></msub></mrow></math>"
    assert to_mathml("x", "block").startswith('<math display="block">')


def test_a_quantity_has_its_colour():
    assert to_mathml(r"\forget{f_t} \odot \cell{C}").count("<mstyle ") == 2
    assert '<mstyle class="q-forget"><mrow><msub><mi>f</mi>' in to_mathml(r"\forget{f_t}")
    assert "mathcolor" not in to_mathml(r"\hidden{h}")


@pytest.mark.parametrize(
    "latex",
    [
        r"\left[ x \right]",
        r"\begin{matrix} a & b \\ c & d \end{matrix}",
        r"\{ x \mid x < 1 \}",
        r"12\% \text{ of } \sqrt[3]{x}",
        r"a \& b",
        r"\sum_{t=1}^{T} \hat{y}'_t",
    ],
)
def test_what_is_right_is_well_formed(latex):
    assert etree.QName(etree.fromstring(to_mathml(latex))).localname == "math"


@pytest.mark.parametrize(
    ("latex", "why"),
    [
        (r"\foo{x}", r"the formula '\foo{x}' uses \foo, which is not known"),
        (r"\frac{1}", r"the formula '\frac{1}' cannot be typeset: a part is missing (<mfrac> has "
         "1 of 2)"),
        ("{x", "the formula '{x' cannot be typeset: it has 1 '{' and 0 '}'"),
        ("x}", "the formula 'x}' cannot be typeset: it has 0 '{' and 1 '}'"),
        ("x_", "the formula 'x_' cannot be typeset: missing super script or subscript"),
        (r"\begin{matrix} a", r"the formula '\begin{matrix} a' cannot be typeset: missing end"),
        (r"\left( a", r"the formula '\left( a' cannot be typeset: extra left or missing right"),
        ("a & b", r"the formula 'a & b' cannot be typeset: '&' outside a table; write \&"),
        ("50% x", r"the formula '50% x' holds a %, which starts a comment; write \%"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(latex, why):
    with pytest.raises(ValueError) as caught:
        to_mathml(latex)
    assert str(caught.value) == why


def test_every_formula_of_a_page_is_typeset():
    block = '<div class="arithmatex">\\[\na &lt; b\n\\]</div>'
    page, problems = typeset(f"<p>{inline('x')} and {inline('y')}</p>{block}<p>$z$</p>")
    assert problems == []
    assert page.count("<math") == 3
    assert '<math display="block"><mrow><mi>a</mi><mo>&#x0003C;</mo>' in page
    assert "arithmatex" not in page
    assert page.endswith("<p>$z$</p>")


def test_every_formula_that_is_wrong_is_reported():
    page, problems = typeset(f"{inline('x_')}{inline('y')}{inline('{z')}")
    assert [latex for latex, _ in problems] == ["x_", "{z"]
    assert all(f"'{latex}' cannot be typeset" in why for latex, why in problems)
    assert "<mi>y</mi>" in page


@pytest.mark.parametrize(
    ("prose", "marked"),
    [
        ("<p>a $x_t$ b</p>", f"<p>a {inline('x_t')} b</p>"),
        ("$x$ and $y &lt; 1$", f"{inline('x')} and {inline('y &lt; 1')}"),
        ("$$\nx\n$$", '<div class="arithmatex">\\[\nx\n\\]</div>'),
        ("for $5 and $x$", f"for $5 and {inline('x')}"),
    ],
)
def test_the_formulas_of_a_snippets_prose_are_marked(prose, marked):
    assert mark_dollars(prose) == marked


@pytest.mark.parametrize(
    "prose",
    [
        "<code>$a$</code>",
        "<pre>$$a$$</pre>",
        "$5 and $6",
        "($5)</p><p>(6$)",
        r"\$5 and 6\$",
        "$ x $",
    ],
)
def test_other_dollars_are_left_alone(prose):
    assert mark_dollars(prose) == prose


def test_characters_are_written_out_but_markup_is_not():
    assert html_characters("&#x003C3;&#x0003C;&#x00026;") == "σ&#x0003C;&#x00026;"


def test_the_font_covers_formulas_and_drawings_and_nothing_else():
    page = (
        "<p>prose</p><math><mi>h</mi><mo>&#x0003C;</mo><mi>σ</mi></math>"
        '<svg class="drawing"><text class="sym end">C̃ₜ</text><text x="1">word</text>'
        '<text class="caption">as <tspan class="sym">Z</tspan></text></svg>'
        '<svg class="plot"><text>Q</text></svg>'
    )
    found = characters([page, "<math><mn>7</mn></math>"])
    assert {"h", "ℎ", "<", "σ", "𝜎", "C", "𝐶", "\u0303", "ₜ", "Z", "7"} <= set(found)
    assert not {"p", "r", "w", "a", "Q", " "} & set(found)
    assert list(found) == sorted(set(found))


def test_the_font_has_the_characters_that_it_is_made_for():
    cmap = TTFont(io.BytesIO(math_font("xσ∑"))).getBestCmap()
    assert {ord(char) for char in "xσ∑"} <= set(cmap)
    assert len(cmap) < 20


def test_another_font_file_is_noticed(tmp_path, monkeypatch):
    before = math_font("x")
    other = TTFont(formulas.FONT)
    other["name"].setName("Another", 1, 3, 1, 0x409)
    other.save(tmp_path / "another.ttf")
    monkeypatch.setattr(formulas, "FONT", tmp_path / "another.ttf")
    assert math_font("x") != before
