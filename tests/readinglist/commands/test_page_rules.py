"""Rules for a page's text: what counts as a word, as empty, as unfinished."""

from __future__ import annotations

import pytest

from readinglist.commands.page_rules import count_words, text_problems


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Two words.", 2),
        ("It's the reader's long-term aim.", 5),
        ("It is [[a_snippet.value:.1f]] here.", 4),
        ("A [link of four words](to/some-page.md#there).", 5),
        ("# A heading\n\n| a | table |\n|---|---|\n\nText.", 1),
        ("Before.\n\n``` python\nsome = code\n```\n\nAfter.", 2),
        ('Before.\n\n??? note "Title"\n    Folded words.\n\n    More.\n\nAfter.', 2),
        ("So $$a + b = c$$ holds.", 2),
        ("Seen.\n\n<!-- not\nseen -->\n", 1),
    ],
)
def test_the_words_of_running_text(text, words):
    assert count_words(text) == words


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("## A\n\nText.\n", []),
        ("## A\n\n## B\n\nText.\n", [1]),
        ("## A\n\n### B\n\nText.\n", []),  # a section of sections
        ("## A\n\n### B\n\n## C\n\n<!-- a remark\n## D\n-->\n", [3, 5]),
        ("## A\n\n``` cell\nx#y\n```\n", []),
        ("``` text\n## no heading\n## none\n```\n", []),
        ("Text.\n\n## Last {#named}\n", [3]),
    ],
)
def test_empty_sections(text, lines):
    found = list(text_problems(text))
    assert [line for line, _ in found] == lines
    assert all("is empty" in message for _, message in found)


@pytest.mark.parametrize("word", ["TODO", "FIXME", "TBD", "coming soon", "Coming soon"])
def test_something_unfinished_is_found_in_text_alone(word):
    text = f"Line one.\n\n``` text\n{word}\n```\n\nHere: {word}.\n"
    ((line, message),) = text_problems(text)
    assert (line, message.split(";")[0]) == (7, f"says '{word}'")


def test_a_word_in_small_letters_is_only_a_word():
    assert list(text_problems("A todo list, and xxx for a name.\n")) == []
