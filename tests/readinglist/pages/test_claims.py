"""Claims across snippets: shown when they hold, and told apart when they do not."""

from __future__ import annotations

import lxml.html
import pytest

from readinglist.pages.values import check_claims


@pytest.fixture
def runs(make_snippet, run_of):
    """Two runs, with a number each, and a text."""
    one, other = (make_snippet(name, "# %% a\n1") for name in ("one", "other"))
    return {"one": run_of(one, {}, {"x": 1.25}), "other": run_of(other, {}, {"y": 2, "s": "b"})}


def test_claims_that_hold_are_shown_in_one_line(runs):
    html, used = check_claims(["one.x:.1f < other.y", "other.y != one.x"], runs)
    text = lxml.html.fragment_fromstring(html).text_content()
    assert text == "Checked in this build: one.x 1.2 < other.y 2; other.y 2 != one.x 1.25"
    assert used == ["one", "other", "other", "one"]


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        ("one.x < other.y", True),
        ("one.x <= one.x", True),
        ("one.x < one.x", False),
        ("one.x > other.y", False),
        ("other.y >= other.y", True),
        ("one.x == other.y", False),
        ("other.s == other.s", True),
        ("other.s != other.s", False),
    ],
)
def test_each_sign_means_what_it_says(runs, line, holds):
    if holds:
        assert check_claims([line], runs)[1]
    else:
        with pytest.raises(ValueError, match=f"the claim '{line}' does not hold: "):
            check_claims([line], runs)


FORM = "a claim is two values with a sign between them, as in 'one.loss < other.loss'; found "


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["one.x > other.y"], "the claim 'one.x > other.y' does not hold: one.x is 1.25 and "
         "other.y is 2; say what is true, or find out why"),
        (["one.x < other.s"], "the claim 'one.x < other.s' compares a text with a number: one.x is "
         "1.25 and other.s is 'b'"),
        (["one.x ~ other.y"], f"{FORM}'one.x ~ other.y'; signs: < <= > >= == !="),
        (["one.x < other.y < one.x"], f"{FORM}'one.x < other.y < one.x'; signs: < <= > >= == !="),
        (["one.x < other.z"], "snippet 'other' has no value 'z'; it has: s, y"),
        (["one.x < othr.y"], "there is no snippet 'othr'; did you mean 'other'? It has: "
         "one, other"),
        (["one.x < 3"], "'[[3]]' is not a value; write [[snippet.name:format]]"),
        ([], "a claim block holds claims, a line each; found none"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(runs, lines, message):
    with pytest.raises(ValueError) as caught:
        check_claims(lines, runs)
    assert str(caught.value) == message
