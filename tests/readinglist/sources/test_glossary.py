"""The glossary: its form, and the first use of each term on a page."""

from __future__ import annotations

import lxml.html
import pytest

from readinglist.pages.finishing import mark_terms
from readinglist.sources.glossary import glossary_problems, read_terms

PAGE = """# Glossary

## Cell state { data-also="cell states, memory" }

A vector that
keeps "things".

Explained in [A](resources/a.md#b).

## CTC

A loss.

Explained in [A](resources/a.md#c).
"""
TERMS = read_terms(PAGE)


def marked(html: str) -> list[tuple[str, str, str]]:
    tree = lxml.html.fromstring(f"<div>{mark_terms(html, TERMS, '../glossary.html')}</div>")
    return [(a.text, a.get("href"), a.get("title")) for a in tree.find_class("term")]


def test_terms_are_read_with_their_forms():
    first, second = TERMS
    assert first.forms == ("Cell state", "cell states", "memory")
    assert (first.sentence, first.anchor, first.line) == (
        'A vector that keeps "things".',
        "cell-state",
        3,
    )
    assert (second.name, second.forms) == ("CTC", ("CTC",))
    assert list(glossary_problems(TERMS)) == []


def test_the_first_use_is_a_link_with_the_sentence():
    assert marked("<p>Many cell\nstates, one cell state and CTC.</p><p>CTC</p>") == [
        ("cell\nstates", "../glossary.html#cell-state", 'A vector that keeps "things".'),
        ("CTC", "../glossary.html#ctc", "A loss."),
    ]


def test_an_acronym_stands_for_itself_alone_and_a_word_may_begin_a_sentence():
    assert [text for text, *_ in marked("<li>ctc. Memory fades.</li>")] == ["Memory"]


@pytest.mark.parametrize(
    "html",
    [
        "<h2>CTC</h2>",
        "<p><a href='x'>CTC</a></p>",
        "<p><code>CTC</code></p>",
        "<table><tr><td><p>CTC</p></td></tr></table>",
        "<figure><figcaption><p>CTC</p></figcaption></figure>",
        "<p>CTC-like, preCTC, CTCs</p>",
        "<p title='CTC'>x</p>",
        "<div>CTC</div>",
        "<p><svg><text>CTC</text></svg></p>",
    ],
)
def test_what_is_no_running_text_stays(html):
    assert mark_terms(html, TERMS, "g") == html


def test_a_use_after_a_heading_counts():
    assert [text for text, *_ in marked("<h2>CTC</h2><p>x <em>CTC</em></p>")] == ["CTC"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("A loss.", "A loss. A second.", "'CTC' needs one plain sentence of at most 40 words"),
        ("A loss.", "A *loss*.", "'CTC' needs one plain sentence of at most 40 words"),
        ("A loss.", "A" + " long" * 40 + ".", "'CTC' needs one plain sentence"),
        ("Explained in [A](resources/a.md#c).", "See A.", "'CTC' does not say where it is"),
        ("## CTC", "## Cell", "'Cell' stands out of order; the terms go from A to Z"),
        ("## CTC", '## CTC { data-also="Memory" }', "'Memory' is a form of 'Cell state'"),
    ],
)
def test_a_wrong_entry_is_told(old, new, told):
    ((line, message),) = glossary_problems(read_terms(PAGE.replace(old, new)))
    assert line == TERMS[1].line
    assert message.startswith(told)
