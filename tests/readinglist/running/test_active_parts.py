"""Nothing that a contribution puts on a page acts there, and what is text stays as it was."""

from __future__ import annotations

import lxml.html
import pytest

from readinglist.pages.cells import clean_output
from readinglist.running.outputs import Shown
from readinglist.running.run_checks import active_parts, run_faults

ATTACKS = {
    "<script>alert(1)</script>": "<script>",
    "<SCRIPT src=x.js></SCRIPT>": "<script>",
    '<p onclick="alert(1)">x</p>': "the attribute onclick in <p>",
    "<img src=x onerror=alert(1)>": "the attribute onerror in <img>",
    '<a href="javascript:alert(1)">x</a>': "the address 'javascript:alert(1)' in <a>",
    '<a href=" java\nscript:alert(1)">x</a>': "the address 'java\nscript:alert(1)' in <a>",
    '<a href="data:text/html,x">x</a>': "the address 'data:text/html,x' in <a>",
    '<iframe srcdoc="x"></iframe>': "<iframe>",
    '<form action="https://e.org"><button>x</button></form>': "<form>",
    '<base href="https://e.org/">': "<base>",
    '<meta http-equiv="refresh" content="0;url=https://e.org">': "<meta>",
    '<p style="background: url(https://e.org/x)">x</p>': "a style that loads something, in <p>",
    "<svg><a><animate attributeName='href' values='javascript:1'/></a></svg>": "<animate>",
    "<object data=x></object>": "<object>",
}
HARMLESS = [
    "plain text with 3 < 4",
    '<a href="https://e.org">out</a> <a href="../x.html#y">in</a> <a href="mailto:a@b.org">m</a>',
    '<p style="color: red">x</p><svg style="clip-path: url(#a)"></svg>',
    "<pre>onclick=1 javascript:alert(1)</pre>",
    "&lt;script&gt;",
]


@pytest.mark.parametrize("html", ATTACKS)
def test_what_acts_is_named(html):
    assert ATTACKS[html] in list(active_parts(Shown.HTML, f"<p>before</p>{html}"))


@pytest.mark.parametrize("html", HARMLESS)
def test_what_is_text_is_not(html):
    assert list(active_parts(Shown.HTML, html)) == []


@pytest.mark.parametrize("html", ATTACKS)
def test_an_output_is_cleaned_of_it_as_well(html):
    cleaned = clean_output(f"<p>before</p>{html}")
    assert list(active_parts(Shown.HTML, cleaned.replace(" style=", " data-style="))) == []
    assert "alert" not in cleaned
    assert "before" in cleaned


def test_a_table_survives_the_cleaning():
    table = (
        '<table><tbody><tr><td colspan="2" style="color: red">1 &lt; 2</td></tr></tbody></table>'
    )
    before, after = (lxml.html.fromstring(text) for text in (table, clean_output(table)))
    assert lxml.html.tostring(before) == lxml.html.tostring(after)


@pytest.mark.parametrize(
    ("inside", "part"),
    [
        ("<script>1</script>", "<script>"),
        ('<a xlink:href="javascript:1"/>', "the address 'javascript:1' in <a>"),
        ("<foreignObject/>", "<foreignobject>"),
        ('<rect onload="1"/>', "the attribute onload in <rect>"),
        ('<image href="data:text/html,1"/>', "the address 'data:text/html,1' in <image>"),
    ],
)
def test_what_acts_in_a_figure_is_named(inside, part):
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    assert list(active_parts(Shown.FIGURE, f"<svg {names}><g>{inside}</g></svg>")) == [part]


def test_a_run_that_would_act_is_a_fault_at_its_cell(make_snippet, run_of):
    snippet = make_snippet("thing", '# %% a tags=["demo"] alt="x"\n1')
    data = {"text/html": "<script>1</script>", "text/plain": "x"}
    outputs = {"a": [{"output_type": "display_data", "data": data, "metadata": {}}]}
    (message,) = [str(fault) for fault in run_faults(snippet, run_of(snippet, outputs))]
    line = snippet.code["a"].line
    assert message == (
        f"{snippet.path}:{line}: cell 'a' shows <script>, which would act on the page; "
        "show text, a table, a figure or a sound"
    )
