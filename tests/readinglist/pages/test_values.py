"""Numbers in prose: formats, signs, formulas, and every way of asking for what is not there."""

from __future__ import annotations

import html
import re
from collections import namedtuple

import pytest

from readinglist.pages.values import fill_values

VALUES = {"loss": 0.01234, "tiny": -1.5e-7, "large": 2.5e10, "count": 1234567, "share": 0.125,
          "flag": True, "name": "a_b *c* $x$ [d](e) <i> `f` | 1e-05", "lines": "one\n\ntwo",
          "σ": 3}  # fmt: skip
REFUSED = {"weights": "a Tensor that is not a single number", "nan": "not finite (nan)",
           "module": "a module"}  # fmt: skip

Filled = namedtuple("Filled", "text used problems")


@pytest.fixture
def filled(make_snippet, run_of):
    """A text with the values of one snippet, `net`, filled in."""
    run = run_of(make_snippet("net", "# %% a\n1"), values=VALUES)
    run.values.update({name: {"refused": why} for name, why in REFUSED.items()})
    return lambda text: Filled(*fill_values(text, {"net": run}))


@pytest.fixture
def shown(filled):
    """What a reader sees of a text without Markdown."""

    def read(text: str) -> str:
        result = filled(text)
        assert result.problems == []
        return html.unescape(re.sub(r"<span[^>]*>|</span>", "", result.text))

    return read


@pytest.fixture
def problem(filled):
    """What is wrong with a text that has one mistake."""

    def read(text: str) -> str:
        ((_, message),) = filled(text).problems
        return message

    return read


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ("net.loss", "0.01234"),
        ("net.loss:.1e", "1.2 × 10<sup>−2</sup>"),
        ("net.tiny", "−1.5 × 10<sup>−7</sup>"),
        ("net.large:.1e", "2.5 × 10<sup>10</sup>"),
        ("net.large:e", "2.500000 × 10<sup>10</sup>"),
        ("net.share:.0%", "12%"),
        ("net.share:.1%", "12.5%"),
        ("net.count:,", "1,234,567"),
        ("net.count:_", "1_234_567"),
        ("net.tiny:.1f", "−0.0"),
        ("net.loss:+.2f", "+0.01"),
        ("net.flag", "True"),
        ("net.name", VALUES["name"]),
        ("net.σ", "3"),
    ],
)
def test_a_value_in_prose(shown, asked, seen):
    assert shown(f"It is [[{asked}]] there.") == f"It is {seen} there."


@pytest.mark.parametrize(
    ("asked", "latex"),
    [
        ("net.tiny", r"-1.5\times 10^{-7}"),
        ("net.large:.1e", r"2.5\times 10^{10}"),
        ("net.share:.1%", r"12.5\%"),
        ("net.count:,", r"1\text{,}234\text{,}567"),
        ("net.count:_", r"1\_234\_567"),
    ],
)
@pytest.mark.parametrize(
    "around",
    [
        "$x = {}$",
        "a $y$ and $x = {} + \\$$ b",
        "$$\nx = {}\n$$",
        "$$x = {}$$",
        "$a\n= {}$",
        "\\$3, ${}$",
    ],
)
def test_a_value_in_a_formula_is_latex(filled, asked, latex, around):
    result = filled(around.replace("{}", f"[[{asked}]]"))
    assert result.text == around.replace("{}", latex)


@pytest.mark.parametrize(
    "around",
    [
        "$x$ is {} and $y$",
        "costs $5 and {} or $6",
        "\\$x {} \\$y",
        "`$` {} `$`",
        "$a\n\n{} b$",
        "$$a$$ {}",
    ],
)
def test_a_value_between_formulas_is_prose(filled, around):
    assert '<span class="value"' in filled(around.replace("{}", "[[net.loss]]")).text


def test_a_value_says_where_it_comes_from(filled):
    result = filled("[[net.loss:.2f]]")
    assert result.text == '<span class="value" title="computed by net.py: loss">0.01</span>'
    assert result.used == ["net"]


def test_a_text_is_not_read_as_markup(filled):
    for name in ("name", "lines"):
        inner = re.search(">(.*)</span>", filled(f"[[net.{name}]]").text, re.DOTALL)[1]
        assert html.unescape(inner) == VALUES[name]
        assert not set("*_$[]()<>`|\n") & set(inner)


@pytest.mark.parametrize(
    "text",
    [
        "`[[net.loss]]`",
        "``a ` [[net.none]]``",
        "`a\n[[nothing]]`",
        "no [net.loss] here",
        "[x][[net.loss]",
    ],
)
def test_what_is_code_or_something_else_stays_as_it_is(filled, text):
    result = filled(text)
    assert (result.text, result.problems, result.used) == (text, [], [])


def test_a_stray_backtick_does_not_reach_into_the_next_paragraph(filled):
    assert filled("a ` b\n\n[[net.loss]] ` c").used == ["net"]


def test_problems_have_the_line_in_the_text_and_come_together(filled):
    result = filled("a\n[[net.los]] and [[ne.loss]]\nb\n[[net.loss]] [[x]]")
    assert [line for line, _ in result.problems] == [1, 1, 3]
    assert result.used == ["net"]


KNOWN = "count, flag, large, lines, loss, name, share, tiny, σ"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("nett.loss", "there is no snippet 'nett'; did you mean 'net'? It has: net"),
        ("xyz.loss", "there is no snippet 'xyz'; it has: net"),
        ("net.los", f"snippet 'net' has no value 'los'; did you mean 'loss'? It has: {KNOWN}"),
        ("net.weights", "the value net.weights is a Tensor that is not a single number; "
         "a page shows finite numbers and short texts"),
        ("net.nan", "the value net.nan is not finite (nan); a page shows finite numbers and "
         "short texts"),
        ("net.module", "the value net.module is a module; a page shows finite numbers and "
         "short texts"),
        ("net.loss:d", "'[[net.loss:d]]': 0.01234 cannot be shown as 'd': Unknown format code 'd' "
         "for object of type 'float'; a format is like .1e, .2f, .0% or ,"),
        ("net.count:c", "'[[net.count:c]]': 1234567 cannot be shown as 'c': "
         "%c arg not in range(0x110000); a format is like .1e, .2f, .0% or ,"),
        ("net", "'[[net]]' is not a value; write [[snippet.name:format]]"),
        ("net.a.b", "'[[net.a.b]]' is not a value; write [[snippet.name:format]]"),
        ("net.loss:", "'[[net.loss:]]' is not a value; write [[snippet.name:format]]"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_shown(problem, asked, message):
    assert problem(f"It is [[{asked}]].") == message
